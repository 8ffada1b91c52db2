/**
 * Two-level segregated fit: every call is a fixed number of steps, whatever the heap looks like.
 *
 * Masmano, Ripoll, Crespo, Real: "TLSF: a new dynamic memory allocator for real-time systems", ECRTS 2004.
 *
 * A block starts with one header word; its payload follows, so payloads are 8-byte aligned and headers lie at 4 mod 8.
 *
 *   live   | TAG, size [PREV_FREE]  | payload ......................................... |
 *   free   | size                   | next free | link | ............ | footer: offset  |
 *            block                    +4          +8                    +size-4
 *
 * `size` counts the header and is a multiple of 8. The footer of a free block holds the block's own offset; the block
 * after it has PREV_FREE set. `link` is the offset of the word that points at the block: its list's head, or the
 * `next` field of the block before it in the list. TAG is what live headers have beside the size (live-header.ts); a live
 * header of size 0 ends the arena.
 *
 * Classes: with g = size / 8 and e = max(0, floor(log2(g)) - 4), the class is 16 e + floor(g / 2^e): sixteen classes an
 * octave, and one a granule below 256 bytes. Class c is bit c % 16 of bitmap c / 16; a bitmap that is not 0 has its
 * bit set in ROWS. A request is rounded up to a class whose every block is large enough, so the head of the first
 * filled class is taken without a search; when there is none, the head of the request's own class is the last resort.
 *
 * Invariants, as numbered by check():
 *   1 blocks tile the arena: every size is a multiple of 8, at least 16, and the last block ends at the end word
 *   2 no two free blocks are neighbours
 *   3 PREV_FREE is set exactly after a free block, whose footer is its own offset
 *   4 every free block is in the list of its class, its `link` is the word that points at it
 *   5 a bit is set exactly where a list is not empty, in both levels
 *
 * A write past a payload reaches headers and links. With CHECKS (checks.ts) what is read from a block is believed only
 * where another place agrees: a free block's size with its footer, a link with the link back, a live header with TAG. Else
 * free is MISUSE_CORRUPT, and malloc lets go of the list of that class and gets nothing. No address leaves the arena then
 * (docs/safety.md). Without, words are believed; there is no loop to be caught in, but stores go where links lead.
 *
 * Bound: malloc and free touch at most one list head, two neighbours and one remainder; realloc adds one copy.
 * Overhead: 4 bytes a block and the rounding to 8; control: 52 bytes and a word a class.
 */
import { u16, u32 } from '../arena.ts';
import { lowestBit } from '../bits.ts';
import { CHECKS } from '../checks.ts';
import { BLOCK_CONTROL, BLOCK_FREE, BLOCK_LIVE, MISUSE_CORRUPT, MISUSE_NOT_LIVE, MISUSE_WILD } from '../policy.ts';
import { LIVE, MAX_ARENA_BYTES, SIZE_FIELD, SIZE_MASK, SIZE_SHIFT, TAG } from './live-header.ts';
import {
  BITMAPS,
  classOf,
  clearBit,
  END,
  EXACT,
  FIRST,
  HEADS,
  insert,
  leadsOn,
  MIN_BLOCK,
  PREV_FREE,
  ROWS,
  take,
  takeBefore,
} from './tlsf-lists.ts';

export { locate, pin, unpin } from './in-place.ts';
export { check, checkOffset } from './tlsf-check.ts';

/** The block of bytes that serves `size`: header added, rounded to 8. */
function blockSizeFor(size: number): number {
  return size > 12 ? (size + 11) & ~7 : MIN_BLOCK;
}

export function init(arenaBytes: number): number {
  if (arenaBytes > MAX_ARENA_BYTES) arenaBytes = MAX_ARENA_BYTES;
  const end = (arenaBytes & ~7) - 4;
  // A head for every class that a block of this arena can have and two more, where a request rounded up may look and
  // find nothing; then the first block at 4 mod 8.
  const first = end > MIN_BLOCK ? ((HEADS + ((classOf(end) + 2) << 2) + 7) & ~7) | 4 : 0;
  const size = end - first;
  if (first === 0 || size < MIN_BLOCK) return 0;
  for (let at = 0; at < first; at = at + 4) u32[at >> 2] = 0;
  u32[END >> 2] = end;
  u32[FIRST >> 2] = first;
  u32[end >> 2] = TAG | PREV_FREE;
  u32[first >> 2] = size;
  u32[(end - 4) >> 2] = first;
  insert(first, classOf(size));
  return size - 4;
}

/** Moves the end between the last live block and the size given to init, for which there are heads; see Policy. */
export function moveEnd(fromBytes: number, toBytes: number): number {
  const from = u32[END >> 2];
  let to = (toBytes & ~7) - 4;
  let block = from;
  if ((u32[from >> 2] & PREV_FREE) !== 0) {
    block = takeBefore(from, from);
    if (CHECKS !== 0 && block === 0) return fromBytes;
  } else if (to < from) return fromBytes;
  // The free block before the end is made anew, longer or shorter, or vanishes. It is never less than a block.
  if (to < block + MIN_BLOCK) to = to > block && from - block >= MIN_BLOCK ? block + MIN_BLOCK : block;
  // What was the end must not look like a block when it is inside one.
  u32[from >> 2] = 0;
  u32[END >> 2] = to;
  u32[to >> 2] = TAG;
  if (to > block) {
    u32[to >> 2] = TAG | PREV_FREE;
    u32[block >> 2] = to - block;
    u32[(to - 4) >> 2] = block;
    insert(block, classOf(to - block));
  }
  return to + 4;
}

