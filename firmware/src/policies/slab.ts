/**
 * Slab: pages of 256 bytes. A page is a run of slots of one size with a bitmap, or part of a block of whole pages.
 * Requests up to 128 bytes take a slot: 16, 24, 32, 40, 48, 64, 80 or 128 bytes. Larger ones take whole pages.
 *
 * J. Evans: "A scalable concurrent malloc(3) implementation for FreeBSD", 2006 (jemalloc's runs with bitmaps);
 * J. Bonwick: "The slab allocator", 1994.
 *
 *   offset 0    16        112   136                      base
 *     [ control | classes | map | - | page 1, 2 ... | - ][ page 1 ][ page 2 ] ... [ page n ]
 *
 *   control   LIMIT bytes of all pages, BASE, CHECKED: words; RUNS head of the free runs, END: halves
 *   class     halves: head of its runs that have a free slot, slot bytes, 256 / granules of 8 a slot rounded up,
 *             bitmap of a page with all slots free, the page that became empty last
 *   map       a byte for each number of granules up to 16: the offset of the class that serves it
 *   page      four halves, and one that is never free before the first and after the last:
 *     offset of its class   bitmap of free slots      next    previous   slots
 *     LARGE                 pages of the block        granules before the payload
 *     FREE                  pages of the run          next    previous   first page of a free run
 *     LAST                  pages of the run                             last page of a free run of two or more
 *     0                                                                  inside a block or a free run
 *
 *   a page of 24s   | slot 0 | slot 1 | ... | slot 9 | 16 bytes unused |      bitmap 0000 0011 1111 1111 when empty
 *
 * A page that has become empty goes back, unless it is the only empty one of its class; when pages run out, that one
 * goes too. A class that gets no page takes a slot of a larger class.
 *
 * Invariants, as numbered by check():
 *   1  pages 1 to n are runs of slots, large blocks and free runs, each as long as it says, with 0 inside
 *   2  the list of free runs holds each free run once, and none lies beside another
 *   3  a class's list holds each of its pages with a free slot once; bitmaps have no bits beyond their slots
 *   4  at most one page of a class is empty
 *   5  BASE, the classes and the map are as init wrote them
 *
 * Bound: a fixed number of steps while a class has a free slot; else one walk over the free runs of pages, two when the
 * empty pages had to be given back first, plus the words copied by realloc. Overhead: rounding to the slot or the page,
 * 8 bytes a page; control 152 bytes. At most 65534 pages, 16 MB; alignments up to 64 KB.
 */
import { u8, u16, u32 } from '../arena.ts';
import { lowestBit } from '../bits.ts';
import { moveBytes } from '../copy.ts';
import { MISUSE_NOT_LIVE, MISUSE_WILD } from '../policy.ts';
import {
  carve,
  enlist,
  FREE,
  giveRun,
  LARGE,
  LENGTH,
  LIMIT,
  NEXT,
  PAGES,
  PREVIOUS,
  shortestRun,
  unlist,
} from './page-runs.ts';
import {
  ALL_FREE,
  addClass,
  addressOf,
  BASE,
  BEFORE_PAYLOAD,
  BITMAP,
  CLASS_BYTES,
  CLASSES,
  EMPTY,
  isEmpty,
  liveSlot,
  MAP,
  PAGE_BYTES,
  SLOT_BYTES,
  TAIL,
} from './slab-classes.ts';

export { locate, pin, unpin } from './in-place.ts';
export { blockKind, blockPayload, check, checkOffset, firstBlock, nextBlock } from './slab-walk.ts';

const LARGEST_SLOT = 128;
const MAX_PAGES = 65534;
const MAX_ALIGNMENT = 65536;

export function init(arenaBytes: number): number {
  let pages = ((arenaBytes - PAGES - 16) / 264) | 0;
  if (pages < 1) return 0;
  if (pages > MAX_PAGES) pages = MAX_PAGES;
  const base = PAGES + ((pages + 2) << 3);
  for (let at = 0; at < base; at = at + 4) u32[at >> 2] = 0;
  u32[LIMIT >> 2] = pages << 8;
  u32[BASE >> 2] = base;
  const tail = arenaBytes - base - (pages << 8);
  u16[TAIL >> 1] = tail > 264 ? 0 : tail;
  addClass(0, 2, 16, 128);
  addClass(1, 3, 10, 86);
  addClass(2, 4, 8, 64);
  addClass(3, 5, 6, 52);
  addClass(4, 6, 5, 43);
  addClass(5, 8, 4, 32);
  addClass(6, 10, 3, 26);
  addClass(7, 16, 2, 16);
  giveRun(1, pages);
  return pages << 8;
}

