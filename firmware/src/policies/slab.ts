/**
 * Slab: pages of 128 bytes, each cut into blocks of one size with a bit for each free one; larger requests take whole
 * pages. All bookkeeping lies below the blocks, so that no write past a payload's end reaches it.
 *
 * Evans: "A scalable concurrent malloc(3) implementation for FreeBSD", 2006 (jemalloc's runs); Bonwick: "The slab
 * allocator", 1994.
 *
 *   offset 0          40                                 page 1                page PAGES
 *          [ control ][ record of page 0, 1 .. PAGES + 1 ][ 128 bytes ] ... [ 128 bytes ] arena end
 *
 *   control, in 16-bit words   [ PAGES | LOW | ORIGIN | check ][ head of list 1 .. 8 ][ mask of class 1 .. 8 ]
 *   record, in 16-bit words    [ bits ][ next ][ kind: 4 bits, previous: 12 bits ]
 *
 *   page of class g   [ g granules ][ g granules ] ... [ rest ]   bits: those granules where a free block begins
 *                     in list g while it has a free block         mask g: those where any block begins
 *   large block       [ shift ][ payload ................. ]      bits: pages; next: shift, in granules (memalign)
 *   free pages        [ ................................... ]      bits: pages, in the first and the last record
 *
 * Classes are the sizes of 1 to 8 granules of 8 bytes. A page whose blocks are all free goes back, unless it is the only
 * one of its list; that one goes when pages are short. When they are, a small request takes a block of a larger class.
 * Pages are given first-fit, so that the arena fills from below; pages below LOW are in use.
 *
 * Bound: malloc and free of up to 64 bytes, while the list has a page: a fixed number of steps. A page is found in one
 * step a run of pages, PAGES at most (512 for 64 KB), done at most twice; a large block's records are written, one for each
 * 128 bytes. realloc: malloc, free and a copy. Overhead: 6 bytes a page, the rounding to a class or to pages, and what
 * the blocks of a class leave of a page. Control: 40 bytes. At most 4094 pages, 511 KB.
 *
 * Invariants (check() returns the number)
 *   1  runs of free pages, large blocks and pages of a class cover pages 1 to PAGES; no two free runs are neighbours
 *   2  the bits of a page of a class are among its mask, and the masks are those of the classes
 *   3  a page of a class is in its list exactly when it has a free block, once, and previous links agree
 *   4  no page below LOW is free
 */
import { u16 } from '../arena.ts';
import { lowestBit } from '../bits.ts';
import { moveBytes } from '../copy.ts';
import { BLOCK_CONTROL, BLOCK_FREE, BLOCK_LIVE, MISUSE_NOT_LIVE, MISUSE_WILD } from '../policy.ts';

export { locate, pin, unpin } from './in-place.ts';

/** Indices in u16. A page begins at granule ORIGIN + 16 * page. */
const PAGES = 0;
const LOW = 1;
const ORIGIN = 2;
const CHECK = 3;
/** The lists' heads are at HEADS + class, the masks at MASKS + class. */
const HEADS = 3;
const MASKS = 11;
const CLASSES = 8;
const RECORDS = 20;

/** Words of a record. */
const BITS = 0;
const NEXT = 1;
const LINK = 2;
const KIND_SHIFT = 12;
const PREVIOUS_MASK = 0xfff;

/** Kinds of a page; 1 to CLASSES are the classes. */
const FREE_PAGE = 0;
const LARGE = 9;
const INSIDE = 10;
const CONTROL = 11;

const PAGE_BYTES = 128;
const PAGE_SHIFT = 7;
const RECORD_BYTES = 6;
const CONTROL_BYTES = 40;
const MAX_SMALL_BYTES = 64;
const MAX_PAGES = 4094;
const MAX_REQUEST_BYTES = 0x7ffff;

/** Index in u16 of a page's record. @inline */
function recordOf(page: number): number {
  return RECORDS + page + page + page;
}

/** @inline */
function kindOf(page: number): number {
  return u16[recordOf(page) + LINK]! >> KIND_SHIFT;
}

/** Bits of the granules where a block of `kind` granules begins in its page. */
function maskOf(kind: number): number {
  let mask = 0;
  for (let at = 0; at + kind <= 16; at = at + kind) mask = mask | (1 << at);
  return mask;
}

