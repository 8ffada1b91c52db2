/**
 * Percore: a cache for each context, over pages of one size class, over a page heap: tcmalloc's shape. A context is a
 * core or an interrupt handler. malloc and free of up to 240 bytes touch only the words of the running context, so an
 * interrupt may come between any two of them and use the heap itself.
 *
 *   offset 0         160                      pages of 512 bytes
 *          [ control | page map, one byte each ... ][ page ][ page ] ...
 *
 *   control, in 16-bit words
 *     0 caches of the running context   1 pages   2 LOCK   3 check   4 .. 6 deferred, one a context
 *     16 + 16 c: caches of context c, one head a class   64: pages that have free objects, one list a class
 *
 *   page of class k   [ outside ][ next ][ previous ][ freeHead ][ - ][ 32 bytes: LIVE? of each 16 ][ objects of 16 k ]
 *   large block       [ page count ][ payload at ][ - ][ payload ............ ]          one or more pages
 *   page map          0 free   1 .. 15 class   LARGE   INSIDE a run (but for its first page)   CONTROL
 *
 * An object is in one place: live; in a context's cache; or in its page's own list. `outside` counts those not in the
 * page's list; at 0 the page goes back to the page heap. A cache is filled with all that one page has, and its context
 * empties it into the pages when the page heap has nothing left.
 *
 * Contexts: `enterContext` says who runs. A cache and a deferred list are touched by their own context only; pages and
 * the page heap are shared, and LOCK guards them. A context that finds it taken is an interrupt of the one that took it,
 * and cannot wait: its malloc gets what its cache has, its large frees wait in its deferred list until it has the lock.
 * Two cores need a hardware lock in LOCK's place.
 *
 * Bound: from a cache, about 10 loads and stores, always. Else one scan of the page map (a byte for each 512 bytes) and
 * 29 objects to link; when memory is short, also one step for each cached object. Control: 160 bytes and one byte a
 * page, rounded up to pages; 48 bytes of each page. At most 512 KB.
 *
 * Invariants (check() returns the number)
 *   1  the page map's runs cover the arena, and a large block's pages are marked INSIDE after the first
 *   2  in each page of a class, `outside` is the number of objects not in the page's list, and is not 0
 *   3  what a page's list or a cache holds is not LIVE, lies in a page of its class, and is in one list only
 *   4  a page is in its class's list exactly when its own list is not empty, and back links agree
 *   5  between calls the lock is free, and the deferred lists hold large blocks without a page count
 */
import { u8, u16 } from '../arena.ts';
import { moveBytes } from '../copy.ts';
import { BLOCK_CONTROL, BLOCK_FREE, BLOCK_LIVE, MISUSE_NOT_LIVE, MISUSE_WILD } from '../policy.ts';

export { locate, pin, unpin } from './in-place.ts';

/** Indices in u16. */
const CACHE = 0;
const PAGES = 1;
const LOCK = 2;
const CHECK = 3;
const DEFERRED = 4;
const CACHES = 16;
const CONTEXTS = 3;
const CLASS_PAGES = 64;
/** Index in u8. */
const PAGE_MAP = 160;

const PAGE_BYTES = 512;
const UNIT_BYTES = 16;
/** Units of a page that its header takes. */
const HEADER_UNITS = 3;
const LIVE_MAP = 16;
const CLASSES = 15;
const MAX_SMALL_BYTES = 240;
const LARGE = 254;
const INSIDE = 255;
const CONTROL = 253;
const MAX_PAGES = 1023;
const MAX_REQUEST_BYTES = 0x7ffff;

/** Words of a large block's header. */
const PAGE_COUNT = 0;
const PAYLOAD_AT = 2;

/** Words of a page's header. */
const OUTSIDE = 0;
const NEXT = 1;
const PREVIOUS = 2;
const FREE_HEAD = 3;

export function init(arenaBytes: number): number {
  let pages = arenaBytes >> 9;
  if (pages > MAX_PAGES) pages = MAX_PAGES;
  const control = (PAGE_MAP + pages + PAGE_BYTES - 1) >> 9;
  if (pages <= control) return 0;
  for (let word = 0; word < PAGE_MAP >> 1; word++) u16[word] = 0;
  u16[CACHE] = CACHES;
  u16[PAGES] = pages;
  for (let page = 0; page < pages; page++) u8[PAGE_MAP + page] = page < control ? CONTROL : 0;
  return ((pages - control) << 9) - UNIT_BYTES;
}