export function malloc(size: number): number {
  if (size >>> 0 > LARGEST_SLOT) return mallocLarge(size);
  let record = u8[MAP + ((size + 7) >> 3)]!;
  let page = u16[record >> 1]!;
  if (page === 0) {
    record = refill(record);
    if (record === 0) return 0;
    page = u16[record >> 1]!;
  }
  const at = PAGES + (page << 3);
  const bitmap = u16[(at + BITMAP) >> 1]!;
  const rest = bitmap & (bitmap - 1);
  u16[(at + BITMAP) >> 1] = rest;
  if (rest === 0) {
    // No slot is left: out of the list of its class.
    const next = u16[(at + NEXT) >> 1]!;
    u16[record >> 1] = next;
    if (next !== 0) u16[(PAGES + PREVIOUS + (next << 3)) >> 1] = 0;
  }
  return addressOf(page) + lowestBit(bitmap) * u16[(record + SLOT_BYTES) >> 1]!;
}

/** A class that can serve what `record` has no slot for: itself with a new page, or a larger one; 0 when there is none. */
export function refill(record: number): number {
  const page = takeRun(1);
  if (page !== 0) {
    const at = PAGES + (page << 3);
    u16[at >> 1] = record;
    u16[(at + BITMAP) >> 1] = u16[(record + ALL_FREE) >> 1]!;
    enlist(record, page);
    return record;
  }
  // loop: at most 8
  while (record < MAP && u16[record >> 1] === 0) record = record + CLASS_BYTES;
  return record < MAP ? record : 0;
}

export function mallocLarge(size: number): number {
  if (size >>> 0 > u32[LIMIT >> 2]! >>> 0) return 0;
  const length = (size + PAGE_BYTES - 1) >> 8;
  const page = takeRun(length);
  if (page === 0) return 0;
  makeLarge(page, length, 0);
  return addressOf(page);
}

/** @inline */
function makeLarge(page: number, length: number, granules: number): void {
  const at = PAGES + (page << 3);
  u16[at >> 1] = LARGE;
  u16[(at + LENGTH) >> 1] = length;
  u16[(at + BEFORE_PAYLOAD) >> 1] = granules;
}

/** The first `length` pages of the shortest free run that has them, the lowest of these; 0 when there is none. @routine */
function takeRun(length: number): number {
  let run = shortestRun(length);
  if (run === 0 && giveEmptyPages() !== 0) run = shortestRun(length);
  if (run !== 0) carve(run, length);
  return run;
}

/** Gives back the empty page of each class; returns how many there were. @routine */
function giveEmptyPages(): number {
  let given = 0;
  // loop: at most 8
  for (let record = CLASSES; record < MAP; record = record + CLASS_BYTES) {
    const page = u16[(record + EMPTY) >> 1]!;
    if (isEmpty(record, page)) {
      unlist(record, page);
      giveRun(page, 1);
      given = given + 1;
    }
  }
  return given;
}

export function free(offset: number): number {
  const from = offset - u32[BASE >> 2]!;
  if ((offset & 7) !== 0 || from >>> 0 >= u32[LIMIT >> 2]! >>> 0) return MISUSE_WILD;
  const page = (from >> 8) + 1;
  const at = PAGES + (page << 3);
  const record = u16[at >> 1]!;
  if (record < CLASSES) return freeLarge(page, from & (PAGE_BYTES - 1));
  const bitmap = u16[(at + BITMAP) >> 1]!;
  const bit = liveSlot(record, bitmap, from & (PAGE_BYTES - 1));
  if (bit === 0) return MISUSE_NOT_LIVE;
  u16[(at + BITMAP) >> 1] = bitmap + bit;
  if (bitmap === 0) enlist(record, page);
  else if (bitmap + bit === u16[(record + ALL_FREE) >> 1]) emptied(record, page);
  return 0;
}