/** Whether a live block's header is one. @inline */
function isLiveHeader(header: number): boolean {
  return (header & ~(SIZE_FIELD | PREV_FREE)) === TAG;
}

/** Whether the head of a class is a free block of `held` bytes, which are enough: links and footer agree with it. @inline */
function isHead(block: number, index: number, held: number, need: number): boolean {
  const end = u32[END >> 2];
  if (u32[(block + 8) >> 2] !== HEADS + (index << 2)) return false;
  if (held < need || held >>> 0 > (end - block) >>> 0 || (held & 7) !== 0) return false;
  if (u32[(block + held - 4) >> 2] !== block) return false;
  return leadsOn(block, u32[(block + 4) >> 2], end);
}

/** The head of a class was overwritten: the list is let go, and the request gets nothing. */
function dropList(index: number): number {
  u32[(HEADS + (index << 2)) >> 2] = 0;
  clearBit(index);
  return 0;
}

export function malloc(size: number): number {
  let index = 2;
  let need = MIN_BLOCK;
  if (size >>> 0 > MIN_BLOCK - 4) {
    if (size >>> 0 < EXACT - 4) {
      index = (size + 11) >> 3;
      need = index << 3;
    } else {
      if (size >>> 0 > u32[END >> 2] >>> 0) return 0;
      // The first class all of whose blocks are large enough is the one after that of the next smaller size.
      need = ((size + 11) >> 3) << 3;
      index = classOf(need - 1) + 1;
    }
  }
  let block = u32[(HEADS + (index << 2)) >> 2];
  if (block === 0) {
    // The next filled class, in the rest of this row or in the first row after it that has any.
    const row = index >> 4;
    const found = u16[(BITMAPS + (row << 1)) >> 1] >> (index & 15);
    if (found !== 0) {
      index = index + lowestBit(found);
    } else {
      const rows = (u32[ROWS >> 2] >> row) >> 1;
      if (rows !== 0) {
        const filled = row + lowestBit(rows) + 1;
        index = (filled << 4) + lowestBit(u16[(BITMAPS + (filled << 1)) >> 1]);
      } else {
        index = lastResort(need);
        if (index === 0) return 0;
      }
    }
    block = u32[(HEADS + (index << 2)) >> 2];
  }

  // The head of the class leaves its list; what it is too large by stays free.
  const held = u32[block >> 2];
  const rest = held - need;
  if (CHECKS !== 0 && !isHead(block, index, held, need)) return dropList(index);
  if (rest < MIN_BLOCK) {
    const after = block + held;
    u32[block >> 2] = (held << SIZE_SHIFT) + TAG;
    u32[after >> 2] = u32[after >> 2] - PREV_FREE;
  } else {
    const tailClass = classOf(rest);
    const tail = block + need;
    u32[block >> 2] = (need << SIZE_SHIFT) + TAG;
    u32[tail >> 2] = rest;
    u32[(tail + rest - 4) >> 2] = tail;
    if (tailClass === index) {
      // The remainder takes the block's place in the list.
      const next = u32[(block + 4) >> 2];
      const slot = HEADS + (index << 2);
      u32[(tail + 4) >> 2] = next;
      u32[(tail + 8) >> 2] = slot;
      u32[slot >> 2] = tail;
      if (next !== 0) u32[(next + 8) >> 2] = tail + 4;
      return block + 4;
    }
    insert(tail, tailClass);
  }
  const next = u32[(block + 4) >> 2];
  const slot = HEADS + (index << 2);
  u32[slot >> 2] = next;
  if (next !== 0) u32[(next + 8) >> 2] = slot;
  else clearBit(index);
  return block + 4;
}

/** No class holds only blocks that are large enough, but the head of the request's own may be. Returns the class, or 0. */
function lastResort(need: number): number {
  if (need >= u32[END >> 2]) return 0;
  const index = classOf(need);
  const block = u32[(HEADS + (index << 2)) >> 2];
  return block !== 0 && u32[block >> 2] >= need ? index : 0;
}

