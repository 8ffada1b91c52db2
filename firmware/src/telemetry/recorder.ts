/**
 * The recorder: what the heap did, as frames for the line. Takes the place of observer.ts in a bundle with telemetry.
 *
 * One heap is recorded. Its operations become records (records.ts) in a bounded ring of frames
 * (ring.ts); other frames come by the clock (frames.ts). This file has the level, lower while the line
 * carries less than there is to tell. `recorderDrain` gives finished frames to whoever owns the line, one at a time. The
 * format is docs/wire-format.md; W1 to W4 are stated where they are kept.
 */
import { LEVEL_COUNTERS, LEVEL_OFF, LEVEL_SAMPLED } from '../../wire/format.ts';
import type { Heap } from '../heap.ts';
import {
  askForCounters,
  heap,
  housekeeping,
  nextDueMs,
  options,
  type RecorderOptions,
  rest,
  startFrames,
} from './frames.ts';
import { forgetMoves } from './moves.ts';
import { startRare } from './rare-records.ts';
import { dropped, enterLevel, level, sealStale, startRecords, tellUnrecorded } from './records.ts';
import { idleUntilMs, sealed, setIdleUntil, startRing, takeFrame } from './ring.ts';
import { sweepAbandon } from './sweep.ts';

export type { RecorderOptions } from './frames.ts';
export { observeFailure, observeMisuse, recorderMark } from './rare-records.ts';
export {
  isObserving,
  observeFree,
  observeMalloc,
  observeMemalign,
  observeRealloc,
  observeWatched,
  watchedOffset,
} from './records.ts';
export { idleUntilMs };

/** Quiet time before a step back up; doubles with each relapse, up to the most. */
const HOLD_MS = 2000;
const MOST_HOLD_MS = 60000;

let droppedSeen = 0;
let calmSinceMs = 0;
let holdMs = HOLD_MS;
/** Starts recording `recorded`, a heap without blocks yet. */
export function recorderStart(recorded: Heap, chosen: RecorderOptions): void {
  startRing(Math.max(chosen.ringFrames, 3));
  startRecords(recorded.id, chosen.nowMs);
  startRare();
  forgetMoves();
  enterLevel(chosen.level);
  sweepAbandon();
  droppedSeen = 0;
  holdMs = HOLD_MS;
  calmSinceMs = startFrames(recorded, chosen);
}

/** The level in force: what was asked for, or less while the line is saturated. */
export function recorderLevel(): number {
  return level;
}

/** Asks for another level; takes effect with the next operation. */
export function recorderSetLevel(asked: number): void {
  if (options === null) return;
  options.level = asked;
  setLevel(asked, options.nowMs());
}

/** Operations that found no room so far. */
export function recorderDropped(): number {
  return dropped;
}

/**
 * Writes the next frame to `out` (at least MAX_FRAME_BYTES) and returns its length, 0 when there is nothing to send.
 * Call it while the line has room, from a timer.
 */
export function recorderDrain(out: Uint8Array): number {
  if (heap === null || options === null) return 0;
  const now = options.nowMs();
  let byClock = false;
  adaptLevel(now);
  if (level !== LEVEL_OFF) {
    if (sealed === 0) {
      tellUnrecorded();
      sealStale(now);
    }
    byClock = housekeeping(now);
  }
  if (sealed === 0) {
    setIdleUntil(nextDueMs(now));
    return 0;
  }
  const length = takeFrame(out);
  if (byClock) rest(now);
  return length;
}

/** Steps down while records are dropped, and back up after a time without. */
function adaptLevel(now: number): void {
  if (options!.level < LEVEL_SAMPLED) return;
  if (dropped !== droppedSeen) {
    droppedSeen = dropped;
    calmSinceMs = now;
    if (level > LEVEL_COUNTERS) {
      if (holdMs < MOST_HOLD_MS) holdMs *= 2;
      setLevel(level - 1, now);
    }
  } else if (level < options!.level && now - calmSinceMs >= holdMs) {
    calmSinceMs = now;
    setLevel(level + 1, now);
  } else if (level === options!.level && now - calmSinceMs >= MOST_HOLD_MS) holdMs = HOLD_MS;
}

function setLevel(next: number, now: number): void {
  enterLevel(next);
  // The host learns of it by the next counters.
  askForCounters(now);
  setIdleUntil(now);
}
