/**
 * The recorder: what the heap did, as frames for the line. Takes the place of observer.ts in a bundle with telemetry.
 *
 * One heap is recorded. Its operations become records (recorder-records.ts) in a bounded ring of frames
 * (recorder-ring.ts). This file has the clock: when a frame goes out, the frames that come by time and tell totals and the
 * map, and the level, lower while the line carries less than there is to tell. `recorderDrain` gives finished frames to
 * whoever owns the line, one at a time. The format is docs/wire-format.md; W1, W2 and W4 are stated where they are kept.
 *
 * Invariant
 *   W3  a map chunk stands between the records before and after the moment at which it was walked
 */
import {
  FRAME_COUNTERS,
  FRAME_ENGINE,
  FRAME_HELLO,
  FRAME_MAP,
  FRAME_POST_MORTEM,
  FRAME_REGIONS,
  HELLO_BOOT,
  LEVEL_COUNTERS,
  LEVEL_OFF,
  LEVEL_SAMPLED,
  MAP_COMPLETE,
} from '../wire/format.ts';
import { firstBlock } from './bound-policy.ts';
import type { Heap } from './heap.ts';
import { forgetMoves } from './moves.ts';
import { engineOwn, engineSamples, engineTotal, engineUnitBytes, engineUsed, sampleEngine } from './port.ts';
import {
  bounded,
  failures,
  misuses,
  mortemAlignment,
  mortemDue,
  mortemSent,
  mortemSite,
  mortemSize,
  startRare,
} from './recorder-rare.ts';
import {
  chunkSent,
  dropped,
  enterLevel,
  eventFrames,
  isAllTold,
  level,
  liveBlocks,
  liveBytes,
  logOf,
  operations,
  peakLiveBytes,
  records,
  recordsDueMs,
  sealRecords,
  sealStale,
  skipped,
  startRecords,
  sweepAsked,
  tellUnrecorded,
} from './recorder-records.ts';
import {
  FRAME_BYTES,
  frames,
  idleUntilMs,
  isNearlyFull,
  openAt,
  openFrame,
  ring,
  sealed,
  sealFrame,
  setIdleUntil,
  startRing,
  takeFrame,
} from './recorder-ring.ts';
import { areRegionsStale, askForRegions, putRegions, regionsDueMs, startRegionReport } from './region-report.ts';
import {
  putVarintAt,
  sweepAbandon,
  sweepActive,
  sweepBegin,
  sweepChunk,
  sweepFirstHeaderBytes,
  sweepFreeBytes,
  sweepLargestFreeBytes,
} from './sweep.ts';

export { observeFailure, observeMisuse, recorderMark } from './recorder-rare.ts';
export {
  isObserving,
  observeFree,
  observeMalloc,
  observeMemalign,
  observeRealloc,
  observeWatched,
  watchedOffset,
} from './recorder-records.ts';
export { idleUntilMs };

export interface RecorderOptions {
  /** policyId of the heap's policy, for the host. */
  policyId: number;
  /** LEVEL_; the recorder steps down from it when the line saturates, and back. */
  level: number;
  /** Frames the ring holds, at least 3; each takes MAX_PAYLOAD_BYTES + HEAD_BYTES. */
  ringFrames: number;
  /** Kilohertz of the core, 0 when unknown. */
  clockKhz: number;
  /** Identifies the bundle, 0 when unknown. */
  bundleId: number;
  /** The board's clock in whole milliseconds. */
  nowMs: () => number;
}

const COUNTERS_MS = 1000;
/** Between two samples of the engine's own heap: on Espruino one takes some milliseconds. */
const ENGINE_MS = 10000;
const HELLO_MS = 5000;
/** Pause between two sweeps of the map when no loss asks for one: who attaches late waits so long at most. */
const SWEEP_PAUSE_MS = 4000;
const CHUNK_MS = 100;
/** A map chunk goes between this many event frames when the line is busy: three per cent of it. */
const FRAMES_PER_CHUNK = 16;
/** What comes by the clock rests for this many times as long as it took: a tenth of the core, a twentieth with counters alone. */
const REST_TIMES = 9;
const COUNTERS_REST_TIMES = 19;
/** Quiet time before a step back up; doubles with each relapse, up to the most. */
const HOLD_MS = 2000;
const MOST_HOLD_MS = 60000;

let heap: Heap | null = null;
let options: RecorderOptions | null = null;
let helloDueMs = 0;
let countersDueMs = 0;
let engineDueMs = 0;
/** A post-mortem goes before everything else, and no other follows before this: a program may fail at every turn. */
let mortemFromMs = 0;
let chunkDueMs = 0;
/** Nothing comes by the clock before this. */
let restUntilMs = 0;
let helloSaid = false;
let droppedSeen = 0;
let calmSinceMs = 0;
let holdMs = HOLD_MS;
/** Where the next byte goes. */
let at = 0;

