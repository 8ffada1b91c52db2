/**
 * The meter for `bench --board ID`: a policy's source as it is bundled for the board, run by the model of the board's
 * engine. Cycles are those of the policy's functions called from a program, without the heap's counters and telemetry.
 */
import { join } from 'node:path';
import { loadBoard } from '../../boards/board.ts';
import { packageRoot } from '../../boards/root.ts';
import type { PolicyName } from '../../firmware/src/policies/index.ts';
import { bundle } from '../../firmware/toolchain/bundle.ts';
import { createEngine } from '../../sim/engine/create.ts';
import { OP_FREE } from '../trace/trace.ts';
import { type CycleMeter, cycleStats } from './cycles.ts';

/** A program whose globals `allocate`, `release` and `resize` are the policy's functions; `ready` is what init returned. */
export function programOf(policy: PolicyName, arenaBytes: number): string {
  const source = join(packageRoot, 'firmware', 'src').replaceAll('\\', '/');
  return `import { bindArena } from '${source}/arena.ts';
import { init, malloc, free, realloc } from '${source}/policies/${policy}.ts';
bindArena(new ArrayBuffer(${arenaBytes}));
globalThis.ready = init(${arenaBytes});
globalThis.allocate = malloc;
globalThis.release = free;
globalThis.resize = realloc;
`;
}

export async function boardMeter(boardId: string): Promise<CycleMeter> {
  const board = loadBoard(boardId);
  return async (policy, trace, arenaBytes) => {
    const entry = join(packageRoot, 'bench.js');
    const { code, bytes } = await bundle({ entry, source: programOf(policy, arenaBytes), board, telemetry: 'off' });
    const engine = createEngine(board);
    const started = engine.run(code, 'bench.js');
    if (started.kind !== 'value') return null;
    const evaluated = (name: string): unknown => {
      const outcome = engine.run(name, 'bench.js');
      return outcome.kind === 'value' ? outcome.value : 0;
    };
    if (!evaluated('ready')) return null;
    const functions = { malloc: evaluated('allocate'), free: evaluated('release'), realloc: evaluated('resize') };
    const samples = { malloc: [] as number[], free: [] as number[], realloc: [] as number[] };
    const call = (name: keyof typeof samples, ...args: number[]): number => {
      const before = engine.cycles;
      const outcome = engine.call(functions[name], args);
      samples[name].push(engine.cycles - before);
      return outcome.kind === 'value' ? (outcome.value as number) : -1;
    };
    const offsets = new Int32Array(trace.idCount);
    for (let i = 0; i < trace.kinds.length; i++) {
      const id = trace.ids[i]!;
      const offset = offsets[id]!;
      if (trace.kinds[i] === OP_FREE) {
        if (call('free', offset) !== 0) return null;
        offsets[id] = 0;
      } else {
        const given = offset === 0 ? call('malloc', trace.sizes[i]!) : call('realloc', offset, trace.sizes[i]!);
        if (given <= 0) return null;
        offsets[id] = given;
      }
    }
    const none = { mean: 0, p99: 0, max: 0 };
    return {
      cycles: {
        target: board.id,
        malloc: cycleStats(samples.malloc) ?? none,
        free: cycleStats(samples.free) ?? none,
        realloc: cycleStats(samples.realloc),
      },
      codeBytes: bytes,
    };
  };
}
