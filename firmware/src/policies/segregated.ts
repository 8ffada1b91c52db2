/**
 * Segregated lists with a list a size in front: a freed block goes to the list of its size as it is, and the next
 * request of that size takes it back. Neighbours are only joined when memory runs out.
 *
 * Weinstock, Wulf: "Quick Fit: an efficient algorithm for heap storage allocation", 1988; ptmalloc's tcache and fast
 * bins are the same idea.
 *
 *   live    | TAG, size          | payload ................. |        TAG: live-header.ts
 *   cached  | TAG less LIVE, size | next | ................. |
 *             block                 +4
 *
 *   arena   [ control ][ heads ][ block ][ block ] ... [ top: not yet given out ... ][ end word ]
 *
 * Headers lie at 4 mod 8, sizes are multiples of 8 and count the header, the smallest block is 8 bytes. A request is
 * served, in this order, by the list of its size, from the top, from a larger block that is split, and after all
 * cached neighbours were joined and the lists built anew. Lists 1 to 65 hold one size each (in granules of 8); above
 * there are eight lists an octave, whose blocks are between their list's least size and the next one's.
 *
 * Splitting among blocks that were never joined breaks up the large ones. So a search joins first when there were as many
 * as the arena has KB since the last join: that saves 2 % of the memory the recorded traces need, and the walk over all
 * blocks is shared by searches whose number grows with it.
 *
 * A write past a payload reaches headers and links. A cached block is believed when it lies below the top and its header
 * is one of its list; else the list is dropped, and joining finds its blocks again, up to a header that was overwritten.
 * No address leaves the arena. A live block's own size is in one place only: TAG tells a header from most other words
 * (docs/safety.md).
 *
 * Invariants, as numbered by check():
 *   1 blocks tile [first, top): every size is a multiple of 8 and at least 8, and each block is live or cached
 *   2 every cached block is in the list of its size, every listed block is cached
 *   3 the top lies between the first block and the end
 *
 * Bound: free, and malloc while its list or the top serves it, a fixed number of steps; else one walk over the lists
 * and one over the blocks. Overhead: 4 bytes a block and the rounding to 8; control: 20 bytes and a word a list.
 */
import { u32 } from '../arena.ts';
import { highestBit } from '../bits.ts';
import { BLOCK_CONTROL, BLOCK_FREE, BLOCK_LIVE, MISUSE_CORRUPT, MISUSE_NOT_LIVE, MISUSE_WILD } from '../policy.ts';
import { LIVE, MAX_ARENA_BYTES, SIZE_FIELD, SIZE_MASK, SIZE_SHIFT, TAG } from './live-header.ts';

export { locate, pin, unpin } from './in-place.ts';

/** The header of a cached block but for its size: as a live one's, with LIVE clear. */
const CACHED = TAG - LIVE;
/** Bits of a header less TAG or CACHED that are not the size's. */
const BELOW_SIZE = 63;
/** From granules to their place in the header. */
const GRANULES_SHIFT = 6;

/** Control words. Neither these nor the heads have the bits of TAG: what lies before the first block never looks live. */
const TOP = 0; // offset where the next block is cut from the top
const END = 4; // offset of the end word
const FIRST = 8; // offset of the first block
const PATIENCE = 12; // searches until one joins first
const CHECKED = 16;
const HEADS = 4; // in words: list 1, the smallest, has its head in word 5

/** Lists 1 to 65 hold one size each: requests below 2^SMALL_BITS. */
const SMALL_BITS = 9;
const EXACT_LISTS = 66;
/** Leftovers below this stay with the block they would be cut from. */
const MIN_REST = 16;
/** A join is shared by a search for each KB of arena: fewer need less memory, more are faster. */
const JOIN_SHIFT = 10;

/** The list of blocks of g granules, EXACT_LISTS or more: eight an octave. @routine */
function listOfLarge(g: number): number {
  const octave = highestBit(g);
  return (octave << 3) + (g >> (octave - 3)) + (EXACT_LISTS - 56);
}

/** @inline */
function listOf(g: number): number {
  return g < EXACT_LISTS ? g : listOfLarge(g);
}

