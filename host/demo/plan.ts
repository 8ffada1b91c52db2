/**
 * What of which trace a board can replay, in which arena and at what pace; and why, in words.
 *
 * The board's memory for data decides how many of a trace's blocks are kept (thin.ts), its line and its engine how
 * fast. Nothing is guessed silently: `reason` is shown to whoever runs it.
 */
import type { Board } from '../../boards/board.ts';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { type PolicyName, policies } from '../../firmware/src/policies/index.ts';
import { minimumFootprint } from '../bench/footprint.ts';
import type { Trace } from '../trace/trace.ts';
import { bytesText, countText } from '../view/units.ts';
import { type EncodedTrace, encodeTrace } from './encode.ts';
import { thinTrace } from './thin.ts';

export interface ReplayPlan {
  board: Board;
  policy: PolicyName;
  trace: Trace;
  encoded: EncodedTrace;
  /** 1: the whole trace; n: every n-th of its blocks. */
  everyNth: number;
  arenaBytes: number;
  tickMs: number;
  opsPerTick: number;
  reason: string;
}

export interface PlanWishes {
  policy: PolicyName;
  /** Given by the user: then only the trace is thinned, or nothing. */
  arenaBytes?: number;
  /** Keep the whole trace, and fail when it does not fit. */
  whole?: boolean;
  /** The run should take about this long on the board. */
  seconds: number;
}

/** Of what the engine gives to programs, the part an arena may take: the bundle's code and the engine need the rest. */
const ARENA_PART = { kaluma: 1 / 3, espruino: 1 / 6 } as const;
/** The trace's text may take this part. */
const TEXT_PART = { kaluma: 1 / 8, espruino: 1 / 12 } as const;
/** Above the smallest arena that completes the trace, so that the demo shows fragmentation and not failure. */
const SPARE = 1.05;
const STEP_BYTES = 16;
const MOST_THINNING = 256;
const LEAST_OPS = 60;
/** An event takes 3 to 4 bytes of the line; three fifths of the line are planned for events. */
const LINE_BYTES_PER_OP = 4 / 0.6;
/**
 * Twice what an operation of the program takes, recording included, as `heapglass demo --json` gives it on virtual
 * boards: a malloc some 320,000 cycles on Kaluma and 2,500,000 on Espruino, reading the trace and sending beside it.
 */
const CYCLES_PER_OP = { kaluma: 1_200_000, espruino: 8_000_000 } as const;
const TICK_MS = 50;

/** Bytes that the engine has for a program's data and code. */
export function engineBytes(board: Board): number {
  if (board.jsvars) return board.jsvars.count * board.jsvars.bytesEach;
  return (board.engineHeapBytes ?? board.ramBytes) - (board.engineHeapUsedAtBootBytes ?? 0);
}

export function planReplay(board: Board, whole: Trace, wishes: PlanWishes): ReplayPlan {
  const memory = engineBytes(board);
  const arenaBudget = wishes.arenaBytes ?? Math.floor(memory * ARENA_PART[board.engine]);
  const textBudget = memory * TEXT_PART[board.engine];
  if (wishes.arenaBytes !== undefined && wishes.arenaBytes > memory) throw tooLarge(board, wishes.arenaBytes, memory);

  const perSecond = Math.min(
    board.console.bytesPerSecond / LINE_BYTES_PER_OP,
    board.clockHz / CYCLES_PER_OP[board.engine],
  );
  const opsBudget = wishes.whole ? Number.POSITIVE_INFINITY : Math.max(LEAST_OPS, perSecond * wishes.seconds * 2);
  for (let everyNth = 1; everyNth <= (wishes.whole ? 1 : MOST_THINNING); everyNth++) {
    const trace = thinTrace(whole, everyNth);
    if (trace.kinds.length < LEAST_OPS && everyNth > 1) break;
    if (trace.kinds.length > opsBudget || trace.peakLiveBytes > arenaBudget) continue;
    const encoded = encodeTrace(trace);
    const textBytes = encoded.chunks.join('').length + encoded.slotCount * 4;
    const smallest = minimumFootprint(policies[wishes.policy], trace);
    if (smallest === null) continue;
    const footprint = Math.ceil((smallest.footprintBytes * SPARE) / STEP_BYTES) * STEP_BYTES;
    if (!wishes.whole && (textBytes > textBudget || footprint > arenaBudget)) continue;
    const arenaBytes = wishes.arenaBytes ?? footprint;
    if (arenaBytes > memory) throw tooLarge(board, arenaBytes, memory);
    return {
      board,
      policy: wishes.policy,
      trace,
      encoded,
      everyNth,
      arenaBytes,
      ...pace(trace, perSecond, wishes.seconds),
      reason: reasonFor(board, whole, trace, everyNth, arenaBytes, memory),
    };
  }
  throw new Problem(
    exitCodes.tooBig,
    `no useful part of the trace ${whole.name} fits ${board.id}`,
    [
      `the engine has ${bytesText(memory)} for programs and data`,
      `an arena may take ${bytesText(arenaBudget)} of it`,
      `the whole trace has ${bytesText(whole.peakLiveBytes)} live at its peak`,
    ],
    'Choose a larger board (`heapglass boards`) or a smaller trace.',
  );
}

function tooLarge(board: Board, arenaBytes: number, memory: number): Problem {
  return new Problem(
    exitCodes.tooBig,
    `an arena of ${countText(arenaBytes)} bytes is larger than the heap of ${board.id}`,
    [`its engine has ${countText(memory)} bytes for programs and data`],
    'Give a smaller --arena, or a larger board (`heapglass boards`).',
  );
}

function pace(trace: Trace, mostPerSecond: number, seconds: number): { tickMs: number; opsPerTick: number } {
  const wanted = Math.max(1, Math.min(mostPerSecond, trace.kinds.length / seconds));
  const opsPerTick = Math.max(1, Math.round((wanted * TICK_MS) / 1000));
  return { opsPerTick, tickMs: Math.max(1, Math.ceil((opsPerTick * 1000) / wanted)) };
}

function reasonFor(
  board: Board,
  whole: Trace,
  trace: Trace,
  everyNth: number,
  arenaBytes: number,
  memory: number,
): string {
  const ordinal = everyNth === 2 ? '2nd' : everyNth === 3 ? '3rd' : `${everyNth}th`;
  const part =
    everyNth === 1
      ? `all ${countText(whole.kinds.length)} operations`
      : `every ${ordinal} block (${countText(trace.kinds.length)} of ${countText(whole.kinds.length)} operations)`;
  const because =
    everyNth === 1
      ? `fits the ${bytesText(memory)} that ${board.id} has for programs`
      : `${board.id} has ${bytesText(memory)} for code and data, and a line of ${bytesText(board.console.bytesPerSecond)}/s`;
  return `${part} of ${whole.name}, in an arena of ${bytesText(arenaBytes)}: ${because}`;
}
