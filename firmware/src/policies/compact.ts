/**
 * Compact: blocks that move. malloc gives a handle; `locate` says where its payload lies now. Live blocks are packed from
 * below; when the space above them is used up they slide down over what was freed, so free space is always one piece.
 *
 *   offset 0          8                  first * 8                           top * 8                              END * 8
 *          [ control ][ table of starts ][ control ][ live | dead | live ... ][ free ...... ][ handle n ... 2, 1 ]
 *
 *   control, in 16-bit words   [ top ][ END ][ check ][ handles ]   and   [ freeHandle ][ deadGranules ][ pins ][ - ]
 *   handle, one 16-bit word    0gggggggggggggg  live, at granule g
 *                              10nnnnnnnnnnnnnn  free, n: the next free handle
 *                              11hhhhhhhhhhhhhh  no handle: it says that block h is pinned
 *   dead block                 its first word is DEAD until the next compaction takes it away
 *
 * Compaction has no table of its own to find a block's handle: each handle word and its block's first word are exchanged,
 *
 *   handle h: [ g ]      block g: [ first word | ... ]     =>     handle h: [ first word ]   block g: [ h | ... ]
 *
 * then the blocks are walked in address order, moved, and each pair is put right again. A pinned block stays, and what is
 * before it waits as a dead block. A block that grows and has no room above makes room by moving those above it up.
 *
 * Bound: malloc reads each handle twice, each block and its share of the table once, and moves each live byte at most
 * once; free reads the table up to the block's end; realloc is a malloc, and may move what lies above the block once more,
 * with its starts and the handles read again. While anything is pinned, each block's move and each free also search the
 * handles. host/bench/steps.ts has it as numbers. Control: 16 bytes, 2 a handle, 1/64 of the arena. At most 16383 handles,
 * 256 KB.
 *
 * Invariants (check() returns the number)
 *   1  starts lie from the first block to top, and there is none between top and END
 *   2  each live handle's granule is a start below top, and no two handles share it
 *   3  every start below top is a live handle's block or a dead block; the dead ones add up to deadGranules
 *   4  the chain of free handles holds each free handle once
 *   5  each pinning word means a live block, and there are as many as counted
 */
import { u16 } from '../arena.ts';
import { moveBytes } from '../copy.ts';
import { noteMoved } from '../moves.ts';
import { BLOCK_CONTROL, BLOCK_FREE, BLOCK_LIVE, MISUSE_NOT_LIVE, MISUSE_WILD } from '../policy.ts';
import { clearStart, endGranule, firstGranule, initStarts, isStart, nextStart, setStart } from './starts.ts';

/** Indices in u16. */
const TOP = 0;
const CHECK = 2;
const HANDLES = 3;
/** Indices in the second control granule, see `control`. */
const FREE_HANDLE = 0;
const DEAD_GRANULES = 1;
const PINS = 2;

const DEAD = 0xffff;
const FREE_BIT = 0x8000;
const PIN_BITS = 0xc000;
const NUMBER_MASK = 0x3fff;
const MAX_HANDLES = 0x3fff;
const MAX_END = 0x7fff;
const MAX_REQUEST_BYTES = 0x3fff8;

/** Index in u16 of the second control granule: the first that the table leaves. */
function control(): number {
  return firstGranule() << 2;
}

function firstBlockGranule(): number {
  return firstGranule() + 1;
}

export function init(arenaBytes: number): number {
  const end = initStarts(arenaBytes);
  if (end <= firstBlockGranule() + 1 || end > MAX_END) return 0;
  const first = firstBlockGranule();
  u16[TOP] = first;
  u16[HANDLES] = 0;
  u16[control() + FREE_HANDLE] = 0;
  u16[control() + DEAD_GRANULES] = 0;
  u16[control() + PINS] = 0;
  setStart(first);
  // The first handle's word takes one granule.
  return (end - 1 - first) << 3;
}

function granulesFor(size: number): number {
  if (size < 0 || size > MAX_REQUEST_BYTES) return 0;
  return size === 0 ? 1 : (size + 7) >> 3;
}

