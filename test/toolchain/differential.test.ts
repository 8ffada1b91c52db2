// The bundle does what its sources do: the same random operations on the built text and on the sources give the same
// offsets, codes and statistics, for every policy and for each engine's own passes.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { createHeap } from '../../firmware/src/heap.ts';
import { policies, policyNames } from '../../firmware/src/policies/index.ts';
import { bundle } from '../../firmware/toolchain/bundle.ts';
import { FakeEngine } from './fake-engine.ts';

const OPERATIONS = Number(process.env.HEAPGLASS_OPS ?? 2000);
const seed = Number(process.env.HEAPGLASS_SEED ?? 20261122);
const ARENA_BYTES = 6000;

interface TestHeap {
  malloc(size: number): number;
  calloc(count: number, size: number): number;
  realloc(offset: number, size: number): number;
  memalign(alignment: number, size: number): number;
  free(offset: number): number;
  usableSize(offset: number): number;
  check(): number;
  stats(): object;
}

const source = `import { createHeap } from 'heapglass';
global.heap = createHeap({ bytes: ${ARENA_BYTES} });
`;

/** Xorshift (Marsaglia 2003). */
function random(from: number): (below: number) => number {
  let x = from;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

/** Applies `count` operations and gives every result, wrong frees included. */
function history(heap: TestHeap, count: number): number[] {
  const next = random(seed);
  const live: number[] = [];
  const results: number[] = [];
  const keep = (offset: number): void => {
    results.push(offset);
    if (offset !== 0) live.push(offset);
  };
  for (let i = 0; i < count; i++) {
    const size = next(10) === 0 ? next(900) : next(70);
    const at = live.length > 0 ? next(live.length) : 0;
    switch (next(8)) {
      case 0:
      case 1:
        keep(heap.malloc(size));
        break;
      case 2:
        keep(heap.calloc(1 + next(4), size >> 2));
        break;
      case 3:
        keep(heap.memalign(8 << next(5), size));
        break;
      case 4:
        if (live.length === 0) break;
        results.push(heap.realloc(live[at]!, size + 1));
        if (results.at(-1) !== 0) live[at] = results.at(-1)!;
        break;
      case 5:
        results.push(heap.usableSize(live[at] ?? 8), heap.free(8 * next(ARENA_BYTES / 4)) === 0 ? 1 : 0);
        for (let k = live.length - 1; k >= 0; k--) if (heap.usableSize(live[k]!) === 0) live.splice(k, 1);
        break;
      default:
        if (live.length > 0) results.push(heap.free(live.splice(at, 1)[0]!));
    }
    if (i % 500 === 0) results.push(heap.check());
  }
  results.push(heap.check());
  return results;
}

describe.each(['puckjs', 'microbit1', 'kaluma-pico'])('%s', (id) => {
  test.each(policyNames)(`%s (seed ${seed})`, async (policy) => {
    const board = loadBoard(id);
    const built = await bundle({
      entry: join(tmpdir(), 'differential.js'),
      source,
      board,
      policy,
      telemetry: 'off',
      keepMethods: 'all',
    });
    const bundled = new FakeEngine(board).run(built.code).heap as unknown as TestHeap;
    const own = createHeap({ bytes: ARENA_BYTES, policy: policies[policy] })!;
    expect(history(bundled, OPERATIONS)).toEqual(history(own, OPERATIONS));
    expect({ ...bundled.stats() }).toEqual(own.stats());
  });
});
