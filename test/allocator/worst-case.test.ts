// The worst sequence known for trie-fit: a tree of free blocks that is one path as deep as keys have bits, so that every
// search goes all the way; and a block that covers half of the arena. The cycles of each call on two boards stay below
// the bound that trie-fit.ts states, and are printed beside those of a sound trace.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { packageRoot } from '../../boards/root.ts';
import { bundle } from '../../firmware/toolchain/bundle.ts';
import { createEngine } from '../../sim/engine/create.ts';

const ARENA_BYTES = 16 * 1024;
const GRANULES = ARENA_BYTES / 8;
/** Bits of a granule number up to END: W of free-trie.ts. */
const WIDTH = GRANULES.toString(2).length;

/** Called with the name of the policy's function and its arguments; returns its result and notes the cycles. */
type Call = (name: 'malloc' | 'free' | 'realloc', ...args: number[]) => number;

async function policyOn(boardId: string): Promise<{ call: Call; worst: Map<string, number> }> {
  const source = join(packageRoot, 'firmware', 'src');
  const program = `import { bindArena } from '${source}/arena.ts';
import { init, malloc, free, realloc } from '${source}/policies/trie-fit.ts';
bindArena(new ArrayBuffer(${ARENA_BYTES}));
init(${ARENA_BYTES});
globalThis.calls = [malloc, free, realloc];
`;
  const board = loadBoard(boardId);
  const { code } = await bundle({ entry: join(packageRoot, 'worst.js'), source: program, board, telemetry: 'off' });
  const engine = createEngine(board);
  expect(engine.run(code, 'worst.js').kind).toBe('value');
  const worst = new Map<string, number>();
  const functions = ['malloc', 'free', 'realloc'].map((_, i) => {
    const outcome = engine.run(`calls[${i}]`, 'worst.js');
    return outcome.kind === 'value' ? outcome.value : null;
  });
  const call: Call = (name, ...args) => {
    const before = engine.cycles;
    const outcome = engine.call(functions[['malloc', 'free', 'realloc'].indexOf(name)], args);
    worst.set(name, Math.max(worst.get(name) ?? 0, engine.cycles - before));
    return outcome.kind === 'value' ? (outcome.value as number) : -1;
  };
  return { call, worst };
}

/** Fills the arena with blocks of one granule, then frees those whose keys make one path of the tree. */
function buildPath(call: Call): void {
  while (call('malloc', 8) > 0);
  // Odd granules only, so that no two are neighbours. W of equal size fill the levels that the size chooses ...
  const target = (GRANULES >> 1) + 1;
  const freed = new Set<number>();
  const free = (granule: number): void => {
    if (granule >= GRANULES >> 5 && granule < GRANULES && !freed.has(granule) && granule !== target) {
      expect(call('free', granule * 8)).toBe(0);
      freed.add(granule);
    }
  };
  for (let i = 0; freed.size < WIDTH; i++) free((GRANULES >> 2) + 1 + 2 * i);
  // ... and each of these shares one more bit of its address with the target than the one before.
  for (let bit = WIDTH - 1; bit >= 1; bit--) free(target ^ (1 << bit));
  expect(call('free', target * 8)).toBe(0);
}

test.each([
  ['kaluma-pico', 2_500_000],
  ['puckjs', 9_000_000],
])('%s: no call of the worst sequence takes more than %i cycles', async (board, limit) => {
  const { call, worst } = await policyOn(board);
  buildPath(call);
  worst.clear();
  const target = ((GRANULES >> 1) + 1) * 8;
  for (let round = 0; round < 4; round++) {
    const first = call('malloc', 8);
    expect(first).toBeGreaterThan(0);
    call('free', first);
    const neighbour = target + 8;
    if (round === 0) call('free', neighbour);
    const given = call('malloc', 16);
    if (given > 0) call('realloc', given, 8);
  }
  const path = [...worst].map(([name, cycles]) => `${name} ${cycles}`).join(', ');

  const { call: call2, worst: worst2 } = await policyOn(board);
  const half = call2('malloc', ARENA_BYTES / 2);
  const small = call2('malloc', 100);
  call2('realloc', half, ARENA_BYTES / 2 - 100);
  call2('free', small);
  call2('free', half);
  const large = [...worst2].map(([name, cycles]) => `${name} ${cycles}`).join(', ');
  console.info(`${board}: deepest tree: ${path}; half of the arena in one block: ${large} (realloc moves 8 KB)`);
  for (const cycles of worst.values()) expect(cycles).toBeLessThan(limit);
  expect(worst2.get('free')!).toBeLessThan(limit);
});