/** Index in u16 of a handle's word. */
function wordOf(handle: number): number {
  return (endGranule() << 2) - handle;
}

/** Where a handle's block begins; 0 when the handle is not live. */
function granuleOf(handle: number): number {
  if (handle < 1 || handle > u16[HANDLES]!) return 0;
  const word = u16[wordOf(handle)]!;
  return word < FREE_BIT ? word : 0;
}

/** Granules free above the blocks when the table has `handles` words. */
function room(handles: number): number {
  return endGranule() - ((handles + 3) >> 2) - u16[TOP]!;
}

/** The word that pins a block, 0 when it is not pinned. */
function pinOf(handle: number): number {
  if (u16[control() + PINS] === 0) return 0;
  for (let other = u16[HANDLES]!; other > 0; other--) {
    if (u16[wordOf(other)] === (PIN_BITS | handle)) return other;
  }
  return 0;
}

/** Takes a word from the table, growing it if there is room; 0 when there is none. */
function takeHandle(): number {
  const free = u16[control() + FREE_HANDLE]!;
  if (free !== 0) {
    u16[control() + FREE_HANDLE] = u16[wordOf(free)]! & NUMBER_MASK;
    return free;
  }
  const handle = u16[HANDLES]! + 1;
  if (handle > MAX_HANDLES || room(handle) < 0) return 0;
  u16[HANDLES] = handle;
  return handle;
}

function giveHandle(handle: number): void {
  u16[wordOf(handle)] = FREE_BIT | u16[control() + FREE_HANDLE]!;
  u16[control() + FREE_HANDLE] = handle;
}

function makeDead(granule: number, size: number): void {
  u16[granule << 2] = DEAD;
  u16[control() + DEAD_GRANULES] = u16[control() + DEAD_GRANULES]! + size;
}

function moveTop(granule: number): void {
  u16[TOP] = granule;
  setStart(granule);
}

/** Drops free handle words at the table's end and chains the others anew. */
function trimHandles(): void {
  let count = u16[HANDLES]!;
  while (count > 0 && (u16[wordOf(count)]! & PIN_BITS) === FREE_BIT) count--;
  u16[HANDLES] = count;
  u16[control() + FREE_HANDLE] = 0;
  for (let handle = count; handle > 0; handle--) {
    if ((u16[wordOf(handle)]! & PIN_BITS) === FREE_BIT) giveHandle(handle);
  }
}

/** Slides live blocks down over dead ones. Where nothing is dead there is nothing to gain. */
function compact(): void {
  trimHandles();
  if (u16[control() + DEAD_GRANULES] === 0) return;
  for (let handle = u16[HANDLES]!; handle > 0; handle--) {
    const granule = granuleOf(handle);
    if (granule !== 0) {
      u16[wordOf(handle)] = u16[granule << 2]!;
      u16[granule << 2] = handle;
    }
  }
  u16[control() + DEAD_GRANULES] = 0;
  const top = u16[TOP]!;
  let to = firstBlockGranule();
  let from = firstBlockGranule();
  let packedFrom = to;
  while (from < top) {
    const next = nextStart(from);
    const handle = u16[from << 2]!;
    clearStart(from);
    if (handle !== DEAD) {
      if (to !== from && pinOf(handle) !== 0) {
        setStart(to);
        makeDead(to, from - to);
        noteMoved(packedFrom, from, packedFrom);
        to = from;
        packedFrom = from;
      }
      if (to !== from) moveBytes(to << 3, from << 3, (next - from) << 3);
      setStart(to);
      u16[to << 2] = u16[wordOf(handle)]!;
      u16[wordOf(handle)] = to;
      to += next - from;
    }
    from = next;
  }
  clearStart(top);
  moveTop(to);
  noteMoved(packedFrom, top, packedFrom);
}