export function init(arenaBytes: number): number {
  const bytes = arenaBytes & ~7;
  // The first page lies at 128 at least, so that ORIGIN is not negative.
  let pages = Math.min((bytes - PAGE_BYTES) >> PAGE_SHIFT, MAX_PAGES);
  while (pages > 0 && CONTROL_BYTES + (pages + 2) * RECORD_BYTES > bytes - (pages << PAGE_SHIFT)) pages = pages - 1;
  if (pages <= 0) return 0;
  const origin = (bytes >> 3) - ((pages + 1) << 4);
  for (let word = 0; word < (origin + 16) << 2; word = word + 1) u16[word] = 0;
  u16[PAGES] = pages;
  u16[LOW] = 1;
  u16[ORIGIN] = origin;
  for (let kind = 1; kind <= CLASSES; kind = kind + 1) u16[MASKS + kind] = maskOf(kind);
  u16[recordOf(0) + LINK] = CONTROL << KIND_SHIFT;
  u16[recordOf(pages + 1) + LINK] = CONTROL << KIND_SHIFT;
  setFreeRun(1, pages);
  return pages << PAGE_SHIFT;
}

/** Writes the two counts of a run of free pages, whose kinds are FREE_PAGE already. */
function setFreeRun(page: number, count: number): void {
  u16[recordOf(page) + BITS] = count;
  u16[recordOf(page + count - 1) + BITS] = count;
}

/** The first of `count` free pages from LOW on, 0 when there are none. @routine */
function findPages(count: number): number {
  const pages = u16[PAGES]!;
  let page = u16[LOW]!;
  let low = 0;
  // loop: at most pages
  while (page <= pages) {
    const kind = kindOf(page);
    let step = 1;
    if (kind === FREE_PAGE) {
      if (low === 0) {
        low = page;
        u16[LOW] = page;
      }
      step = u16[recordOf(page) + BITS]!;
      if (step >= count) return page;
    } else if (kind === LARGE) {
      step = u16[recordOf(page) + BITS]!;
    }
    page = page + step;
  }
  if (low === 0) u16[LOW] = pages + 1;
  return 0;
}

/** Takes `count` pages from the run of free pages that begins at `page`. Their kinds are the caller's to write. */
function cutRun(page: number, count: number): void {
  const rest = u16[recordOf(page) + BITS]! - count;
  if (rest !== 0) setFreeRun(page + count, rest);
  if (u16[LOW] === page) u16[LOW] = page + count;
}

/** Gives pages back, joined with free neighbours. @routine */
function releasePages(page: number, count: number): void {
  // loop: at most pages
  for (let at = page; at < page + count; at = at + 1) u16[recordOf(at) + LINK] = 0;
  if (kindOf(page + count) === FREE_PAGE) count = count + u16[recordOf(page + count) + BITS]!;
  if (kindOf(page - 1) === FREE_PAGE) {
    const before = u16[recordOf(page - 1) + BITS]!;
    page = page - before;
    count = count + before;
  }
  setFreeRun(page, count);
  if (page < u16[LOW]!) u16[LOW] = page;
}

/** @routine */
function linkPage(page: number, kind: number): void {
  const next = u16[HEADS + kind]!;
  const record = recordOf(page);
  u16[record + NEXT] = next;
  u16[record + LINK] = kind << KIND_SHIFT;
  if (next !== 0) u16[recordOf(next) + LINK] = (kind << KIND_SHIFT) | page;
  u16[HEADS + kind] = page;
}

/** @routine */
function unlinkPage(page: number, kind: number): void {
  const record = recordOf(page);
  const next = u16[record + NEXT]!;
  const previous = u16[record + LINK]! & PREVIOUS_MASK;
  if (previous === 0) u16[HEADS + kind] = next;
  else u16[recordOf(previous) + NEXT] = next;
  if (next !== 0) u16[recordOf(next) + LINK] = (kind << KIND_SHIFT) | previous;
}

/** The pages that lists keep although all their blocks are free go back. Whether there was one. */
function releaseKept(): boolean {
  let released = false;
  for (let kind = 1; kind <= CLASSES; kind = kind + 1) {
    const page = u16[HEADS + kind]!;
    if (page !== 0 && u16[recordOf(page) + BITS] === u16[MASKS + kind]) {
      unlinkPage(page, kind);
      releasePages(page, 1);
      released = true;
    }
  }
  return released;
}