export function init(arenaBytes: number): number {
  if (arenaBytes > MAX_ARENA_BYTES) arenaBytes = MAX_ARENA_BYTES;
  const end = (arenaBytes & ~7) - 4;
  const first = end > 64 ? ((((HEADS + listOf(end >> 3)) << 2) + 7) & ~7) | 4 : 0;
  if (first === 0 || end - first < 8) return 0;
  for (let at = 0; at < first; at = at + 4) u32[at >> 2] = 0;
  u32[TOP >> 2] = first;
  u32[END >> 2] = end;
  u32[FIRST >> 2] = first;
  u32[end >> 2] = TAG;
  return end - first - 4;
}

export function malloc(size: number): number {
  const granules = (size + 11) >> 3;
  if (size >>> SMALL_BITS !== 0) return mallocLarge(size);
  const block = u32[granules + HEADS];
  if (block !== 0) {
    if (block >>> 0 < u32[TOP >> 2] >>> 0 && (block & 7) === 4) {
      const header = u32[block >> 2];
      if (header === (granules << GRANULES_SHIFT) + CACHED) {
        u32[granules + HEADS] = u32[(block + 4) >> 2];
        u32[block >> 2] = header + LIVE;
        return block + 4;
      }
    }
    u32[granules + HEADS] = 0;
  }
  return cut(granules << 3);
}

/** The size of the cached block that lies there; 0 when none does. @routine */
function cachedSize(block: number): number {
  if (block >>> 0 >= u32[TOP >> 2] >>> 0 || (block & 7) !== 4) return 0;
  const field = u32[block >> 2] - CACHED;
  const size = field >>> SIZE_SHIFT;
  return (field & BELOW_SIZE) === 0 && size >= 8 && size <= u32[TOP >> 2] - block ? size : 0;
}

/** The first block of its list, if that is large enough; a list holds several sizes. */
export function mallocLarge(size: number): number {
  if (size >>> 0 > u32[END >> 2] >>> 0) return 0;
  const granules = (size + 11) >> 3;
  const list = listOfLarge(granules);
  const block = u32[list + HEADS];
  if (block !== 0) {
    const held = cachedSize(block);
    if (held >= granules << 3) {
      u32[list + HEADS] = u32[(block + 4) >> 2];
      u32[block >> 2] = (held << SIZE_SHIFT) + TAG;
      return block + 4;
    }
    if (held === 0) u32[list + HEADS] = 0;
  }
  return cut(granules << 3);
}

/** A block of `need` bytes from the top, or from the lists when too little is left of it. */
export function cut(need: number): number {
  const top = u32[TOP >> 2];
  const after = top + need;
  if (after > u32[END >> 2]) return search(need);
  u32[TOP >> 2] = after;
  u32[top >> 2] = (need << SIZE_SHIFT) + TAG;
  return top + 4;
}

/**
 * Whether the bounds of all loops are bounds: an end word lies where the end is said to be, and nothing ends behind it.
 * Beyond the arena no word is loaded, and nothing equals that. @inline
 */
function isBounded(): boolean {
  const end = u32[END >> 2];
  const top = u32[TOP >> 2];
  return u32[end >> 2] === TAG && top >>> 0 <= end >>> 0 && u32[FIRST >> 2] >>> 0 <= top >>> 0;
}

/** The top is used up: the smallest listed block that is large enough, split; before giving up, neighbours are joined. */
export function search(need: number): number {
  if (!isBounded()) return 0;
  const patience = u32[PATIENCE >> 2];
  if (patience !== 0) {
    u32[PATIENCE >> 2] = patience - 1;
    const block = takeListed(need);
    if (block !== 0) return block + 4;
  }
  u32[PATIENCE >> 2] = u32[END >> 2] >> JOIN_SHIFT;
  join();
  const top = u32[TOP >> 2];
  const after = top + need;
  if (after <= u32[END >> 2]) {
    u32[TOP >> 2] = after;
    u32[top >> 2] = (need << SIZE_SHIFT) + TAG;
    return top + 4;
  }
  const joined = takeListed(need);
  return joined === 0 ? 0 : joined + 4;
}

/** Moves the end between the top and the size given to init, for which there are heads; see Policy. */
export function moveEnd(fromBytes: number, toBytes: number): number {
  const to = (toBytes & ~7) - 4;
  if (!isBounded()) return fromBytes;
  if (to < u32[END >> 2]) join();
  const end = Math.max(to, u32[TOP >> 2]);
  // What was the end must not look like a block when it is inside one.
  u32[u32[END >> 2] >> 2] = 0;
  u32[END >> 2] = end;
  u32[end >> 2] = TAG;
  return end + 4;
}

