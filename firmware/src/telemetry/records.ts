/**
 * The records: one for each operation, written into the open EVENTS frame in the shortest of the forms that
 * docs/wire-format.md lists; and the totals that are kept at every level.
 *
 * The heap calls the functions `observe...` (observer.ts says what they are told). Nothing here blocks, throws or
 * allocates per operation: when the ring has no room, a record is dropped and counted.
 *
 * Invariants
 *   W1  a frame is complete: its records refer to nothing outside it but the arena
 *   W4  each operation is recorded, counted as dropped (no room) or counted as skipped (the level), exactly one of them
 */
import {
  EVENTS_SAMPLED,
  FRAME_EVENTS,
  FREE_FAR_GRANULES,
  FREE_GRANULES,
  FREE_NEAR_BIAS,
  HEAD_BYTES,
  LEVEL_EVENTS,
  LEVEL_OFF,
  LEVEL_SAMPLED,
  LONG_SIZE_VARINT,
  LONG_SIZES,
  PLACE_GRANULES,
  PLACE_VARINT,
  RECENT_ENTRIES,
  RECORD_FREE,
  RECORD_FREE_FAR,
  RECORD_FREE_FURTHER,
  RECORD_FREE_NEAR,
  RECORD_FREE_RECENT,
  RECORD_MALLOC_PREDICTED,
  RECORD_MEMALIGN,
  RECORD_PACKED,
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
} from '../../wire/format.ts';
import { locate } from '../bound-policy.ts';
import { HAS_RECORDS } from './has-records.ts';
import { forgetMoves, isTellingMoves, leftGranule, MOST_MOVES, moveCount, moveWord } from './moves.ts';
import { dropFrame, FRAME_BYTES, idleUntilMs, openAt, openFrame, ring, sealFrame, setIdleUntil } from './ring.ts';
import { putVarintAt, sweepAbandon, sweepStep, watchedOffset } from './sweep.ts';

export { watchedOffset };

/** See observer.ts. */
export const isObserving = true;

/** No record is longer: site, usable, realloc with two far places and a long size. */
const LONGEST_RECORD_BYTES = 26;
/** flags, time, record number. */
const EVENTS_HEAD_BYTES = 5;
/** An open frame is sent after this, however short. */
const FLUSH_MS = 100;
/** At the sampled level one operation in this many is recorded. */
const SAMPLE_EVERY = 16;
/** The level in force: what was asked for, or less while the line is saturated. */
export let level = LEVEL_OFF;

/** Number of the heap that is recorded. */
export let heapId = 0;
let clock: () => number;
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

export let operations = 0;
export let records = 0;
export let dropped = 0;
export let skipped = 0;
export let liveBytes = 0;
export let peakLiveBytes = 0;
export let liveBlocks = 0;
/** Dropped and skipped operations that the line was told of. */
let unrecordedSaid = 0;
let untilSample = 0;

/** EVENTS frames since the last map chunk. */
export let eventFrames = 0;
/** A map is asked for at once: what was swept before is no longer certain. */
export let sweepAsked = false;
/** Starts the records of the heap with number `id`, which has no blocks yet. */
export function startRecords(id: number, nowMs: () => number): void {
  heapId = id;
  clock = nowMs;
  overhead = 0;
  overheadKnown = false;
  operations = records = dropped = unrecordedSaid = skipped = 0;
  liveBytes = peakLiveBytes = liveBlocks = untilSample = 0;
  eventFrames = 0;
  sweepAsked = false;
}

/** Records from now on are those of another level. */
export function enterLevel(next: number): void {
  sealRecords();
  level = next;
  untilSample = 0;
}

/** Every operation before the next record was recorded, or the line was told that it was not. */
export function isAllTold(): boolean {
  return dropped + skipped === unrecordedSaid;
}

export function chunkSent(): void {
  eventFrames = 0;
  sweepAsked = false;
}

/** Says how many operations went untold: a program that rests makes no record that would. */
export function tellUnrecorded(): void {
  if (HAS_RECORDS === 1 && openAt < 0 && level === LEVEL_EVENTS && !isAllTold()) openEvents();
}

/** Seals the open frame when it holds records and is old enough. */
export function sealStale(now: number): void {
  if (HAS_RECORDS === 1 && openAt >= 0 && at > openAt + HEAD_BYTES + EVENTS_HEAD_BYTES && now - openedMs >= FLUSH_MS)
    sealRecords();
}

/** When the open frame is to be sent, `due` if there is none or that is earlier. */
export function recordsDueMs(due: number): number {
  return openAt >= 0 && openedMs + FLUSH_MS < due ? openedMs + FLUSH_MS : due;
}

export function observeMalloc(heapNumber: number, site: number, size: number, offset: number, usable: number): void {
  if (heapNumber !== heapId) {
    forgetMoves();
    return;
  }
  operations++;
  liveBlocks++;
  liveBytes += usable;
  if (liveBytes > peakLiveBytes) peakLiveBytes = liveBytes;
  if (moveCount !== 0 && !putMoves()) return;
  if (HAS_RECORDS === 0) skipped++;
  if (HAS_RECORDS === 0 || (level !== LEVEL_EVENTS && !isSampled())) return;
  if (openAt < 0 && !roomForRecord()) return;
  const granule = locate(offset) >> 3;
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
  if (at > limit) sealRecords();
}