/** The first of `count` free pages, after giving kept ones back if need be; 0 when there are none. */
function takePages(count: number): number {
  let page = findPages(count);
  if (page === 0 && releaseKept()) page = findPages(count);
  if (page !== 0) cutRun(page, count);
  return page;
}

/** The list of class `kind` is empty: a new page for it, else a list of larger blocks. 0 when there is none. @routine */
function refill(kind: number): number {
  const page = takePages(1);
  if (page !== 0) {
    u16[recordOf(page) + BITS] = u16[MASKS + kind]!;
    linkPage(page, kind);
    return kind;
  }
  for (let other = kind + 1; other <= CLASSES; other = other + 1) if (u16[HEADS + other] !== 0) return other;
  return 0;
}

export function malloc(size: number): number {
  if (size >>> 0 > MAX_SMALL_BYTES) return mallocLarge(size);
  let kind = size === 0 ? 1 : (size + 7) >> 3;
  let page = u16[HEADS + kind]!;
  if (page === 0) {
    kind = refill(kind);
    if (kind === 0) return 0;
    page = u16[HEADS + kind]!;
  }
  const record = recordOf(page);
  const bits = u16[record + BITS]!;
  const rest = bits & (bits - 1);
  u16[record + BITS] = rest;
  if (rest === 0) {
    const next = u16[record + NEXT]!;
    u16[HEADS + kind] = next;
    if (next !== 0) u16[recordOf(next) + LINK] = kind << KIND_SHIFT;
  }
  return (u16[ORIGIN]! + (page << 4) + lowestBit(bits)) << 3;
}

/** Marks `count` pages as one large block whose payload begins `shift` granules after the first page's start. */
function setLarge(page: number, count: number, shift: number): void {
  const record = recordOf(page);
  u16[record + BITS] = count;
  u16[record + NEXT] = shift;
  u16[record + LINK] = LARGE << KIND_SHIFT;
  // loop: at most pages
  for (let at = page + 1; at < page + count; at = at + 1) u16[recordOf(at) + LINK] = INSIDE << KIND_SHIFT;
}

/** @routine */
function mallocLarge(size: number): number {
  if (size >>> 0 > MAX_REQUEST_BYTES) return 0;
  const count = (size + PAGE_BYTES - 1) >> PAGE_SHIFT;
  const page = takePages(count);
  if (page === 0) return 0;
  setLarge(page, count, 0);
  return (u16[ORIGIN]! + (page << 4)) << 3;
}

/** The page that holds this offset; 0 when none does or the offset is not aligned. @inline */
function pageOf(offset: number): number {
  const page = ((offset >> 3) - u16[ORIGIN]!) >> 4;
  return (offset & 7) !== 0 || page < 1 || page > u16[PAGES]! ? 0 : page;
}

export function free(offset: number): number {
  const page = pageOf(offset);
  if (page === 0) return MISUSE_WILD;
  const record = recordOf(page);
  const kind = u16[record + LINK]! >> KIND_SHIFT;
  const at = ((offset >> 3) - u16[ORIGIN]!) & 15;
  const had = u16[record + BITS]!;
  if (kind < 1 || kind > LARGE) return MISUSE_NOT_LIVE;
  if (kind === LARGE) {
    if (at !== u16[record + NEXT]) return MISUSE_NOT_LIVE;
    releasePages(page, had);
    return 0;
  }
  const bit = 1 << at;
  const mask = u16[MASKS + kind]!;
  if ((mask & ~had & bit) === 0) return MISUSE_NOT_LIVE;
  u16[record + BITS] = had | bit;
  if (had === 0) {
    linkPage(page, kind);
  } else if ((had | bit) === mask && (u16[record + NEXT] !== 0 || u16[HEADS + kind] !== page)) {
    unlinkPage(page, kind);
    releasePages(page, 1);
  }
  return 0;
}

export function usableSize(offset: number): number {
  const page = pageOf(offset);
  if (page === 0) return 0;
  const record = recordOf(page);
  const kind = kindOf(page);
  const at = ((offset >> 3) - u16[ORIGIN]!) & 15;
  if (kind < 1 || kind > LARGE) return 0;
  if (kind === LARGE) return at === u16[record + NEXT] ? (u16[record + BITS]! << PAGE_SHIFT) - (at << 3) : 0;
  return (u16[MASKS + kind]! & ~u16[record + BITS]! & (1 << at)) === 0 ? 0 : kind << 3;
}

