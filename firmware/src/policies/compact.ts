/**
 * Compact: blocks that move. malloc gives a handle; `locate` says where its payload lies now. A table below the blocks has
 * a word for each handle, in the order of their blocks; nothing but payloads lies among the blocks.
 *
 *   offset 0                                                                                                     END * 8
 *   [ control ][ END ][ 1 ][ 2 ] ... [ n ][ pin ] .. [ pin ][ room ........ ][ block n ] ... [ hole 3 ][ block 2 ][ block 1 ]
 *
 *   control   16-bit words [ check ][ handles ][ pins ][ gap ][ free handles ][ upward ]
 *   table     one 16-bit word a handle: where its block begins, and whether it is free (handle-table.ts)
 *   gap       the free handle whose hole serves the next request, 0 for none
 *
 *   malloc    takes the gap's handle and hole; or a new handle below the last; or the gap wanders (packing.ts), past blocks
 *             that move, and takes up other holes
 *   free      makes the block a hole, which keeps its handle
 *   realloc   takes from the holes beside the block; else gives a new place, which is a new handle; else others make room
 *
 * While no more than a quarter of the handles are free, room goes to new ones: so the gap passes a few blocks a request.
 *
 * Bound: malloc and realloc go through the table at most seven times and move each live byte at most three times; free and
 * locate do not loop. A pin is one more step wherever the gap passes. host/bench/steps.ts has it as numbers. Overhead:
 * rounding to 8 bytes, and 2 bytes a handle; control 14 bytes. A granule has 15 bits: of an arena at most 256 KB are used.
 *
 * Invariants (check() returns the number)
 *   1  the table, pins included, ends where the lowest block begins or before
 *   2  no handle begins above the one before it, and a live one begins below
 *   3  each pin is a live handle's, and no two are the same one's
 *   4  free handles are as many as counted, and the gap is one of them or 0
 */
import { u16 } from '../arena.ts';
import { moveBytes } from '../copy.ts';
import { MISUSE_NOT_LIVE, MISUSE_WILD } from '../policy.ts';
import { noteLeft, noteMoved } from '../telemetry/moves.ts';
import {
  addHandle,
  CHECK,
  ENTRY,
  endOfTable,
  FREE_BIT,
  FREES,
  floorOf,
  GAP,
  HANDLES,
  isFree,
  isLive,
  isPinned,
  isTable,
  lengthOf,
  MAX_END,
  PINS,
  pin,
  startOf,
  trim,
  unpin,
} from './handle-table.ts';
import { packUp, serve, wander } from './packing.ts';

export { blockKind, blockPayload, check, checkOffset, firstBlock, nextBlock } from './compact-walk.ts';
export { pin, unpin } from './handle-table.ts';

const MAX_REQUEST_BYTES = MAX_END << 3;

export function init(arenaBytes: number): number {
  const end = Math.min(arenaBytes >> 3, MAX_END);
  const capacity = end - endOfTable(1);
  if (capacity < 1) return 0;
  for (let word = CHECK; word < ENTRY; word++) u16[word] = 0;
  u16[ENTRY] = end;
  return capacity << 3;
}

function granulesFor(size: number): number {
  if (size < 0 || size > MAX_REQUEST_BYTES) return 0;
  return size === 0 ? 1 : (size + 7) >> 3;
}

export function malloc(size: number): number {
  const need = granulesFor(size);
  if (need === 0) return 0;
  const handle = serve(need);
  return handle !== 0 ? handle : wander(need, 0, 0);
}

/** A block becomes a hole; the gap is the larger of the two, or that right above it. */
function release(handle: number): void {
  const gap = u16[GAP]!;
  u16[ENTRY + handle] = u16[ENTRY + handle]! | FREE_BIT;
  u16[FREES] = u16[FREES]! + 1;
  if (gap === 0 || gap === handle + 1 || lengthOf(handle) > lengthOf(gap)) u16[GAP] = handle;
}

