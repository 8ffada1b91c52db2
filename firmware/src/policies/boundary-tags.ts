/**
 * Blocks with boundary tags and one free list in address order: the ground that first-fit, next-fit and best-fit share.
 * They differ only in which free block they choose.
 *
 * A block is a multiple of 8 bytes and starts 4 bytes before a multiple of 8, so that payloads are aligned.
 *
 *   live     [ TAG | sizeBytes | PREVIOUS_LIVE?  ][ payload ....................... ]      TAG: live-header.ts
 *   free     [ sizeBytes | PREVIOUS_LIVE?        ][ next ][ previous ] ... [ sizeBytes ]
 *             ^ block                             ^ block + 4               ^ last word
 *   8 bytes  [ 8 | PREVIOUS_LIVE? ][ 8 ]    free but in no list: it waits for a neighbour to be freed
 *
 *   arena [ listHead ][ endBlock ][ rover ][ block ][ block ] ... [ TAG | 0 ]
 *          ^ 0         ^ 4         ^ 8      ^ 12                   ^ endBlock: a header only
 *
 * Invariants (check() returns the number)
 *   1  every size is a multiple of 8, and the blocks end exactly at endBlock
 *   2  PREVIOUS_LIVE of a block says whether the block before it is live
 *   3  no two free blocks are neighbours
 *   4  the last word of a free block is its size
 *   5  the list holds every free block of 16 bytes or more once, in address order, and its back links agree
 *   6  the rover is 0 or a block of the list (or the mark that check() left)
 *
 * A write past a payload reaches headers and links. What is read from a block is believed only where it agrees with
 * another place: a size with the block's last word, a link with the link back, a list with the order of addresses. Else
 * the request gets nothing, and the free is MISUSE_CORRUPT. No loop goes on and no address leaves the
 * arena, whatever the words say. A live block's own size has no second place: TAG tells a header from most other words
 * (docs/safety.md).
 *
 * References: Knuth, The Art of Computer Programming 1, 2.5 (boundary tags); Wilson et al. 1995 (address order).
 */
import { u32 } from '../arena.ts';
import { moveBytes } from '../copy.ts';
import { BLOCK_CONTROL, BLOCK_FREE, BLOCK_LIVE, MISUSE_CORRUPT, MISUSE_NOT_LIVE, MISUSE_WILD } from '../policy.ts';
import { LIVE, MAX_ARENA_BYTES, SIZE_FIELD, SIZE_MASK, SIZE_SHIFT, TAG } from './live-header.ts';

const LIST_HEAD = 0;
const END_BLOCK = 1;
const ROVER = 2;
const FIRST_BLOCK = 12;
/** In the rover's word: what follows is where check() found a violation; there is no rover then. */
const CHECK_MARK = 1;

const PREVIOUS_LIVE = 2;
const HEADER_BYTES = 4;
/** The link 0, made the offset of a header. */
const LAST = 4;
const MIN_BLOCK_BYTES = 8;
/** A free block must be this large to hold its links. */
const MIN_LISTED_BYTES = 16;
/** Larger requests fail before any arithmetic can leave the range of words (2^27). */
const MAX_REQUEST_BYTES = 0x3ffff00;

export function init(arenaBytes: number): number {
  const endBlock = ((Math.min(arenaBytes, MAX_ARENA_BYTES) >> 3) << 3) - HEADER_BYTES;
  const freeBytes = endBlock - FIRST_BLOCK;
  if (freeBytes < MIN_LISTED_BYTES) return 0;
  u32[LIST_HEAD] = 0;
  u32[END_BLOCK] = endBlock;
  u32[ROVER] = 0;
  u32[endBlock >> 2] = TAG;
  u32[FIRST_BLOCK >> 2] = PREVIOUS_LIVE;
  makeFree(FIRST_BLOCK, freeBytes, 0, 0);
  return freeBytes - HEADER_BYTES;
}

/**
 * Moves the end between the last live block and the size given to init; see Policy.
 *
 *   up     [ ... ][ free ][ end ]             =>  [ ... ][ free .............. ][ end ]
 *   down   [ ... ][ free .............. ][ end ]  =>  [ ... ][ free ][ end ]
 */
