/**
 * The recorder: what the heap did, as frames for the line. Takes the place of observer.ts in a bundle with telemetry.
 *
 * One heap is recorded. Its operations are written as records (docs/wire-format.md) into the open frame of a bounded
 * ring of frames; `recorderDrain` gives finished frames to whoever owns the line, one at a time. Nothing here blocks,
 * throws or allocates per operation. When the ring is full, records are dropped and counted.
 *
 *   ring   [ sealed ][ sealed ][ open ->  ][        ]
 *            ^ first             ^ openAt
 *
 * Invariants
 *   W1  a frame is complete: its records refer to nothing outside it but the arena
 *   W2  frames leave in the order in which they were sealed, with consecutive sequence numbers
 *   W3  a map chunk stands between the records before and after the moment at which it was walked
 *   W4  each operation is recorded, counted as dropped (no room) or counted as skipped (the level), exactly one of them
 */
import {
  EVENTS_SAMPLED,
  FRAME_COUNTERS,
  FRAME_ENGINE,
  FRAME_EVENTS,
  FRAME_HELLO,
  FRAME_MAP,
  FRAME_POST_MORTEM,
  FREE_FAR_GRANULES,
  FREE_GRANULES,
  FREE_NEAR_BIAS,
  HEAD_BYTES,
  HELLO_BOOT,
  LEVEL_COUNTERS,
  LEVEL_EVENTS,
  LEVEL_OFF,
  LEVEL_SAMPLED,
  LONG_SIZE_VARINT,
  LONG_SIZES,
  MAP_COMPLETE,
  MAX_PAYLOAD_BYTES,
  PLACE_GRANULES,
  PLACE_VARINT,
  RECENT_ENTRIES,
  RECORD_FAILED,
  RECORD_FREE,
  RECORD_FREE_FAR,
  RECORD_FREE_FURTHER,
  RECORD_FREE_NEAR,
  RECORD_FREE_RECENT,
  RECORD_MALLOC_PREDICTED,
  RECORD_MARK,
  RECORD_MEMALIGN,
  RECORD_MISUSE,
  RECORD_REALLOC_IN_PLACE,
  RECORD_REALLOC_MOVED,
  RECORD_REALLOC_PREDICTED,
  RECORD_SITE,
  RECORD_SLACK,
  RECORD_UNRECORDED,
  RECORD_USABLE,
  SHORT_SIZES,
  SITE_ENTRIES,
  SIZE_VARINT,
  WIRE_VERSION,
} from '../wire/format.ts';
import { encodeFrame } from '../wire/frame.ts';
import { firstBlock, locate } from './bound-policy.ts';
import type { Heap } from './heap.ts';
import { engineOwn, engineSamples, engineTotal, engineUnitBytes, engineUsed, sampleEngine } from './port.ts';
import {
  sweepAbandon,
  sweepActive,
  sweepBegin,
  sweepChunk,
  sweepFirstHeaderBytes,
  sweepFreeBytes,
  sweepLargestFreeBytes,
  sweepStep,
  watchedOffset,
} from './sweep.ts';

export { watchedOffset };

/** See observer.ts. */
export const isObserving = true;

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

const FRAME_BYTES = HEAD_BYTES + MAX_PAYLOAD_BYTES;
/** No record is longer: site, usable, realloc with two far places and a long size. */
const LONGEST_RECORD_BYTES = 26;
/** flags, time, record number. */
const EVENTS_HEAD_BYTES = 5;
/** An open frame is sent after this, however short. */
const FLUSH_MS = 100;
const COUNTERS_MS = 1000;
/** Between two samples of the engine's own heap: on Espruino one takes some milliseconds. */
const ENGINE_MS = 10000;
const HELLO_MS = 5000;
/** Pause between two sweeps of the map when no loss asks for one: who attaches late waits so long at most. */
const SWEEP_PAUSE_MS = 4000;
const CHUNK_MS = 100;
/** A map chunk goes between this many event frames when the line is busy: three per cent of it. */
const FRAMES_PER_CHUNK = 16;
/** At the sampled level one operation in this many is recorded. */
const SAMPLE_EVERY = 16;
/** Quiet time before a step back up; doubles with each relapse, up to the most. */
const HOLD_MS = 2000;
const MOST_HOLD_MS = 60000;