/** Keeps one empty page of a class, and gives back the second. @routine */
function emptied(record: number, page: number): void {
  const other = u16[(record + EMPTY) >> 1]!;
  if (other === page || !isEmpty(record, other)) {
    u16[(record + EMPTY) >> 1] = page;
    return;
  }
  unlist(record, page);
  giveRun(page, 1);
}

/** @routine */
function freeLarge(page: number, inPage: number): number {
  const at = PAGES + (page << 3);
  if (u16[at >> 1] !== LARGE || u16[(at + BEFORE_PAYLOAD) >> 1]! << 3 !== inPage) return MISUSE_NOT_LIVE;
  giveRun(page, u16[(at + LENGTH) >> 1]!);
  return 0;
}

/** @routine */
export function usableSize(offset: number): number {
  const from = offset - u32[BASE >> 2]!;
  if ((offset & 7) !== 0 || from >>> 0 >= u32[LIMIT >> 2]! >>> 0) return 0;
  const inPage = from & (PAGE_BYTES - 1);
  const at = PAGES + (((from >> 8) + 1) << 3);
  const record = u16[at >> 1]!;
  if (record >= CLASSES) {
    const bit = liveSlot(record, u16[(at + BITMAP) >> 1]!, inPage);
    return bit === 0 ? 0 : u16[(record + SLOT_BYTES) >> 1]!;
  }
  if (record !== LARGE || u16[(at + BEFORE_PAYLOAD) >> 1]! << 3 !== inPage) return 0;
  return (u16[(at + LENGTH) >> 1]! << 8) - inPage;
}

export function realloc(offset: number, size: number): number {
  if (offset === 0) return malloc(size);
  const had = usableSize(offset);
  if (had === 0 || size >>> 0 > u32[LIMIT >> 2]! >>> 0) return 0;
  if (had > LARGEST_SLOT && size > LARGEST_SLOT && resizeLarge(offset - u32[BASE >> 2]!, size) !== 0) return offset;
  // A slot more than half used stays; so does the smallest.
  if (size <= had && had <= LARGEST_SLOT && (size << 1 > had || had === 16)) return offset;
  const moved = malloc(size);
  if (moved === 0) return size <= had ? offset : 0;
  moveBytes(moved, offset, (Math.min(size, had) + 3) & ~3);
  free(offset);
  return moved;
}

/** Gives or takes pages at the end of the large block that begins `from` bytes after the base; 0 when it cannot. @routine */
function resizeLarge(from: number, size: number): number {
  const page = (from >> 8) + 1;
  const at = PAGES + (page << 3);
  const had = u16[(at + LENGTH) >> 1]!;
  const length = ((from & (PAGE_BYTES - 1)) + size + PAGE_BYTES - 1) >> 8;
  if (length > had) {
    const after = PAGES + ((page + had) << 3);
    if (u16[after >> 1] !== FREE || u16[(after + LENGTH) >> 1]! < length - had) return 0;
    carve(page + had, length - had);
  } else if (length < had) {
    giveRun(page + length, had - length);
  }
  u16[(at + LENGTH) >> 1] = length;
  return 1;
}

export function memalign(alignment: number, size: number): number {
  if (alignment <= 0 || (alignment & (alignment - 1)) !== 0 || alignment > MAX_ALIGNMENT) return 0;
  if (alignment <= 8) return malloc(size);
  if (size >>> 0 > u32[LIMIT >> 2]! >>> 0) return 0;
  const bytes = Math.max(size, 1);
  const taken = (bytes + alignment - 8 + PAGE_BYTES - 1) >> 8;
  let page = takeRun(taken);
  if (page === 0) return 0;
  // | taken .......................... |  =>  | run | large: gap, payload | run |
  const gap = -addressOf(page) & (alignment - 1);
  const before = gap >> 8;
  const inPage = gap & (PAGE_BYTES - 1);
  const length = (inPage + bytes + PAGE_BYTES - 1) >> 8;
  if (before !== 0) giveRun(page, before);
  page = page + before;
  if (taken > before + length) giveRun(page + length, taken - before - length);
  makeLarge(page, length, inPage >> 3);
  return addressOf(page) + inPage;
}