export function moveEnd(fromBytes: number, toBytes: number): number {
  const from = u32[END_BLOCK]!;
  let to = ((toBytes >> 3) << 3) - HEADER_BYTES;
  if (to > from) {
    u32[from >> 2] = ((to - from) << SIZE_SHIFT) | TAG | (u32[from >> 2]! & PREVIOUS_LIVE);
    u32[to >> 2] = TAG | PREVIOUS_LIVE;
    u32[END_BLOCK] = to;
    release(from, to - from);
    return to + HEADER_BYTES;
  }
  if ((u32[from >> 2]! & PREVIOUS_LIVE) !== 0) return fromBytes;
  const bytes = u32[(from >> 2) - 1]! & SIZE_MASK;
  const start = from - bytes;
  if (start < FIRST_BLOCK || u32[start >> 2] !== (bytes | PREVIOUS_LIVE)) return fromBytes;
  if (bytes >= MIN_LISTED_BYTES && !unlink(start)) return fromBytes;
  if (to < start) to = start;
  let next = 0;
  let previous = 0;
  if (bytes >= MIN_LISTED_BYTES) {
    next = u32[(start >> 2) + 1]!;
    previous = u32[(start >> 2) + 2]!;
  }
  // What was the end must not look like a block when it is inside one.
  u32[from >> 2] = 0;
  u32[END_BLOCK] = to;
  u32[to >> 2] = TAG | PREVIOUS_LIVE;
  if (to > start) makeFree(start, to - start, previous, next);
  return to + HEADER_BYTES;
}

/** Header and payload, rounded up to whole granules; 0 when the request is absurd. */
export function blockBytesFor(size: number): number {
  if (size < 0 || size > MAX_REQUEST_BYTES) return 0;
  if (size <= MIN_BLOCK_BYTES - HEADER_BYTES) return MIN_BLOCK_BYTES;
  return ((size + HEADER_BYTES + 7) >> 3) << 3;
}

/** Bytes of a free block. */
export function blockBytes(block: number): number {
  return u32[block >> 2]! & SIZE_MASK;
}

/** Bytes of a live block. */
function liveBytes(block: number): number {
  return (u32[block >> 2]! >> SIZE_SHIFT) & SIZE_MASK;
}

/** The first free block in address order, 0 when there is none. */
export function firstFree(): number {
  return u32[LIST_HEAD]!;
}

/** What the link of a free block says: where a block may lie, or LAST. It leads on when it is above the block and below the end. */
export function nextFree(block: number): number {
  return (u32[(block >> 2) + 1]! & SIZE_MASK) | LAST;
}

export function endBlock(): number {
  return u32[END_BLOCK]!;
}

export function rover(): number {
  return (u32[ROVER]! & CHECK_MARK) === 0 ? u32[ROVER]! : 0;
}

export function setRover(block: number): void {
  u32[ROVER] = block;
}

/** Writes a free block's tags and, if it can hold links, puts it between two listed blocks (0: an end of the list). */
function makeFree(block: number, bytes: number, previous: number, next: number): void {
  const word = block >> 2;
  u32[word] = bytes | (u32[word]! & PREVIOUS_LIVE);
  u32[((block + bytes) >> 2) - 1] = bytes;
  u32[(block + bytes) >> 2] &= ~PREVIOUS_LIVE;
  if (bytes < MIN_LISTED_BYTES) return;
  u32[word + 1] = next;
  u32[word + 2] = previous;
  if (previous === 0) u32[LIST_HEAD] = block;
  else u32[(previous >> 2) + 1] = block;
  if (next !== 0) u32[(next >> 2) + 2] = block;
}