/** Takes a block of at least `need` bytes from the lists and makes it live; 0 when there is none. @routine */
function takeListed(need: number): number {
  const heads = u32[FIRST >> 2] >> 2;
  // An overflow can make a list a circle: no walk takes more steps than there can be blocks.
  let steps = u32[END >> 2] >> 3;
  // loop: at most lists
  for (let list = HEADS + listOf(need >> 3); list < heads; list = list + 1) {
    let link = list;
    let block = u32[link];
    // loop: at most blocks
    while (block !== 0 && steps !== 0) {
      steps = steps - 1;
      const size = cachedSize(block);
      if (size >= need) {
        u32[link] = u32[(block + 4) >> 2];
        const rest = size - need;
        if (rest < MIN_REST) {
          u32[block >> 2] = (size << SIZE_SHIFT) + TAG;
        } else {
          u32[block >> 2] = (need << SIZE_SHIFT) + TAG;
          push(block + need, rest);
        }
        return block;
      }
      if (size === 0) {
        u32[link] = 0;
        block = 0;
      } else {
        link = (block + 4) >> 2;
        block = u32[link];
      }
    }
  }
  return 0;
}

/** Makes `size` bytes at `block` a cached block at the head of its list. @routine */
function push(block: number, size: number): void {
  const list = HEADS + listOf(size >> 3);
  u32[block >> 2] = (size << SIZE_SHIFT) + CACHED;
  u32[(block + 4) >> 2] = u32[list];
  u32[list] = block;
}

/** Joins cached neighbours, and those before the top with it; the lists are built anew. @routine */
function join(): void {
  const first = u32[FIRST >> 2];
  const top = u32[TOP >> 2];
  const heads = first >> 2;
  // loop: at most lists
  for (let list = HEADS + 1; list < heads; list = list + 1) u32[list] = 0;
  let block = first;
  // loop: at most blocks
  while (block < top) {
    const header = u32[block >> 2];
    const size = (header >> SIZE_SHIFT) & SIZE_MASK;
    const kind = header & ~SIZE_FIELD;
    // A header that was overwritten ends the walk: what lies behind it is lost, not walked for ever.
    if (size < 8 || size > top - block) return;
    let after = block + size;
    if (kind === CACHED) {
      let gain = cachedSize(after);
      // loop: at most blocks
      while (gain !== 0) {
        after = after + gain;
        gain = cachedSize(after);
      }
      if (after >= top) {
        u32[TOP >> 2] = block;
        return;
      }
      push(block, after - block);
    } else if (kind !== TAG) return;
    block = after;
  }
}

export function free(offset: number): number {
  const block = offset - 4;
  if ((offset & 7) !== 0) return MISUSE_WILD;
  const top = u32[TOP >> 2];
  if (block >>> 0 >= top >>> 0) return block >>> 0 < u32[END >> 2] >>> 0 ? MISUSE_NOT_LIVE : MISUSE_WILD;
  const header = u32[block >> 2];
  const field = header - TAG;
  if ((field & BELOW_SIZE) !== 0) return (field & LIVE) !== 0 ? MISUSE_NOT_LIVE : MISUSE_CORRUPT;
  if ((field >>> SIZE_SHIFT) >>> 0 > (top - block) >>> 0) return MISUSE_CORRUPT;
  let list = field >> GRANULES_SHIFT;
  if (list >= EXACT_LISTS) list = listOfLarge(list);
  list = list + HEADS;
  u32[block >> 2] = header - LIVE;
  u32[offset >> 2] = u32[list];
  u32[list] = block;
  return 0;
}

export function realloc(offset: number, size: number): number {
  if (offset === 0) return malloc(size);
  const end = u32[END >> 2];
  const had = usableSize(offset);
  if (had === 0 || size >>> 0 > end >>> 0) return 0;
  const block = offset - 4;
  const next = offset + had;
  const after = block + (((size + 11) >> 3) << 3);
  if (after > next) {
    if (next !== u32[TOP >> 2] || after > end) return move(offset, had, size);
    // The last block before the top grows into it.
    u32[TOP >> 2] = after;
    u32[block >> 2] = ((after - block) << SIZE_SHIFT) + TAG;
  } else {
    trim(block, next - block, after - block);
  }
  return offset;
}