/** Makes `context` the running one (0: the program; 1 and 2: handlers or cores) and returns the one before it. */
export function enterContext(context: number): number {
  const before = (u16[CACHE]! - CACHES) >> 4;
  if (context >= 0 && context < CONTEXTS) u16[CACHE] = CACHES + (context << 4);
  return before;
}

/** Index in u16 of a page's header. */
function headerOf(page: number): number {
  return page << 8;
}

function linkPage(page: number, kind: number): void {
  const next = u16[CLASS_PAGES + kind]!;
  u16[headerOf(page) + NEXT] = next;
  u16[headerOf(page) + PREVIOUS] = 0;
  if (next !== 0) u16[headerOf(next) + PREVIOUS] = page;
  u16[CLASS_PAGES + kind] = page;
}

function unlinkPage(page: number, kind: number): void {
  const next = u16[headerOf(page) + NEXT]!;
  const previous = u16[headerOf(page) + PREVIOUS]!;
  if (previous === 0) u16[CLASS_PAGES + kind] = next;
  else u16[headerOf(previous) + NEXT] = next;
  if (next !== 0) u16[headerOf(next) + PREVIOUS] = previous;
}

/** The first run of `count` free pages, 0 when there is none. */
function findPages(count: number): number {
  const pages = u16[PAGES]!;
  let run = 0;
  for (let page = 1; page < pages; page++) {
    run = u8[PAGE_MAP + page] === 0 ? run + 1 : 0;
    if (run === count) return page - count + 1;
  }
  return 0;
}

/** Puts a cached object back into its page's list, and the page back into the page heap when that was the last one. */
function returnObject(granule: number): void {
  const page = granule >> 6;
  const header = headerOf(page);
  const kind = u8[PAGE_MAP + page]!;
  if (u16[header + FREE_HEAD] === 0) linkPage(page, kind);
  u16[granule << 2] = u16[header + FREE_HEAD]!;
  u16[header + FREE_HEAD] = granule;
  u16[header + OUTSIDE] = u16[header + OUTSIDE]! - 1;
  if (u16[header + OUTSIDE] === 0) {
    unlinkPage(page, kind);
    u8[PAGE_MAP + page] = 0;
  }
}

/** Empties the running context's caches into the pages. The lock is held. */
function flushCaches(): void {
  const cache = u16[CACHE]!;
  for (let kind = 1; kind <= CLASSES; kind++) {
    let granule = u16[cache + kind]!;
    u16[cache + kind] = 0;
    while (granule !== 0) {
      const next = u16[granule << 2]!;
      returnObject(granule);
      granule = next;
    }
  }
}

function freePages(page: number): void {
  u8[PAGE_MAP + page] = 0;
  for (let at = page + 1; at < u16[PAGES]! && u8[PAGE_MAP + at] === INSIDE; at++) u8[PAGE_MAP + at] = 0;
}

/** Frees the large blocks that this context could not free before. The lock is held. */
function drainDeferred(): void {
  const deferred = DEFERRED + ((u16[CACHE]! - CACHES) >> 4);
  let page = u16[deferred]!;
  u16[deferred] = 0;
  while (page !== 0) {
    const next = u16[headerOf(page) + NEXT]!;
    freePages(page);
    page = next;
  }
}

/** Free pages for a run of `count`, after emptying the running context's caches if need be. The lock is held. */
function takePages(count: number): number {
  drainDeferred();
  let page = findPages(count);
  if (page === 0) {
    flushCaches();
    page = findPages(count);
  }
  return page;
}

