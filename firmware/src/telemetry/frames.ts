/**
 * The frames that come by the clock, and when each is due: which heap it is, its regions, totals, the engine's own heap, the
 * last failed request, and the map in pieces. The format is docs/wire-format.md.
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
  MAP_COMPLETE,
} from '../../wire/format.ts';
import { firstBlock } from '../bound-policy.ts';
import type { Heap } from '../heap.ts';
import { engineOwn, engineSamples, engineTotal, engineUnitBytes, engineUsed, sampleEngine } from '../port.ts';
import { askForRegions, putRegions, regionsDueMs, startRegionReport, tellsRegions } from '../regions/report.ts';
import {
  bounded,
  failures,
  misuses,
  mortemAlignment,
  mortemDue,
  mortemSent,
  mortemSite,
  mortemSize,
} from './rare-records.ts';
import {
  chunkSent,
  dropped,
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
  skipped,
  sweepAsked,
} from './records.ts';
import { FRAME_BYTES, frames, isNearlyFull, openAt, openFrame, ring, sealed, sealFrame, setIdleUntil } from './ring.ts';
import {
  putVarintAt,
  sweepActive,
  sweepBegin,
  sweepChunk,
  sweepFirstHeaderBytes,
  sweepFreeBytes,
  sweepLargestFreeBytes,
} from './sweep.ts';
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
/** At level off nothing is due: it is asked again so late. */
const IDLE_MS = 60000;

/** What is recorded; null before it began. */
export let heap: Heap | null = null;
export let options: RecorderOptions | null = null;
let helloDueMs = 0;
let countersDueMs = 0;
let engineDueMs = 0;
/** A post-mortem goes before everything else, and no other follows before this: a program may fail at every turn. */
let mortemFromMs = 0;
let chunkDueMs = 0;
/** Nothing comes by the clock before this. */
let restUntilMs = 0;
let helloSaid = false;
/** Where the next byte goes. */
let at = 0;

/** The frames from now on are of this heap, which has no blocks yet. Returns the time. */
export function startFrames(recorded: Heap, chosen: RecorderOptions): number {
  heap = recorded;
  options = chosen;
  helloSaid = false;
  const now = chosen.nowMs();
  startRegionReport(recorded, now);
  helloDueMs = now;
  setIdleUntil(now);
  restUntilMs = mortemFromMs = now;
  countersDueMs = now + COUNTERS_MS;
  chunkDueMs = now + CHUNK_MS;
  engineDueMs = now + COUNTERS_MS;
  // The first frame is the hello: it says that the arena is empty.
  if (level !== LEVEL_OFF) writeHello(now);
  return now;
}

/** Totals are due: the level has changed. */
export function askForCounters(now: number): void {
  countersDueMs = now;
}

/** A slow engine needs long for these frames: what began at `now` is paid for by rest. */
export function rest(now: number): void {
  const end = options!.nowMs();
  restUntilMs = end + (end - now) * (level > LEVEL_COUNTERS ? REST_TIMES : COUNTERS_REST_TIMES);
  // Counters would take every turn where a rest is longer than their period.
  if (countersDueMs === now + COUNTERS_MS) countersDueMs = restUntilMs + COUNTERS_MS;
}

/** When the next frame is due, with nothing sealed: as long as no record is written before. */
export function nextDueMs(now: number): number {
  if (level !== options!.level) return now;
  if (level === LEVEL_OFF) return now + IDLE_MS;
  let due = helloDueMs;
  if (countersDueMs < due) due = countersDueMs;
  if (engineDueMs < due) due = engineDueMs;
  if (chunkDueMs < due) due = chunkDueMs;
  if (tellsRegions) due = regionsDueMs(due);
  return recordsDueMs(restUntilMs - due > 0 ? restUntilMs : due);
}

/** The frames that come by the clock: one at most a call, so that the time it takes is bounded. True when there was one. */
export function housekeeping(now: number): boolean {
  const isMortem = mortemDue && now - mortemFromMs >= 0;
  if (isNearlyFull() || (now - restUntilMs < 0 && !isMortem)) return false;
  if (now - helloDueMs >= 0 || !helloSaid) writeHello(now);
  else if (isMortem) writePostMortem(now);
  else if (tellsRegions && regionsDueMs(now + 1) <= now) writeRegions(now);
  else if (now - countersDueMs >= 0) writeCounters(now);
  else if (now - engineDueMs >= 0) writeEngine(now);
  else if (eventFrames >= FRAMES_PER_CHUNK || (sealed === 0 && (sweepAsked || now - chunkDueMs >= 0))) writeChunk(now);
  else return false;
  return true;
}

/** Opens a frame of `type` behind the records so far, and binds the heap. Room is there: the caller asked `isNearlyFull`. */
function open(type: number): void {
  sealRecords();
  heap!.bind();
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