/** Larger or senseless values are sent as this (2^27 - 1). */
const MOST_VALUE = 0x7ffffff;

let heap: Heap | null = null;
let heapId = 0;
let options: RecorderOptions | null = null;
let level = LEVEL_OFF;

let ring = new Uint8Array(0);
let ringFrames = 0;
let first = 0;
let sealed = 0;
let sequence = 0;
/** Start of the open frame in the ring, -1 when the ring is full. */
let openAt = -1;
/** Where the next byte goes. */
let at = 0;
/** The frame is sealed when `at` has passed this. */
let limit = 0;
let openedMs = 0;

const recent = new Uint16Array(RECENT_ENTRIES);
const sites = new Uint16Array(SITE_ENTRIES);
const noRecent = new Uint16Array(RECENT_ENTRIES);
const noSites = new Uint16Array(SITE_ENTRIES);
/** The last block made, and its end: the next one is expected behind it, or before it where blocks grow downward. */
let lastMade = 0;
let bump = 0;
let downward = false;
/** The last block freed that was not a recent one. */
let lastFreed = 0;
let overhead = 0;
let overheadKnown = false;
/** Blocks move: no events, no map. */
let moving = false;

let operations = 0;
let records = 0;
let dropped = 0;
let unrecordedSaid = 0;
let skipped = 0;
let frames = 0;
let liveBytes = 0;
let peakLiveBytes = 0;
let liveBlocks = 0;
let failures = 0;
let misuses = 0;
let untilSample = 0;

/** Before this there is nothing to send: `recorderDrain` need not be called. */
export let idleUntilMs = 0;
let helloDueMs = 0;
let countersDueMs = 0;
let engineDueMs = 0;
let chunkDueMs = 0;
let eventFrames = 0;
let helloSaid = false;
let mortemSize = 0;
let mortemAlignment = 8;
let mortemSite = 0;
let mortemDue = false;
let droppedSeen = 0;
let calmSinceMs = 0;
let holdMs = HOLD_MS;