/** Fills the cache of a class from one page. False when there is no page. The lock is held. */
function refill(kind: number): boolean {
  const cache = u16[CACHE]! + kind;
  let page = u16[CLASS_PAGES + kind]!;
  if (page === 0) {
    page = takePages(1);
    if (page === 0) return false;
    // Emptying the caches may have given this very class a page; the new one is as good.
    const header = headerOf(page);
    u8[PAGE_MAP + page] = kind;
    u16[header + OUTSIDE] = 0;
    u16[header + FREE_HEAD] = 0;
    for (let word = LIVE_MAP >> 1; word < (LIVE_MAP + 32) >> 1; word++) u16[header + word] = 0;
    linkPage(page, kind);
    let link = header + FREE_HEAD;
    for (let unit = HEADER_UNITS; unit + kind <= 32; unit += kind) {
      const granule = (page << 6) + (unit << 1);
      u16[link] = granule;
      link = granule << 2;
    }
    u16[link] = 0;
  }
  const header = headerOf(page);
  unlinkPage(page, kind);
  const first = u16[header + FREE_HEAD]!;
  u16[header + FREE_HEAD] = 0;
  let last = first;
  let count = 1;
  while (u16[last << 2] !== 0) {
    last = u16[last << 2]!;
    count++;
  }
  u16[header + OUTSIDE] = u16[header + OUTSIDE]! + count;
  u16[last << 2] = u16[cache]!;
  u16[cache] = first;
  return true;
}

/** A run of pages with the payload `lead` bytes after its start. The lock is held. */
function mallocLarge(size: number, lead: number): number {
  const count = (size + lead + PAGE_BYTES - 1) >> 9;
  const page = takePages(count);
  if (page === 0) return 0;
  u8[PAGE_MAP + page] = LARGE;
  for (let at = page + 1; at < page + count; at++) u8[PAGE_MAP + at] = INSIDE;
  u16[headerOf(page) + PAGE_COUNT] = count;
  u16[headerOf(page) + PAYLOAD_AT] = lead;
  return (page << 9) + lead;
}

/** Gives the first object of a cache. */
function popCache(cache: number): number {
  const granule = u16[cache]!;
  u16[cache] = u16[granule << 2]!;
  u8[((granule >> 6) << 9) + LIVE_MAP + ((granule & 63) >> 1)] = 1;
  return granule << 3;
}

/** What the cache does not have: under the lock, or not at all when it is taken. */
function mallocShared(size: number): number {
  if (u16[LOCK] !== 0 || size < 0 || size > MAX_REQUEST_BYTES) return 0;
  u16[LOCK] = 1;
  let offset = 0;
  if (size > MAX_SMALL_BYTES) {
    offset = mallocLarge(size, UNIT_BYTES);
  } else {
    const kind = size === 0 ? 1 : (size + 15) >> 4;
    if (refill(kind)) offset = popCache(u16[CACHE]! + kind);
  }
  u16[LOCK] = 0;
  return offset;
}

export function malloc(size: number): number {
  if (size < 0 || size > MAX_SMALL_BYTES) return mallocShared(size);
  const cache = u16[CACHE]! + (size === 0 ? 1 : (size + 15) >> 4);
  return u16[cache] === 0 ? mallocShared(size) : popCache(cache);
}

/** Whether the offset is where the payload of its page's large block begins; not so when its free is deferred. */
function isLargePayload(offset: number): boolean {
  const header = headerOf(offset >> 9);
  return u16[header + PAGE_COUNT] !== 0 && u16[header + PAYLOAD_AT] === (offset & 511);
}

/** Frees a large block, now or when the lock is free. */
function freeLarge(page: number): void {
  if (u16[LOCK] === 0) {
    u16[LOCK] = 1;
    freePages(page);
    u16[LOCK] = 0;
  } else {
    const deferred = DEFERRED + ((u16[CACHE]! - CACHES) >> 4);
    u16[headerOf(page) + PAGE_COUNT] = 0;
    u16[headerOf(page) + NEXT] = u16[deferred]!;
    u16[deferred] = page;
  }
}