export function free(handle: number): number {
  if (handle < 1 || handle > MAX_END) return MISUSE_WILD;
  if (!isLive(handle)) return MISUSE_NOT_LIVE;
  unpin(handle);
  release(handle);
  return 0;
}

export function locate(handle: number): number {
  return isLive(handle) ? startOf(handle) << 3 : 0;
}

/** Moves a block's start, and so many granules of contents with it, where nothing is in the way. */
function slide(handle: number, to: number, held: number): void {
  const from = startOf(handle);
  moveBytes(to << 3, from << 3, held << 3);
  u16[ENTRY + handle] = to;
}

/** Takes `more` granules from the holes beside the block; false when they have not so many. */
function stretch(handle: number, more: number, held: number): boolean {
  const before = handle - 1;
  const above = before > 0 && isFree(before) ? lengthOf(before) : 0;
  if (above < more) {
    const start = startOf(handle);
    if (isPinned(handle) || above + start - floorOf(handle) < more) return false;
    const to = start - (more - above);
    slide(handle, to, held);
    noteMoved(start, start + held, to);
    more = above;
  }
  if (more !== 0) u16[ENTRY + before] = u16[ENTRY + before]! + more;
  return true;
}

/** Gives granules at the block's end to the holes beside it; false when there is none that would own them. */
function shorten(handle: number, need: number, held: number): boolean {
  const before = handle - 1;
  const less = held - need;
  if (before > 0 && isFree(before)) {
    u16[ENTRY + before] = u16[ENTRY + before]! - less;
    return true;
  }
  if (isPinned(handle)) return true;
  if (handle !== u16[HANDLES] && !isFree(handle + 1)) return false;
  noteLeft(startOf(handle));
  slide(handle, startOf(handle) + less, need);
  return true;
}

export function realloc(handle: number, size: number): number {
  if (handle === 0) return malloc(size);
  const need = granulesFor(size);
  if (need === 0 || !isLive(handle)) return 0;
  const held = lengthOf(handle);
  if (need === held) return handle;
  if (need < held ? shorten(handle, need, held) : stretch(handle, need - held, held)) return handle;
  if (isPinned(handle)) return 0;
  let moved = serve(need);
  if (moved === 0) moved = wander(need, need > held ? handle : 0, need - held);
  if (moved === handle) return handle;
  if (moved === 0) return need < held ? handle : 0;
  moveBytes(startOf(moved) << 3, startOf(handle) << 3, Math.min(need, held) << 3);
  noteLeft(startOf(handle));
  release(handle);
  return moved;
}

/** A block aligned beyond 8 bytes is pinned: moving would break its alignment. */
export function memalign(alignment: number, size: number): number {
  const need = granulesFor(size);
  if (need === 0 || alignment <= 0 || (alignment & (alignment - 1)) !== 0 || alignment > MAX_REQUEST_BYTES) return 0;
  if (alignment <= 8) return malloc(size);
  if (!isTable()) return 0;
  let at = alignedBelow(alignment >> 3, need);
  if (at === 0) {
    trim();
    let pinned = u16[HANDLES]!;
    while (pinned > 0 && !(isLive(pinned) && isPinned(pinned))) pinned--;
    packUp(pinned);
    at = alignedBelow(alignment >> 3, need);
    if (at === 0) return 0;
  }
  if (startOf(u16[HANDLES]!) - at !== need) {
    addHandle(FREE_BIT | (at + need));
    u16[FREES] = u16[FREES]! + 1;
  }
  const handle = addHandle(at);
  pin(handle);
  return handle;
}

/** Where a block of `need` granules, aligned to `step`, would begin below the last one; 0 when there is no room. */
function alignedBelow(step: number, need: number): number {
  const at = (startOf(u16[HANDLES]!) - need) & -step;
  return at < endOfTable(u16[HANDLES]! + u16[PINS]! + 3) ? 0 : at;
}

export function usableSize(handle: number): number {
  return isLive(handle) ? lengthOf(handle) << 3 : 0;
}
