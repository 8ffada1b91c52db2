/**
 * Percore: a cache for each context, over pages of one size class, over a page heap: tcmalloc's shape. A context is a
 * core or an interrupt handler. malloc and free of up to 240 bytes touch only the words of the running context, so an
 * interrupt may come between any two of them and use the heap itself.
 *
 *   offset 0         160                                                       pages of 512 bytes
 *          [ control | states: one a unit of 16 bytes | links | kinds | gap ][ page ][ page ] ...
 *
 *   control, in 16-bit words
 *     0 caches of the running context   1 pages   2 LOCK   3 check   4 .. 6 deferred, one a context   7 units
 *     8, 9 where links and kinds begin
 *     16 + 16 c + k: the cache of context c for class k, its first object's unit; k = 0: objects of c are in no list
 *     64 + k: the pages of class k that have objects in no cache
 *
 *   page of class k   [ object of 16 k bytes ][ object ] ...
 *   object in a cache [ next ][ - ] ...      a unit; the last of a list has itself as next
 *   large block       [ payload ............................... ]      one or more pages
 *   state of the unit where an object begins: who holds it
 *     k   it is live      16 + 16 c + k   the cache of that number      64 + k   its page
 *   kind of a page    0 free   1 .. 15 class   LARGE   INSIDE a run (but for its first page)   WAITING   CONTROL
 *
 * A cache is filled with all that one page has, and its context empties it into the pages when the page heap has nothing
 * left; a page whose objects are all its own goes back to the page heap.
 *
 * A write of up to 64 bytes past either end of a payload reaches the links of cached objects and nothing else. A link is
 * believed when the unit it leads to is in this cache by its state. Else the list is dropped: emptying the caches goes by
 * the states and finds what it held.
 *
 * Contexts: `enterContext` says who runs. A cache and a deferred list are touched by their own context only; pages and
 * the page heap are shared, and LOCK guards them. A context that finds it taken is an interrupt of the one that took it,
 * and cannot wait: its malloc gets what its cache has, its large frees wait in its deferred list until it has the lock.
 * Two cores need a hardware lock in LOCK's place.
 *
 * Bound: from a cache, about 10 loads and stores, always. Else one scan of the kinds of pages and 32 objects to link; when
 * memory is short, also a second scan, and one of the states of all objects. Control: 160 bytes and 35 for each page,
 * rounded up to pages. At most 512 KB.
 *
 * Invariants (check() returns the number)
 *   1  the kinds cover the arena, and a large block's pages are INSIDE after the first, as many as its link says
 *   2  each object of a page of a class is live, in a cache, or its page's own; not all are the page's own
 *   3  a cache's list holds the objects of that state, each once
 *   4  a class's list holds the pages that have objects of their own, each once
 *   5  between calls the lock is free, and the deferred lists hold WAITING blocks
 */
import { u8, u16 } from '../arena.ts';
import { moveBytes } from '../copy.ts';
import { BLOCK_CONTROL, BLOCK_FREE, BLOCK_LIVE, MISUSE_NOT_LIVE, MISUSE_WILD } from '../policy.ts';
import {
  CACHE,
  CACHES,
  CLASS_PAGES,
  CLASSES,
  CONTEXTS,
  CONTROL,
  drainDeferred,
  findPages,
  freeLarge,
  INSIDE,
  initPages,
  kindAt,
  LARGE,
  LOCK,
  largeBytes,
  linkAt,
  makeLarge,
  PAGE_BYTES,
  PAGE_UNITS,
  PAGES,
  resizeLarge,
  STATES,
  UNITS,
  WAITING,
} from './percore-pages.ts';

export { locate, pin, unpin } from './in-place.ts';
export { check, checkOffset } from './percore-check.ts';

const UNIT_BYTES = 16;
const MAX_SMALL_BYTES = 240;
const MAX_REQUEST_BYTES = 0x7ffff;

export function init(arenaBytes: number): number {
  return initPages(arenaBytes) << 9;
}

/** Makes `context` the running one (0: the program; 1 and 2: handlers or cores) and returns the one before it. */
export function enterContext(context: number): number {
  const before = (u16[CACHE]! - CACHES) >> 4;
  if (context >= 0 && context < CONTEXTS) u16[CACHE] = CACHES + (context << 4);
  return before;
}

/**
 * Empties the running context's caches into the pages, by the states, and makes pages free that have all their objects.
 * The lists of pages are made anew. The lock is held.
 */