/** Starts recording `recorded`, a heap without blocks yet. */
export function recorderStart(recorded: Heap, chosen: RecorderOptions): void {
  heap = recorded;
  heapId = recorded.id;
  options = chosen;
  level = chosen.level;
  ringFrames = Math.max(chosen.ringFrames, 3);
  ring = new Uint8Array(ringFrames * FRAME_BYTES);
  sweepAbandon();
  first = sealed = sequence = 0;
  openAt = -1;
  overhead = 0;
  overheadKnown = moving = false;
  operations = records = dropped = unrecordedSaid = skipped = frames = 0;
  liveBytes = peakLiveBytes = liveBlocks = failures = misuses = untilSample = 0;
  eventFrames = mortemSize = droppedSeen = 0;
  helloSaid = mortemDue = false;
  holdMs = HOLD_MS;
  const now = chosen.nowMs();
  calmSinceMs = helloDueMs = idleUntilMs = now;
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

/** Puts a mark of the program's own into the stream: "here the download began". */
export function recorderMark(id: number): void {
  if (level < LEVEL_SAMPLED || !roomForRecord()) return;
  ring[at++] = RECORD_MARK;
  putVarint(bounded(id));
  endRecord();
}

export function observeMalloc(heapNumber: number, site: number, size: number, offset: number, usable: number): void {
  if (heapNumber !== heapId) return;
  operations++;
  liveBlocks++;
  liveBytes += usable;
  if (liveBytes > peakLiveBytes) peakLiveBytes = liveBytes;
  if (level !== LEVEL_EVENTS && !isSampled()) return;
  if (openAt < 0 && !roomForRecord()) return;
  if (!overheadKnown && !staysPut(offset)) return;
  const granule = offset >> 3;
  const granules = putBlock(site, size, usable);
  const code = granule === (downward ? lastMade - granules : bump) ? RECORD_MALLOC_PREDICTED : 0;
  if (size < SHORT_SIZES) ring[at++] = code | size;
  else putLongSize(code, size);
  if (code === 0) {
    if (granule === (downward ? bump : lastMade - granules)) downward = !downward;
    putPlace(granule);
  }
  recent[granule & 63] = granule;
  lastMade = granule;
  bump = granule + granules;
  records++;
  if (at > limit) seal();
}

export function observeFree(heapNumber: number, _site: number, offset: number, usable: number): void {
  if (heapNumber !== heapId) return;
  operations++;
  liveBlocks--;
  liveBytes -= usable;
  if (level !== LEVEL_EVENTS && !isSampled()) return;
  if (openAt < 0 && !roomForRecord()) return;
  const granule = offset >> 3;
  const entry = granule & 63;
  if (recent[entry] === granule) ring[at++] = RECORD_FREE_RECENT | entry;
  else {
    recent[entry] = granule;
    const distance = granule - lastFreed + FREE_NEAR_BIAS;
    lastFreed = granule;
    if (granule < FREE_GRANULES) {
      ring[at++] = RECORD_FREE | (granule >> 8);
      ring[at++] = granule;
    } else if (distance >= 0 && distance < 256) {
      ring[at++] = RECORD_FREE_NEAR;
      ring[at++] = distance;
    } else if (granule < FREE_FAR_GRANULES) {
      ring[at++] = RECORD_FREE_FAR;
      ring[at++] = granule;
      ring[at++] = granule >> 8;
    } else {
      ring[at++] = RECORD_FREE_FURTHER;
      putVarint(granule);
    }
  }
  records++;
  if (at > limit) seal();
}

export function observeRealloc(
  heapNumber: number,
  site: number,
  offset: number,
  size: number,
  newOffset: number,
  usable: number,
  held: number,
): void {
  if (heapNumber !== heapId) return;
  operations++;
  liveBytes += usable - held;
  if (liveBytes > peakLiveBytes) peakLiveBytes = liveBytes;
  if (level !== LEVEL_EVENTS && !isSampled()) return;
  if (openAt < 0 && !roomForRecord()) return;
  const granules = putBlock(site, size, usable);
  const granule = newOffset >> 3;
  const code =
    newOffset === offset
      ? RECORD_REALLOC_IN_PLACE
      : granule === (downward ? lastMade - granules : bump)
        ? RECORD_REALLOC_PREDICTED
        : RECORD_REALLOC_MOVED;
  ring[at++] = code;
  putPlace(offset >> 3);
  recent[(offset >> 3) & 63] = offset >> 3;
  const beyond = size - LONG_SIZES;
  if (beyond < 0) ring[at++] = size;
  else if (beyond < (LONG_SIZE_VARINT - LONG_SIZES) << 8) {
    ring[at++] = LONG_SIZES + (beyond >> 8);
    ring[at++] = beyond;
  } else {
    ring[at++] = LONG_SIZE_VARINT;
    putVarint(size);
  }
  if (code === RECORD_REALLOC_MOVED) {
    if (granule === (downward ? bump : lastMade - granules)) downward = !downward;
    putPlace(granule);
  }
  recent[granule & 63] = granule;
  lastMade = granule;
  bump = granule + granules;
  endRecord();
}

export function observeMemalign(
  heapNumber: number,
  site: number,
  alignment: number,
  size: number,
  offset: number,
  usable: number,
): void {
  if (heapNumber !== heapId) return;
  operations++;
  liveBlocks++;
  liveBytes += usable;
  if (liveBytes > peakLiveBytes) peakLiveBytes = liveBytes;
  if (level !== LEVEL_EVENTS && !isSampled()) return;
  if (openAt < 0 && !roomForRecord()) return;
  const granules = putBlock(site, size, usable);
  ring[at++] = RECORD_MEMALIGN;
  ring[at++] = logOf(alignment);
  putVarint(size);
  putPlace(offset >> 3);
  recent[(offset >> 3) & 63] = offset >> 3;
  lastMade = offset >> 3;
  bump = lastMade + granules;
  endRecord();
}

export function observeFailure(
  heapNumber: number,
  site: number,
  offset: number,
  alignment: number,
  size: number,
): void {
  if (heapNumber !== heapId) return;
  failures++;
  if (size !== mortemSize || site !== mortemSite) {
    mortemSize = size;
    mortemAlignment = alignment;
    mortemSite = site;
    mortemDue = true;
    idleUntilMs = 0;
  }
  if (level < LEVEL_SAMPLED || !roomForRecord()) return;
  if (site !== 0) putSite(site);
  ring[at++] = RECORD_FAILED;
  ring[at++] = logOf(alignment);
  putVarint(bounded(size));
  putVarint(bounded(offset) >> 3);
  endRecord();
}

export function observeMisuse(heapNumber: number, site: number, offset: number, code: number): void {
  if (heapNumber !== heapId) return;
  misuses++;
  if (level < LEVEL_SAMPLED || !roomForRecord()) return;
  if (site !== 0) putSite(site);
  ring[at++] = RECORD_MISUSE;
  ring[at++] = code;
  putVarint(bounded(offset));
  endRecord();
}

/** The heap is about to free or move the block at which the sweep stands: it steps past it first. */
export function observeWatched(heapNumber: number): void {
  if (heapNumber === heapId) sweepStep();
}

/**
 * Writes the next frame to `out` (at least MAX_FRAME_BYTES) and returns its length, 0 when there is nothing to send.
 * Call it while the line has room, from a timer.
 */
export function recorderDrain(out: Uint8Array): number {
  if (heap === null || options === null) return 0;
  const now = options.nowMs();
  adaptLevel(now);
  if (level !== LEVEL_OFF) {
    if (openAt >= 0 && at > openAt + HEAD_BYTES + EVENTS_HEAD_BYTES && sealed === 0 && now - openedMs >= FLUSH_MS)
      seal();
    housekeeping(now);
  }
  if (sealed === 0) {
    idleUntilMs = nextDueMs(now);
    return 0;
  }
  const from = first * FRAME_BYTES;
  const length = encodeFrame(ring, from, HEAD_BYTES + ring[from]!, out);
  first = first + 1 === ringFrames ? 0 : first + 1;
  sealed--;
  return length;
}

/** When the next frame is due, with nothing sealed: as long as no record is written before. */
function nextDueMs(now: number): number {
  if (level !== options!.level) return now;
  if (level === LEVEL_OFF) return now + MOST_HOLD_MS;
  let due = helloDueMs;
  if (countersDueMs < due) due = countersDueMs;
  if (engineDueMs < due) due = engineDueMs;
  if (!moving && chunkDueMs < due) due = chunkDueMs;
  return openAt >= 0 && openedMs + FLUSH_MS < due ? openedMs + FLUSH_MS : due;
}

/** The frames that come by the clock: one at most a call, so that the time it takes is bounded. */
function housekeeping(now: number): void {
  if (sealed + 1 >= ringFrames) return;
  if (now - helloDueMs >= 0 || !helloSaid) writeHello(now);
  else if (mortemDue) writePostMortem(now);
  else if (now - countersDueMs >= 0) writeCounters(now);
  else if (now - engineDueMs >= 0) writeEngine(now);
  else if (moving) return;
  else if (eventFrames >= FRAMES_PER_CHUNK || (sealed === 0 && now - chunkDueMs >= 0)) writeChunk(now);
}

/** Opens a frame of `type` after the sealed ones; false when the ring is full. */
function open(type: number): boolean {
  if (sealed >= ringFrames) return false;
  let slot = first + sealed;
  if (slot >= ringFrames) slot -= ringFrames;
  openAt = slot * FRAME_BYTES;
  ring[openAt + 1] = (WIRE_VERSION << 5) | type;
  at = openAt + HEAD_BYTES;
  return true;
}

/** Closes the open frame; the drain takes it from here. */
function close(): void {
  ring[openAt] = at - openAt - HEAD_BYTES;
  ring[openAt + 2] = sequence;
  sequence = (sequence + 1) & 0xff;
  frames++;
  sealed++;
  idleUntilMs = 0;
  openAt = -1;
}

function openEvents(): boolean {
  if (!open(FRAME_EVENTS)) return false;
  ring[at] = level === LEVEL_SAMPLED ? overhead | EVENTS_SAMPLED : overhead;
  ring[at + 3] = records;
  ring[at + 4] = records >> 8;
  at += EVENTS_HEAD_BYTES;
  limit = openAt + FRAME_BYTES - LONGEST_RECORD_BYTES;
  openedMs = options!.nowMs();
  if (openedMs + FLUSH_MS < idleUntilMs) idleUntilMs = openedMs + FLUSH_MS;
  recent.set(noRecent);
  sites.set(noSites);
  bump = 0;
  lastMade = 0;
  downward = false;
  lastFreed = 0;
  // A sampled frame says by its flag that operations are missing.
  if (level === LEVEL_EVENTS && dropped + skipped !== unrecordedSaid) {
    ring[at++] = RECORD_UNRECORDED;
    putVarint(dropped + skipped - unrecordedSaid);
    unrecordedSaid = dropped + skipped;
    records++;
    // What was swept before is no longer certain: start over, and soon.
    sweepAbandon();
    chunkDueMs = openedMs;
  }
  return true;
}

/** Closes the open frame if it holds records; takes it back if it does not. */
function seal(): void {
  if (openAt < 0) return;
  if (at === openAt + HEAD_BYTES + EVENTS_HEAD_BYTES) {
    openAt = -1;
    return;
  }
  const now = options!.nowMs();
  ring[openAt + HEAD_BYTES + 1] = now;
  ring[openAt + HEAD_BYTES + 2] = now >> 8;
  close();
  eventFrames++;
}

/** True when a record can be written now. Otherwise the record is dropped, and counted. */
function roomForRecord(): boolean {
  if (openAt >= 0 || openEvents()) return true;
  dropped++;
  return false;
}

/** True when this operation is one of those that the level records. */
function isSampled(): boolean {
  if (level === LEVEL_SAMPLED && --untilSample <= 0) {
    untilSample = SAMPLE_EVERY;
    return true;
  }
  skipped++;
  return false;
}

function endRecord(): void {
  records++;
  if (at > limit) seal();
}

function putVarint(value: number): void {
  let rest = value;
  while (rest > 127) {
    ring[at++] = (rest & 127) | 128;
    rest >>= 7;
  }
  ring[at++] = rest;
}

function putSite(site: number): void {
  ring[at++] = RECORD_SITE;
  putVarint(site);
}

/** The prefixes of a record that makes a block: its site, and its size where that is not what the request needs. */
function putBlock(site: number, size: number, usable: number): number {
  if (!overheadKnown) learnOverhead((8 - (usable & 7)) & 7);
  const granules = (usable + overhead + 7) >> 3;
  if (site !== sites[granules & 31]) {
    sites[granules & 31] = site;
    putSite(site);
  }
  const needed = (size + overhead + 7) >> 3;
  if (needed * 8 - overhead !== usable) {
    const slack = granules - needed;
    if (slack > 0 && slack <= 16 && granules * 8 - overhead === usable) ring[at++] = RECORD_SLACK + slack - 1;
    else {
      ring[at++] = RECORD_USABLE;
      putVarint(usable);
    }
  }
  return granules;
}

/**
 * False for a policy that hands out handles and moves blocks: what it returns is no address, and no event tells where a
 * block went. Its heap is told by counters alone.
 */
function staysPut(offset: number): boolean {
  if (locate(offset) === offset) return true;
  moving = true;
  skipped++;
  options!.level = LEVEL_COUNTERS;
  setLevel(LEVEL_COUNTERS, options!.nowMs());
  return false;
}

/** Payloads are multiples of 8, so a usable size tells the bookkeeping of a block modulo 8. */
function learnOverhead(bytes: number): void {
  overheadKnown = true;
  overhead = bytes;
  if (openAt >= 0) ring[openAt + HEAD_BYTES] = bytes | (ring[openAt + HEAD_BYTES]! & EVENTS_SAMPLED);
}

function putLongSize(code: number, size: number): void {
  const rest = size - SHORT_SIZES;
  if (rest < (SIZE_VARINT - SHORT_SIZES) << 8) {
    ring[at++] = code | (SHORT_SIZES + (rest >> 8));
    ring[at++] = rest;
  } else {
    ring[at++] = code | SIZE_VARINT;
    putVarint(size);
  }
}

function putPlace(granule: number): void {
  if (recent[granule & 63] === granule) ring[at++] = granule & 63;
  else if (granule < PLACE_GRANULES) {
    ring[at++] = RECENT_ENTRIES + (granule >> 8);
    ring[at++] = granule;
  } else {
    ring[at++] = PLACE_VARINT;
    putVarint(granule);
  }
}

/** What a faulty program passed, within what a varint carries. */
function bounded(value: number): number {
  return value >= 0 && value <= MOST_VALUE ? value | 0 : MOST_VALUE;
}

function put32(value: number): void {
  ring[at++] = value;
  ring[at++] = value >> 8;
  ring[at++] = value >> 16;
  ring[at++] = value >> 24;
}

function logOf(alignment: number): number {
  let log = 0;
  while (1 << log < alignment && log < 31) log++;
  return log;
}

function writeHello(now: number): void {
  seal();
  if (!open(FRAME_HELLO)) return;
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
  close();
  helloDueMs = now + HELLO_MS;
}

function writeCounters(now: number): void {
  seal();
  if (!open(FRAME_COUNTERS)) return;
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
  close();
  countersDueMs = now + COUNTERS_MS;
}

function writeEngine(now: number): void {
  engineDueMs = now + ENGINE_MS;
  if (!sampleEngine()) return;
  seal();
  if (!open(FRAME_ENGINE)) return;
  put32(now);
  ring[at++] = engineUnitBytes;
  putVarint(engineUsed);
  putVarint(engineTotal);
  putVarint(engineOwn);
  putVarint(engineSamples);
  close();
}

function writePostMortem(now: number): void {
  seal();
  if (!open(FRAME_POST_MORTEM)) return;
  mortemDue = false;
  put32(now);
  ring[at++] = logOf(mortemAlignment);
  putVarint(bounded(mortemSize));
  putVarint(mortemSite);
  putVarint(liveBytes);
  putVarint(peakLiveBytes);
  putVarint(sweepFreeBytes());
  putVarint(sweepLargestFreeBytes());
  putVarint(failures);
  close();
}

/** The next stretch of the map. The walk needs no more than a chunk's blocks at a time. */
function writeChunk(now: number): void {
  seal();
  if (!open(FRAME_MAP)) return;
  heap!.usableSize(0); // binds the heap
  if (!sweepActive()) sweepBegin(heap!.bytes);
  ring[at + 1] = now;
  ring[at + 2] = now >> 8;
  ring[at + 3] = records;
  ring[at + 4] = records >> 8;
  const flagsAt = at;
  at = sweepChunk(ring, at, openAt + FRAME_BYTES, options!.nowMs);
  if (dropped + skipped === unrecordedSaid) ring[flagsAt] = ring[flagsAt]! | MAP_COMPLETE;
  close();
  eventFrames = 0;
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
  seal();
  level = next;
  untilSample = 0;
  // The host learns of it by the next counters.
  countersDueMs = idleUntilMs = now;
}