export function observeFree(heapNumber: number, _site: number, offset: number, usable: number): void {
  if (heapNumber !== heapId) {
    forgetMoves();
    return;
  }
  operations++;
  liveBlocks--;
  liveBytes -= usable;
  if (HAS_RECORDS === 0) skipped++;
  if (HAS_RECORDS === 0 || (level !== LEVEL_EVENTS && !isSampled())) return;
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
  if (at > limit) sealRecords();
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
  if (heapNumber !== heapId) {
    forgetMoves();
    return;
  }
  operations++;
  liveBytes += usable - held;
  if (liveBytes > peakLiveBytes) peakLiveBytes = liveBytes;
  const left = leftGranule;
  if (isTellingMoves && (moveCount !== 0 || left !== 0) && !putMoves()) return;
  if (HAS_RECORDS === 0) skipped++;
  if (HAS_RECORDS === 0 || (level !== LEVEL_EVENTS && !isSampled())) return;
  if (openAt < 0 && !roomForRecord()) return;
  const granules = putBlock(site, size, usable);
  const granule = locate(newOffset) >> 3;
  // Where blocks move, the moves were told before.
  const old = isTellingMoves && (left !== 0 || newOffset === offset) ? left || granule : offset >> 3;
  const code =
    old === granule
      ? RECORD_REALLOC_IN_PLACE
      : granule === (downward ? lastMade - granules : bump)
        ? RECORD_REALLOC_PREDICTED
        : RECORD_REALLOC_MOVED;
  ring[at++] = code;
  putPlace(old);
  recent[old & 63] = old;
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
  if (heapNumber !== heapId) {
    forgetMoves();
    return;
  }
  operations++;
  liveBlocks++;
  liveBytes += usable;
  if (liveBytes > peakLiveBytes) peakLiveBytes = liveBytes;
  if (moveCount !== 0 && !putMoves()) return;
  if (HAS_RECORDS === 0) skipped++;
  if (HAS_RECORDS === 0 || (level !== LEVEL_EVENTS && !isSampled())) return;
  if (openAt < 0 && !roomForRecord()) return;
  const granules = putBlock(site, size, usable);
  ring[at++] = RECORD_MEMALIGN;
  ring[at++] = logOf(alignment);
  putVarint(size);
  const granule = locate(offset) >> 3;
  putPlace(granule);
  recent[granule & 63] = granule;
  lastMade = granule;
  bump = granule + granules;
  endRecord();
}

/** The heap is about to free or move the block at which the sweep stands: it steps past it first. */
export function observeWatched(heapNumber: number): void {
  if (heapNumber === heapId) sweepStep();
}

function openEvents(): boolean {
  at = openFrame(FRAME_EVENTS);
  if (at === 0) return false;
  ring[at] = level === LEVEL_SAMPLED ? overhead | EVENTS_SAMPLED : overhead;
  ring[at + 3] = records;
  ring[at + 4] = records >> 8;
  at += EVENTS_HEAD_BYTES;
  limit = openAt + FRAME_BYTES - LONGEST_RECORD_BYTES;
  openedMs = clock();
  if (openedMs + FLUSH_MS < idleUntilMs) setIdleUntil(openedMs + FLUSH_MS);
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
    sweepAsked = true;
  }
  return true;
}

/** Closes the open frame if it holds records; takes it back if it does not. */
export function sealRecords(): void {
  if (HAS_RECORDS === 0 || openAt < 0) return;
  if (at === openAt + HEAD_BYTES + EVENTS_HEAD_BYTES) {
    dropFrame();
    return;
  }
  const now = clock();
  ring[openAt + HEAD_BYTES + 1] = now;
  ring[openAt + HEAD_BYTES + 2] = now >> 8;
  sealFrame(at);
  eventFrames++;
}

/** True when a record can be written now. Otherwise the record is dropped, and counted. */
export function roomForRecord(): boolean {
  if (openAt >= 0 || openEvents()) return true;
  dropped++;
  return false;
}

/**
 * Writes what moved during the operation that is about to be recorded. False when that cannot be told: then the operation is
 * not recorded either, and counted as dropped.
 */
export function putMoves(): boolean {
  const moves = moveCount;
  forgetMoves();
  if (HAS_RECORDS === 0 || level !== LEVEL_EVENTS) return true;
  if (moves > MOST_MOVES) {
    sealRecords();
    dropped++;
    return false;
  }
  for (let i = 0; i < moves; i++) {
    if (!roomForRecord()) return false;
    ring[at++] = RECORD_PACKED;
    putPlace(moveWord(i, 0));
    putVarint(moveWord(i, 1) - moveWord(i, 0));
    putPlace(moveWord(i, 2));
    endRecord();
  }
  return true;
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

export function endRecord(): void {
  records++;
  if (at > limit) sealRecords();
}

export function putByte(value: number): void {
  ring[at++] = value;
}

export function putVarint(value: number): void {
  at = putVarintAt(ring, at, value);
}

export function putSite(site: number): void {
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

export function logOf(alignment: number): number {
  let log = 0;
  while (1 << log < alignment && log < 31) log++;
  return log;
}