function flushCaches(): void {
  const cache = u16[CACHE]!;
  let any = 0;
  // loop: at most 16
  for (let kind = 0; kind <= CLASSES; kind++) {
    any = any | u16[cache + kind]!;
    u16[cache + kind] = 0;
  }
  if (any === 0) return;
  // loop: at most 16
  for (let kind = 0; kind <= CLASSES; kind++) u16[CLASS_PAGES + kind] = 0;
  const pages = u16[PAGES]!;
  // loop: at most pages512
  for (let page = 1; page < pages; page++) {
    const kind = u8[kindAt(page)]!;
    if (kind !== 0 && kind <= CLASSES) emptyPage(page, kind, cache);
  }
}

/** Objects of one page that are in a context's cache become the page's. */
function emptyPage(page: number, kind: number, cache: number): void {
  const end = STATES + ((page + 1) << 5) - kind;
  let own = 0;
  let others = 0;
  // loop: at most 32
  for (let at = STATES + (page << 5); at <= end; at = at + kind) {
    if (u8[at] === cache + kind) u8[at] = CLASS_PAGES + kind;
    if (u8[at] === CLASS_PAGES + kind) own = 1;
    else others = 1;
  }
  if (others === 0) {
    u8[kindAt(page)] = 0;
  } else if (own !== 0) {
    u16[linkAt(page)] = u16[CLASS_PAGES + kind]!;
    u16[CLASS_PAGES + kind] = page;
  }
}

/** Free pages for a run of `count`, after emptying the running context's caches if need be. The lock is held. */
function takePages(count: number, alignment: number): number {
  drainDeferred();
  const page = findPages(count, alignment);
  if (page !== 0) return page;
  flushCaches();
  return findPages(count, alignment);
}

/** Takes the first page out of a class's list, 0 when there is none. The lock is held. */
function takeListed(kind: number): number {
  const page = u16[CLASS_PAGES + kind]!;
  if (page !== 0) u16[CLASS_PAGES + kind] = u16[linkAt(page)]!;
  return page;
}

/** Fills the empty cache of a class from one page. False when there is no page. The lock is held. */
function refill(kind: number): boolean {
  let page = takeListed(kind);
  let isFresh = false;
  if (page === 0) {
    page = takePages(1, 1);
    isFresh = page !== 0;
    // Emptying the caches may have found objects of this class that a dropped list had held.
    if (page === 0) page = takeListed(kind);
    if (page === 0) return false;
  }
  u8[kindAt(page)] = kind;
  const cache = u16[CACHE]! + kind;
  const end = ((page + 1) << 5) - kind;
  let last = 0;
  // loop: at most 32
  for (let unit = page << 5; unit <= end; unit = unit + kind) {
    if (isFresh || u8[STATES + unit] === CLASS_PAGES + kind) {
      u8[STATES + unit] = cache;
      if (last === 0) u16[cache] = unit;
      else u16[last << 3] = unit;
      u16[unit << 3] = unit;
      last = unit;
    }
  }
  return true;
}

/** Gives the first object of a cache that is not empty. */
function popCache(cache: number): number {
  const unit = u16[cache]!;
  const next = u16[unit << 3]!;
  u8[STATES + unit] = cache & 15;
  if (next === unit) u16[cache] = 0;
  else if (next < u16[UNITS]! && u8[STATES + next] === cache) u16[cache] = next;
  else dropList(cache);
  return unit << 4;
}

/** A link was overwritten: what the list held is in none until the caches are emptied. */
function dropList(cache: number): void {
  u16[cache] = 0;
  u16[cache & ~15] = 1;
}

/** What the cache does not have: under the lock, or not at all when it is taken. */
function mallocShared(size: number, alignment: number): number {
  if (u16[LOCK] !== 0 || size < 0 || size > MAX_REQUEST_BYTES) return 0;
  u16[LOCK] = 1;
  let offset = 0;
  if (size > MAX_SMALL_BYTES) {
    const count = (size + PAGE_BYTES - 1) >> 9;
    const page = takePages(count, alignment);
    if (page !== 0) offset = makeLarge(page, count);
  } else {
    const kind = size === 0 ? 1 : (size + 15) >> 4;
    if (refill(kind)) offset = popCache(u16[CACHE]! + kind);
  }
  u16[LOCK] = 0;
  return offset;
}

export function malloc(size: number): number {
  if (size < 0 || size > MAX_SMALL_BYTES) return mallocShared(size, 1);
  const cache = u16[CACHE]! + (size === 0 ? 1 : (size + 15) >> 4);
  return u16[cache] === 0 ? mallocShared(size, 1) : popCache(cache);
}

