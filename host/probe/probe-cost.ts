/**
 * What telemetry costs a board, at each level: measured on the virtual board with the bundle that would be flashed.
 *
 *   in the call    cycles that a malloc or free takes longer than in a bundle without telemetry
 *   in the timer   cycles of the pump, which makes frames, checks and stuffs them, and hands them to the console
 *   on the line    bytes, framing included
 *
 * A steady load of frees and mallocs of mixed sizes, slow enough for core and line. What comes by the clock however few
 * operations there are (hello, counters, map, the engine's heap, a look every few milliseconds) is measured without a
 * load, and told for a second; the rest is told for an operation. The sampled level records one in 16.
 */
import { join } from 'node:path';
import type { Board } from '../../boards/board.ts';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { packageRoot } from '../../boards/root.ts';
import type { PolicyName } from '../../firmware/src/policies/index.ts';
import { bundle, type TelemetryLevel } from '../../firmware/toolchain/bundle.ts';
import { createVirtualBoard } from '../../sim/board/create.ts';
import type { Outcome } from '../../sim/engine/engine.ts';
import { TelemetryDecoder } from '../model/decoder.ts';
import { HeapModel } from '../model/heap-model.ts';

const probeLevels: readonly TelemetryLevel[] = ['off', 'counters', 'sampled', 'events'];

export interface ProbeCost {
  level: TelemetryLevel;
  operations: number;
  /** A malloc or free of the program, everything included. */
  callCycles: number;
  /** Of these, telemetry's. */
  addedCallCycles: number;
  timerCycles: number;
  lineBytes: number;
  /** Without a load: part of the core's time, and bytes a second. */
  idlePart: number;
  idleLineBytesPerSecond: number;
  /** The bundle's size, and how much of it is telemetry. */
  bundleBytes: number;
  addedBundleBytes: number;
  /** Records that found no room: 0 while the line is not saturated. */
  dropped: number;
}

const PROGRAM = `import { createHeap } from 'heapglass';
const heap = createHeap({ bytes: 4096 });
const held = new Uint16Array(32);
let at = 0;
globalThis.work = (pairs) => {
  for (let i = 0; i < pairs; i++) {
    const k = (at * 7) & 31;
    heap.free(held[k]);
    held[k] = heap.malloc(8 + ((at * 37) % 90));
    at++;
  }
};
`;

const NS_PER_MS = 1e6;
const BOOT_MS = 3000;
/** The arena's first blocks are made before anything is measured. */
const WARM_PAIRS = 64;
const ROUNDS = 80;
const PAIRS_A_ROUND = 4;
/** 16 operations a second: Espruino takes 30 ms for one on a Puck.js, and the sampled level has to see some. */
const ROUND_MS = 500;

async function measure(board: Board, policy: PolicyName | undefined, level: TelemetryLevel) {
  const entry = join(packageRoot, 'probe.js');
  const built = await bundle({ entry, source: PROGRAM, board, telemetry: level, ...(policy && { policy }) });
  const virtual = createVirtualBoard(board, { program: built.code });
  const model = new HeapModel();
  const decoder = new TelemetryDecoder(model);
  virtual.attach();
  virtual.onTransmit((bytes) => decoder.push(bytes));
  const pass = (ms: number): void => virtual.advanceTo(virtual.nowNs + ms * NS_PER_MS);
  pass(BOOT_MS);
  const { engine } = virtual.firmware;
  const work = engine === null ? null : resultOf(engine.run('work', 'probe.js'));
  if (engine === null || typeof work !== 'function') {
    throw new Problem(
      exitCodes.tooBig,
      `the program that is measured does not start on ${board.id} with telemetry ${level}`,
      [`the bundle has ${built.bytes} bytes`],
      'Measure another board.',
    );
  }
  resultOf(engine.call(work, [WARM_PAIRS]));
  pass(4 * BOOT_MS);
  const told = (): number => decoder.statistics.bytes - decoder.statistics.textBytes;
  const seconds = (ROUNDS * ROUND_MS) / 1000;
  let beforeBytes = told();
  let startCycles = engine.cycles;
  pass(seconds * 1000);
  const idleCycles = engine.cycles - startCycles;
  const idleBytes = told() - beforeBytes;
  let callCycles = 0;
  beforeBytes = told();
  startCycles = engine.cycles;
  for (let round = 0; round < ROUNDS; round++) {
    const before = engine.cycles;
    resultOf(engine.call(work, [PAIRS_A_ROUND]));
    callCycles += engine.cycles - before;
    pass(ROUND_MS);
  }
  const operations = 2 * ROUNDS * PAIRS_A_ROUND;
  return {
    level,
    operations,
    callCycles: callCycles / operations,
    timerCycles: Math.max(0, engine.cycles - startCycles - callCycles - idleCycles) / operations,
    lineBytes: Math.max(0, told() - beforeBytes - idleBytes) / operations,
    idlePart: idleCycles / seconds / board.clockHz,
    idleLineBytesPerSecond: idleBytes / seconds,
    bundleBytes: built.bytes,
    dropped: model.lastCounters?.dropped ?? 0,
  };
}

function resultOf(outcome: Outcome): unknown {
  return outcome.kind === 'value' ? outcome.value : null;
}

/** The cost at each level; the first row is a bundle without telemetry, which the others are compared with. */
export async function probeCosts(board: Board, policy?: PolicyName): Promise<ProbeCost[]> {
  const rows: ProbeCost[] = [];
  for (const level of probeLevels) {
    const row = await measure(board, policy, level);
    const [off] = rows;
    rows.push({
      ...row,
      addedCallCycles: off ? row.callCycles - off.callCycles : 0,
      addedBundleBytes: off ? row.bundleBytes - off.bundleBytes : 0,
    });
  }
  return rows;
}