export function free(offset: number): number {
  const page = offset >> 9;
  if ((offset & 15) !== 0 || offset < PAGE_BYTES || page >= u16[PAGES]!) return MISUSE_WILD;
  const kind = u8[PAGE_MAP + page]!;
  const unit = (offset & 511) >> 4;
  if (kind > CLASSES) {
    if (kind !== LARGE || !isLargePayload(offset)) return MISUSE_NOT_LIVE;
    freeLarge(page);
    return 0;
  }
  const live = (page << 9) + LIVE_MAP + unit;
  if (kind === 0 || unit < HEADER_UNITS || u8[live] !== 1) return MISUSE_NOT_LIVE;
  u8[live] = 0;
  const cache = u16[CACHE]! + kind;
  u16[offset >> 1] = u16[cache]!;
  u16[cache] = offset >> 3;
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
  const page = offset >> 9;
  if ((offset & 15) !== 0 || offset < PAGE_BYTES || page >= u16[PAGES]!) return 0;
  const kind = u8[PAGE_MAP + page]!;
  const unit = (offset & 511) >> 4;
  if (kind === LARGE && isLargePayload(offset)) return (u16[headerOf(page) + PAGE_COUNT]! << 9) - (offset & 511);
  if (kind === 0 || kind > CLASSES || unit < HEADER_UNITS || u8[(page << 9) + LIVE_MAP + unit] !== 1) return 0;
  return kind << 4;
}

/** Resizes a large block where it lies, if the pages after it allow. The lock is held. */
function resizeLarge(page: number, count: number): boolean {
  const held = u16[headerOf(page) + PAGE_COUNT]!;
  for (let at = page + held; at < page + count; at++) {
    if (at >= u16[PAGES]! || u8[PAGE_MAP + at] !== 0) return false;
  }
  for (let at = page + held; at < page + count; at++) u8[PAGE_MAP + at] = INSIDE;
  for (let at = page + count; at < page + held; at++) u8[PAGE_MAP + at] = 0;
  u16[headerOf(page) + PAGE_COUNT] = count;
  return true;
}