/** Takes a block out of the list; false, and nothing is changed, when the links to it and from it do not agree. */
function unlink(block: number): boolean {
  const next = u32[(block >> 2) + 1]!;
  const previous = u32[(block >> 2) + 2]!;
  if (next !== 0) {
    if (next <= block || next >= u32[END_BLOCK]! || (next & 7) !== 4) return false;
    if (u32[(next >> 2) + 2] !== block) return false;
  }
  if (previous === 0) {
    if (u32[LIST_HEAD] !== block) return false;
    u32[LIST_HEAD] = next;
  } else {
    if (previous < FIRST_BLOCK || previous > block || (previous & 7) !== 4) return false;
    if (u32[(previous >> 2) + 1] !== block) return false;
    u32[(previous >> 2) + 1] = next;
  }
  if (next !== 0) u32[(next >> 2) + 2] = previous;
  if (u32[ROVER] === block) u32[ROVER] = next;
  return true;
}

/** Makes `bytes` at the start of the free block live and returns the payload. What is left over stays free. 0 when it is
 *  not a free block after all.
 *
 *   [ free ................ ]  =>  [ live: bytes ][ free: the rest ]
 */
export function take(block: number, bytes: number): number {
  const word = block >> 2;
  const held = u32[word]! & SIZE_MASK;
  // The last word of a free block tells a header that was overwritten.
  if (held > u32[END_BLOCK]! - block || u32[((block + held) >> 2) - 1] !== held) return 0;
  const rest = held - bytes;
  let previous = 0;
  let next = 0;
  if (held >= MIN_LISTED_BYTES) {
    if (!unlink(block)) return 0;
    next = u32[word + 1]!;
    previous = u32[word + 2]!;
  }
  u32[word] = (bytes << SIZE_SHIFT) | TAG | (u32[word]! & PREVIOUS_LIVE);
  if (rest === 0) {
    u32[(block + held) >> 2] |= PREVIOUS_LIVE;
  } else {
    u32[(block + bytes) >> 2] = PREVIOUS_LIVE;
    makeFree(block + bytes, rest, previous, next);
  }
  return block + HEADER_BYTES;
}

/** Whether a block in the list is a free one, as far as its header and its last word can tell. */
function isFree(block: number): boolean {
  const bytes = blockBytes(block);
  if (u32[block >> 2] !== (bytes | PREVIOUS_LIVE) || bytes > u32[END_BLOCK]! - block) return false;
  return u32[((block + bytes) >> 2) - 1] === bytes;
}

/** Turns the live `block` of `bytes` into free space, joined with free neighbours. Headers that end up inside it are
 *  cleared, so that a second free of what lay there is refused.
 *
 *   [ free ][ block ][ free ]  =>  [ free ................ ]
 *
 *  MISUSE_CORRUPT, and the block stays live, when a neighbour is not what its words say.
 */
function release(block: number, bytes: number): number {
  let start = block;
  let end = block + bytes;
  let placed = false;
  let previous = 0;
  let next = 0;
  const follower = end;
  if ((u32[follower >> 2]! & LIVE) === 0) {
    const gain = u32[follower >> 2]! & SIZE_MASK;
    if (gain === 0 || gain > u32[END_BLOCK]! - end || u32[((end + gain) >> 2) - 1] !== gain) return MISUSE_CORRUPT;
    end += gain;
    if (gain >= MIN_LISTED_BYTES) {
      if (!unlink(follower)) return MISUSE_CORRUPT;
      next = u32[(follower >> 2) + 1]!;
      previous = u32[(follower >> 2) + 2]!;
      placed = true;
    }
  } else if ((u32[follower >> 2]! & ~SIZE_FIELD) !== (TAG | PREVIOUS_LIVE)) return MISUSE_CORRUPT;
  if ((u32[block >> 2]! & PREVIOUS_LIVE) === 0) {
    const gain = u32[(block >> 2) - 1]! & SIZE_MASK;
    start -= gain;
    if (start < FIRST_BLOCK || u32[start >> 2] !== (gain | PREVIOUS_LIVE)) return MISUSE_CORRUPT;
    if (gain >= MIN_LISTED_BYTES) {
      if (!unlink(start)) return MISUSE_CORRUPT;
      next = u32[(start >> 2) + 1]!;
      previous = u32[(start >> 2) + 2]!;
      placed = true;
    }
  }
  if (!placed && end - start >= MIN_LISTED_BYTES) {
    next = u32[LIST_HEAD]!;
    // loop: at most blocks
    while (next > previous && next < start) {
      previous = next;
      next = nextFree(next);
    }
    if (next <= LAST) next = 0;
    else if (next < start || next >= u32[END_BLOCK]! || u32[(next >> 2) + 2] !== previous) return MISUSE_CORRUPT;
    if (previous !== 0 && !isFree(previous)) return MISUSE_CORRUPT;
  }
  // Headers that end up inside the block.
  if (follower < end) u32[follower >> 2] = 0;
  if (start < block) u32[block >> 2] = 0;
  makeFree(start, end - start, previous, next);
  return 0;
}