/** Whether `need` granules and `words` new handle words have room above the blocks, after compaction if need be. */
function hasRoom(need: number, words: number): boolean {
  const count = u16[HANDLES]!;
  if (room(u16[control() + FREE_HANDLE] === 0 ? count + words : count + words - 1) >= need) return true;
  compact();
  return room(u16[control() + FREE_HANDLE] === 0 ? u16[HANDLES]! + words : u16[HANDLES]! + words - 1) >= need;
}

export function malloc(size: number): number {
  const need = granulesFor(size);
  if (need === 0 || !hasRoom(need, 1)) return 0;
  const handle = takeHandle();
  if (handle === 0) return 0;
  const granule = u16[TOP]!;
  moveTop(granule + need);
  u16[wordOf(handle)] = granule;
  return handle;
}

/** Gives back the granules of a block; the topmost one goes back to the space above. */
function release(granule: number): void {
  const next = nextStart(granule);
  if (next === u16[TOP]) {
    if (next !== endGranule()) clearStart(next);
    moveTop(granule);
  } else {
    makeDead(granule, next - granule);
  }
}

export function free(handle: number): number {
  if (handle < 1 || handle > MAX_HANDLES) return MISUSE_WILD;
  const granule = granuleOf(handle);
  if (granule === 0) return MISUSE_NOT_LIVE;
  unpin(handle);
  release(granule);
  giveHandle(handle);
  return 0;
}

export function locate(handle: number): number {
  return granuleOf(handle) << 3;
}

/** Keeps a block where it is until it is unpinned or freed. False when the handle is not live or no word is left. */
export function pin(handle: number): boolean {
  if (granuleOf(handle) === 0) return false;
  if (pinOf(handle) !== 0) return true;
  const word = takeHandle();
  if (word === 0) return false;
  u16[wordOf(word)] = PIN_BITS | handle;
  u16[control() + PINS] = u16[control() + PINS]! + 1;
  return true;
}

export function unpin(handle: number): void {
  const word = pinOf(handle);
  if (word === 0) return;
  giveHandle(word);
  u16[control() + PINS] = u16[control() + PINS]! - 1;
}

/**
 * Makes room right above a block by moving everything above it up; nothing is dead and nothing is pinned then.
 *
 *   [ block ][ b ][ c ][ free .. ]  =>  [ block ][ more ][ b ][ c ][ free ]
 */
function openGap(follower: number, more: number): void {
  const top = u16[TOP]!;
  moveBytes((follower + more) << 3, follower << 3, (top - follower) << 3);
  for (let granule = top; granule >= follower; granule--) {
    if (isStart(granule)) {
      clearStart(granule);
      setStart(granule + more);
    }
  }
  for (let handle = u16[HANDLES]!; handle > 0; handle--) {
    const granule = granuleOf(handle);
    if (granule >= follower) u16[wordOf(handle)] = granule + more;
  }
  u16[TOP] = top + more;
  noteMoved(follower, top, follower + more);
}

export function realloc(handle: number, size: number): number {
  if (handle === 0) return malloc(size);
  const need = granulesFor(size);
  let granule = granuleOf(handle);
  if (need === 0 || granule === 0) return 0;
  const held = nextStart(granule) - granule;
  if (need <= held) {
    if (need < held) {
      setStart(granule + need);
      release(granule + need);
    }
    return handle;
  }
  const pinned = pinOf(handle) !== 0;
  const more = need - held;
  if (room(u16[HANDLES]!) < (granule + held === u16[TOP] ? more : need)) {
    compact();
    granule = granuleOf(handle);
  }
  const follower = granule + held;
  if (follower === u16[TOP]) {
    if (room(u16[HANDLES]!) < more) return 0;
    clearStart(follower);
    moveTop(follower + more);
    return handle;
  }
  if (pinned) return 0;
  if (room(u16[HANDLES]!) >= need) {
    const target = u16[TOP]!;
    moveTop(target + need);
    moveBytes(target << 3, granule << 3, held << 3);
    u16[wordOf(handle)] = target;
    makeDead(granule, held);
    noteMoved(granule, granule + held, target);
    return handle;
  }
  if (room(u16[HANDLES]!) < more || u16[control() + PINS] !== 0) return 0;
  openGap(follower, more);
  return handle;
}