export function realloc(offset: number, size: number): number {
  if (offset === 0) return malloc(size);
  const held = usableSize(offset);
  if (held === 0 || size < 0 || size > MAX_REQUEST_BYTES) return 0;
  if (held <= MAX_SMALL_BYTES) {
    if (size <= held && size + UNIT_BYTES > held) return offset;
  } else if (size > MAX_SMALL_BYTES && u16[LOCK] === 0) {
    u16[LOCK] = 1;
    const resized = resizeLarge(offset >> 9, (size + (offset & 511) + PAGE_BYTES - 1) >> 9);
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

/** Up to 16 every block is aligned; up to 256 a run of pages is; no payload begins at a page's start, so 512 is not had. */
export function memalign(alignment: number, size: number): number {
  if (alignment <= 0 || (alignment & (alignment - 1)) !== 0) return 0;
  if (alignment <= UNIT_BYTES) return malloc(size);
  if (alignment >= PAGE_BYTES || u16[LOCK] !== 0 || size < 0 || size > MAX_REQUEST_BYTES) return 0;
  u16[LOCK] = 1;
  const offset = mallocLarge(size, alignment);
  u16[LOCK] = 0;
  return offset;
}

export function firstBlock(): number {
  let page = 1;
  while (u8[PAGE_MAP + page] === CONTROL) page++;
  return page << 9;
}

/** The walk goes by objects in pages of a class, their header first, and by runs elsewhere. */
export function nextBlock(block: number): number {
  const page = block >> 9;
  const pages = u16[PAGES]!;
  if (page >= pages) return 0;
  const kind = u8[PAGE_MAP + page]!;
  let next = (page + 1) << 9;
  if (kind >= 1 && kind <= CLASSES) {
    const unit = (block & 511) >> 4;
    const following = unit === 0 ? HEADER_UNITS : unit + kind;
    if (following < 32) next = (page << 9) + (following << 4);
  } else {
    let at = page + 1;
    const more = kind === LARGE ? INSIDE : 0;
    // A run of free pages is one block, as a large block is.
    if (kind === LARGE || kind === 0) while (at < pages && u8[PAGE_MAP + at] === more) at++;
    next = at << 9;
  }
  return next >= pages << 9 ? 0 : next;
}

export function blockKind(block: number): number {
  const kind = u8[PAGE_MAP + (block >> 9)]!;
  if (kind === 0) return BLOCK_FREE;
  if (kind === LARGE) return u16[headerOf(block >> 9) + PAGE_COUNT] === 0 ? BLOCK_FREE : BLOCK_LIVE;
  if (kind > CLASSES) return BLOCK_CONTROL;
  const unit = (block & 511) >> 4;
  if (unit < HEADER_UNITS || unit + kind > 32) return BLOCK_CONTROL;
  return u8[((block >> 9) << 9) + LIVE_MAP + unit] === 1 ? BLOCK_LIVE : BLOCK_FREE;
}

export function blockPayload(block: number): number {
  return u8[PAGE_MAP + (block >> 9)] === LARGE ? block + u16[headerOf(block >> 9) + PAYLOAD_AT]! : block;
}

function violated(invariant: number, page: number): number {
  u16[CHECK] = page;
  return invariant;
}

/** Length of a list of objects of one class, -1 when one of them has no place in it. */
function listLength(first: number, kind: number, page: number): number {
  let count = 0;
  let granule = first;
  while (granule !== 0) {
    const at = granule >> 6;
    if ((page !== 0 && at !== page) || at >= u16[PAGES]! || u8[PAGE_MAP + at] !== kind) return -1;
    const unit = (granule & 63) >> 1;
    if (unit < HEADER_UNITS || (unit - HEADER_UNITS) % kind !== 0 || u8[(at << 9) + LIVE_MAP + unit] !== 0) return -1;
    count++;
    if (count > (page === 0 ? u16[PAGES]! << 5 : 32)) return -1;
    granule = u16[granule << 2]!;
  }
  return count;
}

export function check(): number {
  const pages = u16[PAGES]!;
  if (u16[LOCK] !== 0) return violated(5, 0);
  if (pages > MAX_PAGES || u8[PAGE_MAP] !== CONTROL || (u16[CACHE]! & 15) !== 0) return violated(1, 0);
  if (u16[CACHE]! < CACHES || u16[CACHE]! >= CACHES + (CONTEXTS << 4)) return violated(1, 0);
  let previous = CONTROL;
  let outside = 0;
  let listedPages = 0;
  for (let page = 1; page < pages; page++) {
    const kind = u8[PAGE_MAP + page]!;
    if (kind === INSIDE && previous !== LARGE && previous !== INSIDE) return violated(1, page);
    if (kind > CLASSES && kind < CONTROL) return violated(1, page);
    if (kind >= 1 && kind <= CLASSES) {
      const header = headerOf(page);
      const listed = listLength(u16[header + FREE_HEAD]!, kind, page);
      if (listed < 0) return violated(3, page);
      const held = ((32 - HEADER_UNITS) / kind) | 0;
      if (u16[header + OUTSIDE] !== held - listed || held === listed) return violated(2, page);
      let live = 0;
      for (let unit = HEADER_UNITS; unit < 32; unit++) live += u8[(page << 9) + LIVE_MAP + unit]!;
      outside += u16[header + OUTSIDE]! - live;
      if (listed !== 0) listedPages++;
    }
    previous = kind;
  }
  for (let kind = 1; kind <= CLASSES; kind++) {
    let before = 0;
    for (let page = u16[CLASS_PAGES + kind]!; page !== 0; page = u16[headerOf(page) + NEXT]!) {
      if (page >= pages || u8[PAGE_MAP + page] !== kind || u16[headerOf(page) + FREE_HEAD] === 0)
        return violated(4, page);
      if (u16[headerOf(page) + PREVIOUS] !== before || listedPages === 0) return violated(4, page);
      before = page;
      listedPages--;
    }
  }
  if (listedPages !== 0) return violated(4, 0);
  let cached = 0;
  for (let context = 0; context < CONTEXTS; context++) {
    let steps = pages;
    for (let page = u16[DEFERRED + context]!; page !== 0; page = u16[headerOf(page) + NEXT]!) {
      steps--;
      if (page >= pages || steps < 0 || u8[PAGE_MAP + page] !== LARGE) return violated(5, page);
      if (u16[headerOf(page) + PAGE_COUNT] !== 0) return violated(5, page);
    }
    for (let kind = 1; kind <= CLASSES; kind++) {
      const length = listLength(u16[CACHES + (context << 4) + kind]!, kind, 0);
      if (length < 0) return violated(3, kind);
      cached += length;
    }
  }
  return cached === outside ? 0 : violated(3, 0);
}

export function checkOffset(): number {
  return u16[CHECK]! << 9;
}
