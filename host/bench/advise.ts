/**
 * From a trace to a choice: which policy, in an arena of how many bytes, on which board, with how much to spare.
 *
 * The policy is the one with the smallest footprint, movers only when asked for: their handles change the program. The
 * arena is the smallest that completes the trace and a margin for what the trace did not show; the board the smallest
 * that holds it.
 */
import { type Board, boardIds, loadBoard } from '../../boards/board.ts';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { type PolicyName, policies, policyNames } from '../../firmware/src/policies/index.ts';
import type { Trace } from '../trace/trace.ts';
import { movesBlocks } from './bench.ts';
import { minimumFootprint, runTrace, STEP_BYTES } from './footprint.ts';

export interface Candidate {
  policy: PolicyName;
  footprintBytes: number;
  movesBlocks: boolean;
}

export interface Recommendation {
  policy: PolicyName;
  /** Footprint and margin, a multiple of 16; the trace completes in it. */
  arenaBytes: number;
  board: string;
  /** Bytes of the arena beyond the smallest that completes the trace. */
  marginBytes: number;
  /** Bytes of the board's memory that the arena leaves. */
  boardBytesLeft: number;
  why: string;
}

/** A trace is one run: leave an eighth for the others. */
const MARGIN_SHARE = 1 / 8;

/** What a program may take of a board's memory for an arena: what remains when the engine and a small program are in. */
export function arenaLimitBytes(board: Board): number {
  // JerryScript's own figures after boot (about 12.3 KB used) and a program and its bytecode of the same order.
  if (board.engineHeapBytes !== null) return board.engineHeapBytes - 32 * 1024;
  // Variables are the memory; a quarter of them for the program.
  return board.jsvars === null ? 0 : Math.floor(board.jsvars.count * board.jsvars.bytesEach * 0.75);
}

export function candidates(trace: Trace, withMovers: boolean): Candidate[] {
  return policyNames
    .filter((policy) => withMovers || !movesBlocks(policy))
    .flatMap((policy) => {
      const footprint = minimumFootprint(policies[policy], trace);
      return footprint ? [{ policy, footprintBytes: footprint.footprintBytes, movesBlocks: movesBlocks(policy) }] : [];
    })
    .sort((a, b) => a.footprintBytes - b.footprintBytes);
}

/**
 * The arena to take: the footprint and its margin, or the next step up in which the trace completes. A larger arena does
 * not always do what a smaller one does; where none up to twice the footprint completes it, that is the footprint itself.
 */
function withMargin(trace: Trace, { policy, footprintBytes }: Candidate): number {
  const wished = Math.ceil((footprintBytes * (1 + MARGIN_SHARE)) / STEP_BYTES) * STEP_BYTES;
  for (let bytes = wished; bytes <= 2 * footprintBytes; bytes += STEP_BYTES) {
    if (runTrace(policies[policy], trace, bytes) === -1) return bytes;
  }
  return footprintBytes;
}

/** The smallest board that holds the arena, or the one named; a Problem when none does. */
export function recommend(trace: Trace, found: readonly Candidate[], boardId?: string): Recommendation {
  const best = found[0];
  if (!best) throw new Problem(exitCodes.tooBig, `no policy completes ${trace.name}`, [], 'Use a smaller trace.');
  const arenaBytes = withMargin(trace, best);
  const boards = (boardId === undefined ? boardIds() : [boardId]).map((id) => loadBoard(id));
  const fitting = boards
    .filter((board) => arenaLimitBytes(board) >= arenaBytes)
    .sort((a, b) => arenaLimitBytes(a) - arenaLimitBytes(b));
  const board = fitting[0];
  if (!board) {
    const limits = boards.map((each) => `${each.id}: an arena of up to ${arenaLimitBytes(each)} bytes`);
    throw new Problem(
      exitCodes.tooBig,
      `${trace.name} needs an arena of ${arenaBytes} bytes`,
      limits.slice(0, 5),
      boardId === undefined ? 'No board has as much.' : 'Run `heapglass advise` without --board for one that has.',
    );
  }
  const second = found[1];
  const why = [
    `${best.policy} needs ${best.footprintBytes} bytes for a peak of ${trace.peakLiveBytes} live bytes`,
    second ? `, ${second.footprintBytes - best.footprintBytes} less than ${second.policy}` : '',
    `; ${arenaBytes - best.footprintBytes} bytes are margin for what the trace does not show; `,
    boardId === undefined ? `${board.id} is the smallest board that holds it` : `${board.id} holds it`,
  ].join('');
  return {
    policy: best.policy,
    arenaBytes,
    board: board.id,
    marginBytes: arenaBytes - best.footprintBytes,
    boardBytesLeft: arenaLimitBytes(board) - arenaBytes,
    why,
  };
}