/** A block aligned beyond 8 bytes is pinned: moving would break its alignment. */
export function memalign(alignment: number, size: number): number {
  const need = granulesFor(size);
  if (need === 0 || alignment <= 0 || (alignment & (alignment - 1)) !== 0 || alignment > MAX_REQUEST_BYTES) return 0;
  if (alignment <= 8) return malloc(size);
  const step = alignment >> 3;
  if (!hasRoom(need + step - 1, 2)) return 0;
  const top = u16[TOP]!;
  const lead = ((top + step - 1) & ~(step - 1)) - top;
  if (lead !== 0) {
    makeDead(top, lead);
    moveTop(top + lead);
  }
  const handle = malloc(size);
  if (handle === 0 || pin(handle)) return handle;
  free(handle);
  return 0;
}

export function usableSize(handle: number): number {
  const granule = granuleOf(handle);
  return granule === 0 ? 0 : (nextStart(granule) - granule) << 3;
}

export function firstBlock(): number {
  return firstBlockGranule() << 3;
}

export function nextBlock(block: number): number {
  const next = nextStart(block >> 3);
  return next === endGranule() ? 0 : next << 3;
}

/** The handle of the block that begins here, 0 for a dead one. */
function handleAt(granule: number): number {
  for (let handle = u16[HANDLES]!; handle > 0; handle--) if (u16[wordOf(handle)] === granule) return handle;
  return 0;
}

export function blockKind(block: number): number {
  const granule = block >> 3;
  if (granule >= endGranule()) return BLOCK_CONTROL;
  if (granule >= u16[TOP]!) return BLOCK_FREE;
  return u16[granule << 2] === DEAD && handleAt(granule) === 0 ? BLOCK_FREE : BLOCK_LIVE;
}

export function blockPayload(block: number): number {
  return handleAt(block >> 3);
}

function violated(invariant: number, granule: number): number {
  u16[CHECK] = granule;
  return invariant;
}

export function check(): number {
  const end = endGranule();
  const top = u16[TOP]!;
  const handles = u16[HANDLES]!;
  if (top > end || room(handles) < 0 || !isStart(firstBlockGranule()) || !isStart(end)) return violated(1, top);
  if (!isStart(top) || nextStart(0) !== firstBlockGranule() || (top < end && nextStart(top) !== end))
    return violated(1, top);
  let freeHandles = 0;
  let pins = 0;
  let liveHandles = 0;
  for (let handle = 1; handle <= handles; handle++) {
    const word = u16[wordOf(handle)]!;
    if (word >= FREE_BIT) {
      if (word < PIN_BITS) freeHandles++;
      else if (granuleOf(word & NUMBER_MASK) === 0) return violated(5, handle);
      else pins++;
    } else {
      if (word < firstBlockGranule() || word >= top || !isStart(word)) return violated(2, word);
      for (let other = 1; other < handle; other++) if (u16[wordOf(other)] === word) return violated(2, word);
      liveHandles++;
    }
  }
  if (pins !== u16[control() + PINS]) return violated(5, 0);
  let dead = 0;
  for (let granule = firstBlockGranule(); granule < top; granule = nextStart(granule)) {
    if (handleAt(granule) !== 0) liveHandles--;
    else if (u16[granule << 2] === DEAD) dead += nextStart(granule) - granule;
    else return violated(3, granule);
  }
  if (liveHandles !== 0 || dead !== u16[control() + DEAD_GRANULES]) return violated(3, top);
  for (let free = u16[control() + FREE_HANDLE]!; free !== 0; free = u16[wordOf(free)]! & NUMBER_MASK) {
    if (free > handles || (u16[wordOf(free)]! & PIN_BITS) !== FREE_BIT || freeHandles === 0) return violated(4, free);
    freeHandles--;
  }
  return freeHandles === 0 ? 0 : violated(4, 0);
}

export function checkOffset(): number {
  return u16[CHECK]! << 3;
}