/**
 * Resizes a large block where it is, or down into free pages before it. Returns its offset, 0 when that cannot be.
 *
 *   [ block ............ ]           =>  [ block ][ free ... ]
 *   [ block ][ free ............ ]   =>  [ block ........ ][ free ]
 */
function resizeLarge(offset: number, size: number): number {
  const page = pageOf(offset);
  const record = recordOf(page);
  const shift = u16[record + NEXT]!;
  const had = u16[record + BITS]!;
  const count = ((shift << 3) + Math.max(size, 1) + PAGE_BYTES - 1) >> PAGE_SHIFT;
  if (count < had) {
    u16[record + BITS] = count;
    releasePages(page + count, had - count);
  } else if (count > had) {
    const after = page + had;
    if (kindOf(after) !== FREE_PAGE || had + u16[recordOf(after) + BITS]! < count) return 0;
    cutRun(after, count - had);
    setLarge(page, count, shift);
  }
  return offset;
}

/** The last resort of a large block that grows: the free pages around it and its own, as one run. 0 when too few. */
function slide(offset: number, size: number): number {
  const page = pageOf(offset);
  const had = u16[recordOf(page) + BITS]!;
  const count = (size + PAGE_BYTES - 1) >> PAGE_SHIFT;
  if (kindOf(page - 1) !== FREE_PAGE) return 0;
  const before = u16[recordOf(page - 1) + BITS]!;
  const after = kindOf(page + had) === FREE_PAGE ? u16[recordOf(page + had) + BITS]! : 0;
  if (before + had + after < count) return 0;
  const held = usableSize(offset);
  releasePages(page, had);
  const target = page - before;
  cutRun(target, count);
  setLarge(target, count, 0);
  const moved = (u16[ORIGIN]! + (target << 4)) << 3;
  moveBytes(moved, offset, held);
  return moved;
}

export function realloc(offset: number, size: number): number {
  if (offset === 0) return malloc(size);
  const held = usableSize(offset);
  if (held === 0 || size >>> 0 > MAX_REQUEST_BYTES) return 0;
  const large = kindOf(pageOf(offset)) === LARGE;
  if (large && size > MAX_SMALL_BYTES) {
    if (resizeLarge(offset, size) !== 0) return offset;
  } else if (!large && size <= held && size > held - 8) {
    return offset;
  }
  const moved = malloc(size);
  if (moved === 0) {
    // What is smaller than before may stay where it is.
    if (size <= held) return large ? resizeLarge(offset, size) : offset;
    return large ? slide(offset, size) : 0;
  }
  moveBytes(moved, offset, Math.min(held, (size + 7) & ~7));
  free(offset);
  return moved;
}

/** [ pages .................... ]  =>  [ free ][ shift | payload ..... ][ free ] */
export function memalign(alignment: number, size: number): number {
  if (alignment <= 0 || (alignment & (alignment - 1)) !== 0) return 0;
  if (alignment <= 8) return malloc(size);
  if (alignment > MAX_REQUEST_BYTES || size >>> 0 > MAX_REQUEST_BYTES) return 0;
  const count = (Math.max(size, 1) + alignment - 8 + PAGE_BYTES - 1) >> PAGE_SHIFT;
  const page = takePages(count);
  if (page === 0) return 0;
  const start = (u16[ORIGIN]! + (page << 4)) << 3;
  const offset = (start + alignment - 1) & ~(alignment - 1);
  const lead = (offset - start) >> PAGE_SHIFT;
  const shift = ((offset - start) >> 3) & 15;
  const needed = ((shift << 3) + Math.max(size, 1) + PAGE_BYTES - 1) >> PAGE_SHIFT;
  setLarge(page + lead, needed, shift);
  if (lead !== 0) releasePages(page, lead);
  if (lead + needed !== count) releasePages(page + lead + needed, count - lead - needed);
  return offset;
}

export function firstBlock(): number {
  return (u16[ORIGIN]! + 16) << 3;
}