/** 0 when `offset` is a live block's payload as far as headers can tell, else the MISUSE_ code. */
export function misuseOf(offset: number): number {
  if ((offset & 7) !== 0 || offset < FIRST_BLOCK + HEADER_BYTES || offset >= u32[END_BLOCK]!) return MISUSE_WILD;
  const header = u32[(offset - HEADER_BYTES) >> 2]!;
  if ((header & LIVE) === 0) return MISUSE_NOT_LIVE;
  const bytes = (header >> SIZE_SHIFT) & SIZE_MASK;
  const end = offset - HEADER_BYTES + bytes;
  if ((header & ~(SIZE_FIELD | PREVIOUS_LIVE)) !== TAG) return MISUSE_CORRUPT;
  if (bytes < MIN_BLOCK_BYTES || end > u32[END_BLOCK]!) return MISUSE_CORRUPT;
  if ((u32[end >> 2]! & PREVIOUS_LIVE) === 0) return MISUSE_CORRUPT;
  return 0;
}

export function free(offset: number): number {
  const misuse = misuseOf(offset);
  if (misuse !== 0) return misuse;
  const block = offset - HEADER_BYTES;
  return release(block, liveBytes(block));
}

export function usableSize(offset: number): number {
  return misuseOf(offset) === 0 ? liveBytes(offset - HEADER_BYTES) - HEADER_BYTES : 0;
}

/** Resizes a live block without moving its payload. Returns whether it could. */
export function resizeInPlace(offset: number, bytes: number): boolean {
  const block = offset - HEADER_BYTES;
  const word = block >> 2;
  let held = liveBytes(block);
  const follower = block + held;
  if (bytes > held) {
    const header = u32[follower >> 2]!;
    const gain = header & SIZE_MASK;
    if ((header & LIVE) !== 0 || held + gain < bytes || take(follower, gain) === 0) return false;
    held += gain;
    u32[word] = (held << SIZE_SHIFT) | (u32[word]! & ~SIZE_FIELD);
  }
  trimTo(block, held, bytes);
  return true;
}

/** Gives back what a live block holds beyond `bytes`, when that is a block's worth. */
function trimTo(block: number, held: number, bytes: number): void {
  const rest = held - bytes;
  if (rest < MIN_BLOCK_BYTES) return;
  const word = block >> 2;
  u32[word] = (bytes << SIZE_SHIFT) | (u32[word]! & ~SIZE_FIELD);
  u32[(block + bytes) >> 2] = (rest << SIZE_SHIFT) | TAG | PREVIOUS_LIVE;
  release(block + bytes, rest);
}

/** Contents up to the smaller of both sizes go to a block that was just given; the old one is freed. */
export function moveTo(to: number, offset: number): void {
  const oldBytes = liveBytes(offset - HEADER_BYTES) - HEADER_BYTES;
  const newBytes = liveBytes(to - HEADER_BYTES) - HEADER_BYTES;
  moveBytes(to, offset, Math.min(oldBytes, newBytes));
  free(offset);
}

/**
 * Cuts an aligned block out of a live one that has `alignment` + MIN_BLOCK_BYTES to spare. Returns the payload.
 *
 *   [ live .................................... ]  =>  [ free ][ live: bytes ][ free ]
 *                        ^ multiple of alignment
 */