/** The block of `had` usable bytes at `offset` with its contents in a larger one; 0 when there is none. */
export function move(offset: number, had: number, size: number): number {
  const moved = malloc(size);
  if (moved === 0) return 0;
  const from = offset >> 2;
  const to = moved >> 2;
  u32[to] = u32[from];
  // Usable sizes are 4 mod 8: after the first word, two at a time.
  // loop: at most words
  for (let i = 1; i < had >> 2; i = i + 2) {
    u32[to + i] = u32[from + i];
    u32[to + i + 1] = u32[from + i + 1];
  }
  push(offset - 4, had + 4);
  return moved;
}

/** Cuts a live block of `had` bytes down to `need`. @inline */
function trim(block: number, had: number, need: number): void {
  if (had - need < MIN_REST) return;
  u32[block >> 2] = (need << SIZE_SHIFT) + TAG;
  push(block + need, had - need);
}

export function memalign(alignment: number, size: number): number {
  const end = u32[END >> 2];
  if (alignment <= 0 || (alignment & (alignment - 1)) !== 0) return 0;
  if (alignment <= 8) return malloc(size);
  if (size >>> 0 > end >>> 0 || alignment > end) return 0;
  const offset = malloc(size + alignment);
  if (offset === 0) return 0;
  let block = offset - 4;
  let had = usableSize(offset) + 4;
  const gap = -offset & (alignment - 1);
  if (gap !== 0) {
    // | block ............ | => | before (cached) | block .... |
    push(block, gap);
    block = block + gap;
    had = had - gap;
    u32[block >> 2] = (had << SIZE_SHIFT) + TAG;
  }
  trim(block, had, ((size + 11) >> 3) << 3);
  return block + 4;
}

export function usableSize(offset: number): number {
  const block = offset - 4;
  const top = u32[TOP >> 2];
  if ((offset & 7) !== 0 || block >>> 0 >= top >>> 0) return 0;
  const field = u32[block >> 2] - TAG;
  const size = field >>> SIZE_SHIFT;
  if ((field & BELOW_SIZE) !== 0 || size < 8 || size >>> 0 > (top - block) >>> 0) return 0;
  return size - 4;
}

export function firstBlock(): number {
  return u32[FIRST >> 2];
}

/** The top is a free block of its own when anything is left of it. */
export function nextBlock(block: number): number {
  const end = u32[END >> 2];
  if (block === end) return 0;
  if (block === u32[TOP >> 2]) return end;
  // The walk ends where a header leads nowhere.
  const size = (u32[block >> 2] >> SIZE_SHIFT) & SIZE_MASK;
  return size < 8 || size > u32[TOP >> 2] - block ? 0 : block + size;
}

export function blockKind(block: number): number {
  if (block === u32[END >> 2]) return BLOCK_CONTROL;
  if (block === u32[TOP >> 2]) return BLOCK_FREE;
  return (u32[block >> 2] & LIVE) !== 0 ? BLOCK_LIVE : BLOCK_FREE;
}

export function blockPayload(block: number): number {
  return block + 4;
}

export function check(): number {
  const end = u32[END >> 2];
  const first = u32[FIRST >> 2];
  const top = u32[TOP >> 2];
  u32[CHECKED >> 2] = top & ~LIVE;
  if (top < first || top > end || u32[end >> 2] !== TAG) return 3;
  let cached = 0;
  let block = first;
  while (block < top) {
    u32[CHECKED >> 2] = block;
    const header = u32[block >> 2];
    const size = (header >> SIZE_SHIFT) & SIZE_MASK;
    const kind = header & ~SIZE_FIELD;
    if (size < 8 || block + size > top || (kind !== TAG && kind !== CACHED)) return 1;
    if (kind === CACHED) cached = cached + 1;
    block = block + size;
  }
  const heads = first >> 2;
  for (let list = HEADS + 1; list < heads; list = list + 1) {
    block = u32[list];
    while (block !== 0) {
      u32[CHECKED >> 2] = block & ~LIVE;
      if (block < first || block >= top || (block & 7) !== 4 || cached === 0) return 2;
      const header = u32[block >> 2];
      const size = (header >> SIZE_SHIFT) & SIZE_MASK;
      if ((header & ~SIZE_FIELD) !== CACHED || HEADS + listOf(size >> 3) !== list) return 2;
      cached = cached - 1;
      block = u32[(block + 4) >> 2];
    }
  }
  return cached === 0 ? 0 : 2;
}

export function checkOffset(): number {
  return u32[CHECKED >> 2];
}