/** The blocks of a page in turn, then what they leave of it; large blocks and runs of free pages at a step. */
export function nextBlock(block: number): number {
  const at = ((block >> 3) - u16[ORIGIN]!) & 15;
  const page = ((block >> 3) - u16[ORIGIN]!) >> 4;
  const kind = kindOf(page);
  let next = page + 1;
  if (kind >= 1 && kind <= CLASSES) {
    if (at + kind < 16 && ((u16[MASKS + kind]! >> at) & 1) !== 0) return block + (kind << 3);
  } else if (kind === LARGE || kind === FREE_PAGE) {
    next = page + u16[recordOf(page) + BITS]!;
  }
  return next > u16[PAGES]! || next <= page ? 0 : (u16[ORIGIN]! + (next << 4)) << 3;
}

export function blockKind(block: number): number {
  const at = ((block >> 3) - u16[ORIGIN]!) & 15;
  const page = ((block >> 3) - u16[ORIGIN]!) >> 4;
  const kind = kindOf(page);
  if (kind === FREE_PAGE) return BLOCK_FREE;
  if (kind === LARGE) return BLOCK_LIVE;
  if (kind > LARGE || ((u16[MASKS + kind]! >> at) & 1) === 0) return BLOCK_CONTROL;
  return ((u16[recordOf(page) + BITS]! >> at) & 1) !== 0 ? BLOCK_FREE : BLOCK_LIVE;
}

export function blockPayload(block: number): number {
  const page = ((block >> 3) - u16[ORIGIN]!) >> 4;
  return kindOf(page) === LARGE ? block + (u16[recordOf(page) + NEXT]! << 3) : block;
}

function violated(invariant: number, page: number): number {
  u16[CHECK] = u16[ORIGIN]! + (page << 4);
  return invariant;
}

/** Whether list `kind` holds this page, and the links that lead to it agree. */
function isListed(page: number, kind: number): boolean {
  let previous = 0;
  let listed = u16[HEADS + kind]!;
  for (let steps = u16[PAGES]!; steps > 0 && listed !== 0 && listed <= u16[PAGES]!; steps = steps - 1) {
    if (u16[recordOf(listed) + LINK] !== ((kind << KIND_SHIFT) | previous)) return false;
    if (listed === page) return true;
    previous = listed;
    listed = u16[recordOf(listed) + NEXT]!;
  }
  return false;
}

/** Pages in all lists, at most `most`. */
function countListed(most: number): number {
  let count = 0;
  for (let kind = 1; kind <= CLASSES; kind = kind + 1) {
    for (let page = u16[HEADS + kind]!; page !== 0 && count <= most; page = u16[recordOf(page) + NEXT]!) {
      if (page > u16[PAGES]!) return most + 1;
      count = count + 1;
    }
  }
  return count;
}

export function check(): number {
  const pages = u16[PAGES]!;
  if (pages > MAX_PAGES || kindOf(0) !== CONTROL || kindOf(pages + 1) !== CONTROL) return violated(1, 0);
  for (let kind = 1; kind <= CLASSES; kind = kind + 1) if (u16[MASKS + kind] !== maskOf(kind)) return violated(2, 0);
  let listed = 0;
  let wasFree = false;
  for (let page = 1; page <= pages; ) {
    const kind = kindOf(page);
    const bits = u16[recordOf(page) + BITS]!;
    if (kind >= 1 && kind <= CLASSES) {
      if ((bits & ~u16[MASKS + kind]!) !== 0) return violated(2, page);
      if (bits !== 0) {
        if (!isListed(page, kind)) return violated(3, page);
        listed = listed + 1;
      }
      page = page + 1;
    } else {
      const isFree = kind === FREE_PAGE;
      if ((!isFree && kind !== LARGE) || bits < 1 || page + bits > pages + 1) return violated(1, page);
      if (isFree && (wasFree || u16[recordOf(page + bits - 1) + BITS] !== bits)) return violated(1, page);
      if (isFree && page < u16[LOW]!) return violated(4, page);
      if (!isFree && u16[recordOf(page) + NEXT]! > 15) return violated(1, page);
      const inside = isFree ? FREE_PAGE : INSIDE;
      for (let at = page + 1; at < page + bits; at = at + 1) if (kindOf(at) !== inside) return violated(1, at);
      page = page + bits;
    }
    wasFree = kind === FREE_PAGE;
  }
  return countListed(pages) === listed ? 0 : violated(3, 0);
}

export function checkOffset(): number {
  return u16[CHECK]! << 3;
}