export function free(offset: number): number {
  const end = u32[END >> 2];
  if ((offset & 7) !== 0) return MISUSE_WILD;
  if (offset >>> 0 > end >>> 0) return MISUSE_WILD;
  if (offset <= u32[FIRST >> 2]) return MISUSE_WILD;
  let block = offset - 4;
  const header = u32[block >> 2];
  if ((header & LIVE) === 0) return MISUSE_NOT_LIVE;
  if (CHECKS !== 0 && !isLiveHeader(header)) return MISUSE_CORRUPT;
  let size = (header >> SIZE_SHIFT) & SIZE_MASK;
  let next = block + size;
  if (next >>> 0 > end >>> 0) return MISUSE_CORRUPT;
  if ((header & PREV_FREE) !== 0) {
    // | before (free) | block | => | before ....... |, where a stale header must not look live
    const before = takeBefore(block, end);
    if (CHECKS !== 0 && before === 0) return MISUSE_CORRUPT;
    u32[block >> 2] = 0;
    block = before;
    size = next - block;
  }
  const following = u32[next >> 2];
  if ((following & LIVE) === 0) {
    // | block | next (free) | => | block ....... |
    if (!take(next, following, end)) return MISUSE_CORRUPT;
    size = size + following;
    next = next + following;
  } else {
    if (CHECKS !== 0 && (following & ~SIZE_FIELD) !== TAG) return MISUSE_CORRUPT;
    u32[next >> 2] = following | PREV_FREE;
  }
  u32[block >> 2] = size;
  u32[(next - 4) >> 2] = block;
  insert(block, classOf(size));
  return 0;
}

/** Cuts a live block down to `need` bytes when what is left can be a block. */
function trim(block: number, need: number): void {
  const header = u32[block >> 2];
  const size = (header >> SIZE_SHIFT) & SIZE_MASK;
  if (size - need >= MIN_BLOCK) {
    u32[block >> 2] = (need << SIZE_SHIFT) | (header & ~SIZE_FIELD);
    u32[(block + need) >> 2] = ((size - need) << SIZE_SHIFT) | TAG;
    free(block + need + 4);
  }
}

export function realloc(offset: number, size: number): number {
  if (offset === 0) return malloc(size);
  const end = u32[END >> 2];
  if (usableSize(offset) === 0 || size >>> 0 > end >>> 0) return 0;
  const need = blockSizeFor(size);
  const block = offset - 4;
  const header = u32[block >> 2];
  const had = (header >> SIZE_SHIFT) & SIZE_MASK;
  if (need > had) {
    const next = block + had;
    const nextSize = u32[next >> 2];
    if ((nextSize & LIVE) !== 0 || had + nextSize < need || !take(next, nextSize, end)) {
      const moved = malloc(size);
      if (moved === 0) return 0;
      // loop: at most words
      for (let at = 0; at < had - 4; at = at + 4) u32[(moved + at) >> 2] = u32[(offset + at) >> 2];
      free(offset);
      return moved;
    }
    // | block | next (free) | => | block ....... |, then cut to size
    const after = next + nextSize;
    u32[block >> 2] = header + (nextSize << SIZE_SHIFT);
    u32[after >> 2] = u32[after >> 2] - PREV_FREE;
  }
  trim(block, need);
  return offset;
}

export function memalign(alignment: number, size: number): number {
  const end = u32[END >> 2];
  if (alignment <= 0 || (alignment & (alignment - 1)) !== 0) return 0;
  if (alignment <= 8) return malloc(size);
  if (size >>> 0 > end >>> 0 || alignment > end) return 0;
  const need = blockSizeFor(size);
  const offset = malloc(need + alignment + MIN_BLOCK);
  if (offset === 0) return 0;
  let block = offset - 4;
  if ((offset & (alignment - 1)) !== 0) {
    // | block ................ | => | before (free) | block ..... |, the part before large enough for a block
    const payload = (offset + MIN_BLOCK + alignment - 1) & -alignment;
    const header = u32[block >> 2];
    const gap = payload - offset;
    u32[(block + gap) >> 2] = (header & SIZE_FIELD) - (gap << SIZE_SHIFT) + TAG;
    u32[block >> 2] = (gap << SIZE_SHIFT) | (header & ~SIZE_FIELD);
    block = block + gap;
    free(offset);
  }
  trim(block, need);
  return block + 4;
}

export function usableSize(offset: number): number {
  const end = u32[END >> 2];
  if ((offset & 7) !== 0 || offset >>> 0 > end >>> 0 || offset <= u32[FIRST >> 2]) return 0;
  const header = u32[(offset - 4) >> 2];
  const size = (header >> SIZE_SHIFT) & SIZE_MASK;
  if (!isLiveHeader(header) || size < MIN_BLOCK || size > end - offset + 4) return 0;
  return size - 4;
}

export function firstBlock(): number {
  return u32[FIRST >> 2];
}

/** The walk ends where a header leads nowhere. */
export function nextBlock(block: number): number {
  const header = u32[block >> 2];
  const size = (header & LIVE) === 0 ? header : (header >> SIZE_SHIFT) & SIZE_MASK;
  return size < MIN_BLOCK || (size & 7) !== 0 || size > u32[END >> 2] - block ? 0 : block + size;
}

export function blockKind(block: number): number {
  if (block === u32[END >> 2]) return BLOCK_CONTROL;
  return (u32[block >> 2] & LIVE) !== 0 ? BLOCK_LIVE : BLOCK_FREE;
}

export function blockPayload(block: number): number {
  return block + 4;
}