/** Starts recording `recorded`, a heap without blocks yet. */
export function recorderStart(recorded: Heap, chosen: RecorderOptions): void {
  heap = recorded;
  options = chosen;
  startRing(Math.max(chosen.ringFrames, 3));
  startRecords(recorded.id, chosen.nowMs);
  startRare();
  forgetMoves();
  enterLevel(chosen.level);
  sweepAbandon();
  droppedSeen = 0;
  helloSaid = false;
  holdMs = HOLD_MS;
  const now = chosen.nowMs();
  startRegionReport(recorded, now);
  calmSinceMs = helloDueMs = now;
  setIdleUntil(now);
  restUntilMs = mortemFromMs = now;
  countersDueMs = now + COUNTERS_MS;
  chunkDueMs = now + CHUNK_MS;
  engineDueMs = now + COUNTERS_MS;
  // The first frame is the hello: it says that the arena is empty.
  if (level !== LEVEL_OFF) writeHello(now);
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

/** A slow engine needs long for these frames: what began at `now` is paid for by rest. */
function rest(now: number): void {
  const end = options!.nowMs();
  restUntilMs = end + (end - now) * (level > LEVEL_COUNTERS ? REST_TIMES : COUNTERS_REST_TIMES);
  // Counters would take every turn where a rest is longer than their period.
  if (countersDueMs === now + COUNTERS_MS) countersDueMs = restUntilMs + COUNTERS_MS;
}

/** When the next frame is due, with nothing sealed: as long as no record is written before. */
function nextDueMs(now: number): number {
  if (level !== options!.level) return now;
  if (level === LEVEL_OFF) return now + MOST_HOLD_MS;
  let due = helloDueMs;
  if (countersDueMs < due) due = countersDueMs;
  if (engineDueMs < due) due = engineDueMs;
  if (chunkDueMs < due) due = chunkDueMs;
  if (areRegionsStale() && regionsDueMs() < due) due = regionsDueMs();
  return recordsDueMs(restUntilMs - due > 0 ? restUntilMs : due);
}

/** The frames that come by the clock: one at most a call, so that the time it takes is bounded. True when there was one. */
function housekeeping(now: number): boolean {
  const isMortem = mortemDue && now - mortemFromMs >= 0;
  if (isNearlyFull() || (now - restUntilMs < 0 && !isMortem)) return false;
  if (now - helloDueMs >= 0 || !helloSaid) writeHello(now);
  else if (isMortem) writePostMortem(now);
  else if (areRegionsStale() && now - regionsDueMs() >= 0) writeRegions(now);
  else if (now - countersDueMs >= 0) writeCounters(now);
  else if (now - engineDueMs >= 0) writeEngine(now);
  else if (eventFrames >= FRAMES_PER_CHUNK || (sealed === 0 && (sweepAsked || now - chunkDueMs >= 0))) writeChunk(now);
  else return false;
  return true;
}

/** Opens a frame of `type` behind the records so far. Room is there: the caller asked `isNearlyFull`. */
function open(type: number): void {
  sealRecords();
  at = openFrame(type);
}

function put32(value: number): void {
  ring[at++] = value;
  ring[at++] = value >> 8;
  ring[at++] = value >> 16;
  ring[at++] = value >> 24;
}

function putVarint(value: number): void {
  at = putVarintAt(ring, at, value);
}

function writeHello(now: number): void {
  open(FRAME_HELLO);
  heap!.usableSize(0); // binds the heap: the walk below is its own
  ring[at++] = helloSaid ? 0 : HELLO_BOOT;
  helloSaid = true;
  put32(now);
  ring[at++] = options!.policyId;
  ring[at++] = level;
  putVarint(heap!.bytes);
  putVarint(options!.clockKhz);
  put32(options!.bundleId);
  putVarint(firstBlock());
  ring[at++] = sweepFirstHeaderBytes();
  sealFrame(at);
  helloDueMs = now + HELLO_MS;
  askForRegions(now);
}

function writeRegions(now: number): void {
  open(FRAME_REGIONS);
  heap!.usableSize(0); // binds the heap
  put32(now);
  at = putRegions(ring, at, openAt + FRAME_BYTES, now);
  sealFrame(at);
}

function writeCounters(now: number): void {
  open(FRAME_COUNTERS);
  put32(now);
  ring[at++] = level;
  putVarint(operations);
  putVarint(records);
  putVarint(dropped);
  putVarint(skipped);
  putVarint(frames);
  putVarint(liveBytes);
  putVarint(peakLiveBytes);
  putVarint(liveBlocks);
  putVarint(sweepFreeBytes());
  putVarint(sweepLargestFreeBytes());
  putVarint(failures);
  putVarint(misuses);
  sealFrame(at);
  countersDueMs = now + COUNTERS_MS;
}

function writeEngine(now: number): void {
  engineDueMs = now + ENGINE_MS;
  if (!sampleEngine()) return;
  open(FRAME_ENGINE);
  put32(now);
  ring[at++] = engineUnitBytes;
  putVarint(engineUsed);
  putVarint(engineTotal);
  putVarint(engineOwn);
  putVarint(engineSamples);
  sealFrame(at);
}

/** Of the request that failed last. */
function writePostMortem(now: number): void {
  open(FRAME_POST_MORTEM);
  mortemSent();
  mortemFromMs = now + COUNTERS_MS;
  put32(now);
  ring[at++] = logOf(mortemAlignment);
  putVarint(bounded(mortemSize));
  putVarint(mortemSite);
  putVarint(liveBytes);
  putVarint(peakLiveBytes);
  putVarint(sweepFreeBytes());
  putVarint(sweepLargestFreeBytes());
  putVarint(failures);
  sealFrame(at);
}

/** The next stretch of the map. The walk needs no more than a chunk's blocks at a time. */
function writeChunk(now: number): void {
  open(FRAME_MAP);
  heap!.usableSize(0); // binds the heap
  if (!sweepActive()) sweepBegin(heap!.bytes);
  ring[at + 1] = now;
  ring[at + 2] = now >> 8;
  ring[at + 3] = records;
  ring[at + 4] = records >> 8;
  const flagsAt = at;
  at = sweepChunk(ring, at, openAt + FRAME_BYTES, options!.nowMs);
  if (isAllTold()) ring[flagsAt] = ring[flagsAt]! | MAP_COMPLETE;
  sealFrame(at);
  chunkSent();
  // From now: on a slow engine the walk took its time.
  chunkDueMs = options!.nowMs() + (sweepActive() ? CHUNK_MS : SWEEP_PAUSE_MS);
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
  countersDueMs = now;
  setIdleUntil(now);
}