export function free(offset: number): number {
  if ((offset & 15) !== 0 || offset < PAGE_BYTES) return MISUSE_WILD;
  const unit = offset >> 4;
  if (unit >= u16[UNITS]!) return MISUSE_WILD;
  const kind = u8[STATES + unit]!;
  if (kind === 0 || kind > CLASSES) {
    if (largeBytes(offset) === 0) return MISUSE_NOT_LIVE;
    freeLarge(offset >> 9);
    return 0;
  }
  const cache = u16[CACHE]! + kind;
  const head = u16[cache]!;
  u16[offset >> 1] = head === 0 ? unit : head;
  u8[STATES + unit] = cache;
  u16[cache] = unit;
  return 0;
}

/** Gives all cached objects and empty pages of the running context back to the page heap. */
export function flush(): void {
  if (u16[LOCK] !== 0) return;
  u16[LOCK] = 1;
  drainDeferred();
  flushCaches();
  u16[LOCK] = 0;
}

export function usableSize(offset: number): number {
  const unit = offset >> 4;
  if ((offset & 15) !== 0 || offset < PAGE_BYTES || unit >= u16[UNITS]!) return 0;
  const kind = u8[STATES + unit]!;
  return kind === 0 || kind > CLASSES ? largeBytes(offset) : kind << 4;
}

export function realloc(offset: number, size: number): number {
  if (offset === 0) return malloc(size);
  const held = usableSize(offset);
  if (held === 0 || size < 0 || size > MAX_REQUEST_BYTES) return 0;
  if (held <= MAX_SMALL_BYTES) {
    if (size <= held && size + UNIT_BYTES > held) return offset;
  } else if (size > MAX_SMALL_BYTES && u16[LOCK] === 0) {
    u16[LOCK] = 1;
    const resized = resizeLarge(offset >> 9, (size + PAGE_BYTES - 1) >> 9);
    u16[LOCK] = 0;
    if (resized) return offset;
  }
  const to = malloc(size);
  // A smaller block that cannot be had is no reason to fail: the old one is large enough.
  if (to === 0) return size <= held ? offset : 0;
  moveBytes(to, offset, Math.min(held, usableSize(to)));
  free(offset);
  return to;
}

/** Objects lie at multiples of their size in a page, so a size that is a multiple of the alignment has it. */
export function memalign(alignment: number, size: number): number {
  if (alignment <= 0 || (alignment & (alignment - 1)) !== 0) return 0;
  if (size < 0 || size > MAX_REQUEST_BYTES || alignment > MAX_REQUEST_BYTES) return 0;
  if (alignment <= UNIT_BYTES) return malloc(size);
  const rounded = size === 0 ? alignment : (size + alignment - 1) & ~(alignment - 1);
  if (rounded <= MAX_SMALL_BYTES) return malloc(rounded);
  return mallocShared(Math.max(size, MAX_SMALL_BYTES + 1), Math.max(alignment >> 9, 1));
}

export function firstBlock(): number {
  let page = 1;
  while (u8[kindAt(page)] === CONTROL) page++;
  return page << 9;
}

/** The walk goes by objects in pages of a class, and by runs elsewhere. */
export function nextBlock(block: number): number {
  const page = block >> 9;
  const pages = u16[PAGES]!;
  if (page >= pages) return 0;
  const kind = u8[kindAt(page)]!;
  let next = (page + 1) << 9;
  if (kind >= 1 && kind <= CLASSES) {
    const following = block + (kind << 4);
    if (following < next) next = following;
  } else {
    let at = page + 1;
    const more = kind === 0 ? 0 : INSIDE;
    // A run of free pages is one block, as a large block is.
    while (at < pages && u8[kindAt(at)] === more) at++;
    next = at << 9;
  }
  return next >= pages << 9 ? 0 : next;
}

export function blockKind(block: number): number {
  const kind = u8[kindAt(block >> 9)]!;
  if (kind === 0 || kind === WAITING) return BLOCK_FREE;
  if (kind === LARGE) return BLOCK_LIVE;
  if (kind > CLASSES) return BLOCK_CONTROL;
  const unit = block >> 4;
  if ((unit & (PAGE_UNITS - 1)) + kind > PAGE_UNITS) return BLOCK_CONTROL;
  return u8[STATES + unit] === kind ? BLOCK_LIVE : BLOCK_FREE;
}

export function blockPayload(block: number): number {
  return block;
}
