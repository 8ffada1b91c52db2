/**
 * The sweep: a walk over the heap's blocks in small steps, with operations in between, for snapshots of the map.
 *
 * The sweep stands on a live block, whose start remains a block's start whatever happens around it: free neighbours
 * split and coalesce, a live block does not. When that block itself is about to be freed or moved, the heap calls
 * `sweepStep` first (it knows the block as `watchedOffset`), and the sweep goes on to the next live one.
 *
 *   [live][ free ][live][ free      ][live]          [live][ free ][live][ free                 ]
 *                  ^ stands here, about to be freed                               ^ (the next live block: the end)
 *
 * A chunk describes the blocks from where the sweep stands, in address order, as they are at that moment. What changes
 * behind it the host knows by the events, and what changes ahead of it, it will see. Damaged bookkeeping ends a sweep.
 */

import { MAP_ESCAPE, MAP_FIRST, MAP_FREE, MAP_LAST, MAP_LONGEST } from '../../wire/format.ts';
import { blockKind, blockPayload, firstBlock, locate, nextBlock, usableSize } from '../bound-policy.ts';
import { BLOCK_CONTROL, BLOCK_FREE, BLOCK_LIVE } from '../policy.ts';
import { isTellingMoves } from './moves.ts';

/** Payload offset of the live block on which the sweep stands; 0 when it stands on none. */
export let watchedOffset = 0;

/** Blocks walked in one step: at least so many, and more while it takes no longer than this. A Puck.js needs 7 ms a block. */
const LEAST_BLOCKS = 8;
const MOST_BLOCKS = 64;
const WALK_MS = 10;
/** Three escaped entries: marker, kind, four bytes of varint. */
const LONGEST_ENTRY_BYTES = 18;
/** flags, time, record number. */
const CHUNK_HEAD_BYTES = 5;

let active = false;
/** Where the sweep stands; 0 at the arena's end. */
let block = 0;
/** Where the watched block's payload lay when the sweep came to stand on it. */
let watchedPlace = 0;
let begun = false;
let arenaBytes = 0;
let headerBytes = 0;
let freeBytes = 0;
let largestFreeBytes = 0;
let lastFreeBytes = 0;
let lastLargestFreeBytes = 0;

export function sweepActive(): boolean {
  return active;
}

/** The next chunk starts over. */
export function sweepAbandon(): void {
  active = false;
  watchedOffset = 0;
}

/** Free bytes of the last complete sweep. */
export function sweepFreeBytes(): number {
  return lastFreeBytes;
}

/** Largest free block of the last complete sweep, header included. */
export function sweepLargestFreeBytes(): number {
  return lastLargestFreeBytes;
}

/** From a block's start to its payload, for the bound heap. */
export function sweepFirstHeaderBytes(): number {
  const start = firstBlock();
  return start === 0 ? 0 : -start & 7;
}

/** Starts over at the bound heap's first block. */
export function sweepBegin(bytes: number): void {
  active = true;
  begun = false;
  arenaBytes = bytes;
  freeBytes = 0;
  largestFreeBytes = 0;
  headerBytes = sweepFirstHeaderBytes();
  watchedOffset = 0;
  block = firstBlock();
}

/** Goes on to the next live block: the one it stands on is about to go. The heap is bound. */
export function sweepStep(): void {
  if (!active || block === 0) return;
  follow();
  standAfter(block);
}

/** The block after `from`, 0 at the arena's end, -1 when damaged bookkeeping leads nowhere. */
function after(from: number): number {
  const next = nextBlock(from);
  return next === 0 || (next > from && next < arenaBytes) ? next : -1;
}

function standAfter(start: number): void {
  let next = after(start);
  while (next > 0 && blockKind(next) !== BLOCK_LIVE) next = after(next);
  if (next < 0) sweepAbandon();
  else stand(next);
}

function stand(next: number): void {
  block = next;
  watchedOffset = next === 0 ? 0 : blockPayload(next);
  if (isTellingMoves) watchedPlace = locate(watchedOffset);
}

/** Where blocks move, the one that the sweep stands on may have. */
function follow(): void {
  if (!isTellingMoves || watchedOffset === 0) return;
  const place = locate(watchedOffset);
  block += place - watchedPlace;
  watchedPlace = place;
}

/**
 * Writes a chunk's payload to out[at..limit), the time and record number left to the caller. Returns where it ends.
 * The heap is bound and a sweep is active.
 */
export function sweepChunk(out: Uint8Array, from: number, limit: number, nowMs: () => number): number {
  follow();
  const startMs = nowMs();
  let at = from + CHUNK_HEAD_BYTES;
  let current = block;
  let walked = 0;
  const flagsAt = from;
  out[flagsAt] = begun ? 0 : MAP_FIRST;
  out[at++] = headerBytes;
  at = putVarintAt(out, at, current === 0 ? arenaBytes : current);
  // A chunk ends before a live block, because the sweep can stand on no other.
  while (current !== 0 && at + LONGEST_ENTRY_BYTES < limit) {
    const kind = blockKind(current);
    if (walked >= LEAST_BLOCKS && kind === BLOCK_LIVE && (walked >= MOST_BLOCKS || nowMs() - startMs >= WALK_MS)) break;
    const next = after(current);
    if (next < 0) {
      // The map ends where its bookkeeping is damaged; the next sweep tries again.
      sweepAbandon();
      return at;
    }
    // What the last arena's end leaves over is less than a granule. The end mark of another region's arena is told as it is:
    // what comes behind it keeps its place.
    let bytes = next === 0 ? (arenaBytes - current) & -8 : next - current;
    let rest = 0;
    if (kind === BLOCK_LIVE) {
      const name = blockPayload(current);
      const payload = locate(name);
      // An aligned payload may lie further behind the block's start: what is before its header is no part of it.
      const lead = (payload - current - headerBytes) & -8;
      if (lead > 0) at = entry(out, at, BLOCK_CONTROL, lead);
      // Nor is what lies behind the last block (buddy: no whole unit).
      if (next === 0) rest = (arenaBytes - payload - usableSize(name)) & -8;
      bytes -= lead + rest;
    }
    if (kind === BLOCK_FREE) {
      freeBytes += bytes;
      if (bytes > largestFreeBytes) largestFreeBytes = bytes;
    }
    if (bytes > 0) at = entry(out, at, kind, bytes);
    if (rest > 0) at = entry(out, at, BLOCK_CONTROL, rest);
    current = next;
    walked++;
  }
  begun = true;
  if (current !== 0 && blockKind(current) !== BLOCK_LIVE) standAfter(current);
  else stand(current);
  if (current === 0) {
    active = false;
    out[flagsAt] = out[flagsAt]! | MAP_LAST;
    lastFreeBytes = freeBytes;
    lastLargestFreeBytes = largestFreeBytes;
  }
  return at;
}

function entry(out: Uint8Array, from: number, kind: number, bytes: number): number {
  const granules = bytes >> 3;
  let at = from;
  if (kind < BLOCK_CONTROL && granules <= MAP_LONGEST) {
    out[at++] = kind === BLOCK_LIVE ? granules : MAP_FREE + granules - 1;
    return at;
  }
  out[at++] = MAP_ESCAPE;
  // MAP_KIND_ are the BLOCK_ of policy.ts.
  out[at++] = kind;
  return putVarintAt(out, at, bytes);
}

/** Writes a varint to out[from..), returns where it ends. */
export function putVarintAt(out: Uint8Array, from: number, value: number): number {
  let at = from;
  let rest = value;
  while (rest > 127) {
    out[at++] = (rest & 127) | 128;
    rest >>= 7;
  }
  out[at++] = rest;
  return at;
}