export function alignWithin(offset: number, alignment: number, bytes: number): number {
  let block = offset - HEADER_BYTES;
  let held = liveBytes(block);
  if ((offset & (alignment - 1)) !== 0) {
    const aligned = (offset + MIN_BLOCK_BYTES + alignment - 1) & ~(alignment - 1);
    const lead = aligned - offset;
    u32[(block + lead) >> 2] = ((held - lead) << SIZE_SHIFT) | TAG | PREVIOUS_LIVE;
    u32[block >> 2] = (lead << SIZE_SHIFT) | (u32[block >> 2]! & ~SIZE_FIELD);
    release(block, lead);
    block += lead;
    held -= lead;
  }
  trimTo(block, held, bytes);
  return block + HEADER_BYTES;
}

/** What to ask for so that `alignWithin` has room; 0 when the alignment is not a power of two or absurd. */
export function sizeToAlign(alignment: number, size: number): number {
  if (alignment <= 0 || (alignment & (alignment - 1)) !== 0 || alignment > MAX_REQUEST_BYTES) return 0;
  if (size < 0 || size > MAX_REQUEST_BYTES - alignment) return 0;
  const asked = size === 0 ? 1 : size;
  return alignment <= 8 ? asked : asked + alignment + MIN_BLOCK_BYTES;
}

export function firstBlock(): number {
  return FIRST_BLOCK;
}

/** The walk ends where a header leads nowhere. */
export function nextBlock(block: number): number {
  const bytes = (u32[block >> 2]! & LIVE) === 0 ? blockBytes(block) : liveBytes(block);
  return bytes === 0 || bytes > u32[END_BLOCK]! - block ? 0 : block + bytes;
}

export function blockKind(block: number): number {
  if (block >= u32[END_BLOCK]!) return BLOCK_CONTROL;
  return (u32[block >> 2]! & LIVE) === 0 ? BLOCK_FREE : BLOCK_LIVE;
}

export function blockPayload(block: number): number {
  return block + HEADER_BYTES;
}

function violated(invariant: number, offset: number): number {
  u32[ROVER] = offset | CHECK_MARK;
  return invariant;
}

export function check(): number {
  const endBlock = u32[END_BLOCK]!;
  let block = FIRST_BLOCK;
  let previousLive = PREVIOUS_LIVE;
  let previousFree = 0;
  let listed = u32[LIST_HEAD]!;
  let roverSeen = rover() === 0;
  while (block < endBlock) {
    const header = u32[block >> 2]!;
    const isLive = (header & LIVE) !== 0;
    const bytes = isLive ? liveBytes(block) : blockBytes(block);
    const rest = header & ~PREVIOUS_LIVE & ~(isLive ? SIZE_FIELD : SIZE_MASK);
    if (rest !== (isLive ? TAG : 0) || bytes < MIN_BLOCK_BYTES || bytes > endBlock - block) {
      return violated(1, block);
    }
    if ((header & PREVIOUS_LIVE) !== previousLive) return violated(2, block);
    previousLive = PREVIOUS_LIVE;
    if ((header & LIVE) === 0) {
      if ((header & PREVIOUS_LIVE) === 0) return violated(3, block);
      if (u32[((block + bytes) >> 2) - 1] !== bytes) return violated(4, block);
      if (bytes >= MIN_LISTED_BYTES) {
        if (listed !== block || u32[(block >> 2) + 2] !== previousFree) return violated(5, block);
        if (u32[ROVER] === block) roverSeen = true;
        previousFree = block;
        listed = u32[(block >> 2) + 1]!;
      }
      previousLive = 0;
    }
    block += bytes;
  }
  if (block !== endBlock || (u32[endBlock >> 2]! & ~PREVIOUS_LIVE) !== TAG) return violated(1, endBlock);
  if ((u32[endBlock >> 2]! & PREVIOUS_LIVE) !== previousLive) return violated(2, endBlock);
  if (listed !== 0) return violated(5, listed);
  return roverSeen ? 0 : violated(6, u32[ROVER]!);
}

export function checkOffset(): number {
  return (u32[ROVER]! & CHECK_MARK) === 0 ? 0 : u32[ROVER]! & ~CHECK_MARK;
}
