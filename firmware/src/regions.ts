/**
 * Several regions as one heap: each has an arena of the policy's that grows up to a program break, and large blocks in
 * runs of pages that are placed from the region's end downward. What lies between them belongs to nobody yet.
 *
 *   region   [ arena of the policy ........ ][ beyond ......... ][ large ][ free pages ][ large ]
 *             ^ base                          ^ break             ^ floor                       ^ base + bytes
 *
 *   malloc   from `largeFrom` bytes on: pages, given back at free. Below: the first region whose arena has room, at its
 *            break as it is; then the first whose break can move up to the floor.
 *   trim     moves the breaks down to the last live block and some bytes more.
 *
 * Takes the place of a policy: the same functions, over offsets that run through all regions, one after the other. The
 * policy's own functions (region-policy.ts) work on the region whose views are bound. Regions are buffers of their own:
 * banks of SRAM, PSRAM, or pieces of an engine's heap that has no room for one large array.
 *
 * State: a few words and a byte a page, in arrays that are made once. Nothing is allocated per operation.
 * Bound: per call, three calls of the policy and one scan of at most 256 pages a region.
 *
 * Invariants besides each arena's own (check() returns the number)
 *   101  a break is not beyond its region's floor
 *   102  the map of pages: runs begin with a first page, and no page below the floor is taken
 *   103  no block begins beyond a break, where a policy keeps starts of the whole region
 */
import { selectViews, u32 } from './arena.ts';
import { BLOCK_BEYOND, BLOCK_CONTROL, BLOCK_LIVE, MISUSE_NOT_LIVE, MISUSE_WILD } from './policy.ts';
import * as inner from './region-policy.ts';
import { bindRegionPolicy, type RegionPolicy } from './region-policy.ts';

/** What a heap of regions keeps. All arrays have an entry a region, but for the map of pages. */
export interface RegionState {
  /** The policy, in Node. */
  policy: RegionPolicy;
  /** Requests of so many bytes get pages. */
  largeFrom: number;
  /** Where a region's offsets begin, its bytes, its break, where its lowest large block begins. */
  bases: Uint32Array;
  sizes: Uint32Array;
  breaks: Uint32Array;
  floors: Uint32Array;
  /** 1 when a region takes large blocks alone and has no arena. */
  largeOnly: Uint8Array;
  /** Bytes of a page, offset of the first in the region, how many; and where they begin in the map. */
  pageSizes: Uint32Array;
  pageOrigins: Uint32Array;
  pageCounts: Uint32Array;
  pagesAt: Uint32Array;
  /** PAGE_ of each page of all regions. */
  pages: Uint8Array;
  /** What each is called; '' without a name. */
  names: string[];
  /** The views of each region's buffer. */
  bytes: Uint8Array[];
  halves: Uint16Array[];
  words: Uint32Array[];
}

const PAGE_FREE = 0;
const PAGE_FIRST = 1;
const PAGE_REST = 2;

/** Pages that a region has at most. */
export const MOST_PAGES = 256;
const LEAST_PAGE_BYTES = 64;
/** A break moves by whole pages, and at least by what bookkeeping may need besides the request. */
const BREAK_SLACK = 32;
/** In place of the policy's own invariant numbers. */
const BREAK_BEYOND_FLOOR = 101;
const PAGES_DAMAGED = 102;
const BLOCK_BEYOND_BREAK = 103;

/** Of the bound regions, as in RegionState; for who tells them. */
export let regionCount = 0;
export let sizes: Uint32Array = new Uint32Array(0);
export let breaks: Uint32Array = new Uint32Array(0);
export let largeOnly: Uint8Array = new Uint8Array(0);
export let pageSizes: Uint32Array = new Uint32Array(0);
export let names: string[] = [];
/** How often a break has moved. */
export let breakMoves = 0;

let largeFrom = 0;
let bases: Uint32Array = new Uint32Array(0);
let floors: Uint32Array = new Uint32Array(0);
let pageOrigins: Uint32Array = new Uint32Array(0);
let pageCounts: Uint32Array = new Uint32Array(0);
let pagesAt: Uint32Array = new Uint32Array(0);
let pages: Uint8Array = new Uint8Array(0);
let bytesOf: Uint8Array[] = [];
let halvesOf: Uint16Array[] = [];
let wordsOf: Uint32Array[] = [];

/** From a block's start to its payload, in pages as in the policy's arenas. */
let headerBytes = 0;
/** The region whose views are bound. */
let current = 0;
let checkedAt = 0;

/** Makes these regions the bound ones. */
export function bindRegions(state: RegionState): void {
  bindRegionPolicy(state.policy);
  largeFrom = state.largeFrom;
  bases = state.bases;
  regionCount = bases.length;
  sizes = state.sizes;
  breaks = state.breaks;
  floors = state.floors;
  largeOnly = state.largeOnly;
  pageSizes = state.pageSizes;
  pageOrigins = state.pageOrigins;
  pageCounts = state.pageCounts;
  pagesAt = state.pagesAt;
  pages = state.pages;
  names = state.names;
  bytesOf = state.bytes;
  halvesOf = state.halves;
  wordsOf = state.words;
  headerBytes = -pageOrigins[0]! & 7;
  enter(0);
}

/** Binds a region's views and returns where its offsets begin. */
function enter(region: number): number {
  current = region;
  selectViews(bytesOf[region]!, halvesOf[region]!, wordsOf[region]!);
  return bases[region]!;
}

/** The region that holds this offset; the number of regions when none does. */
export function regionOf(offset: number): number {
  let region = 0;
  while (region < regionCount && offset >= bases[region]! + sizes[region]!) region++;
  return offset < 0 ? regionCount : region;
}

/** Binds the region of a place and returns the place within it. */
export function select(offset: number): number {
  const region = regionOf(offset);
  return region === regionCount ? 0 : offset - enter(region);
}

/** Sizes of pages for a region: as few bytes as 256 of them allow. */
export function pageBytesFor(bytes: number): number {
  let page = LEAST_PAGE_BYTES;
  while (page * MOST_PAGES < bytes) page <<= 1;
  return page;
}

/** Formats every region. The arenas begin with nothing but their bookkeeping. Returns 0 when one is too small. */
export function init(_arenaBytes: number): number {
  let most = 0;
  for (let region = 0; region < regionCount; region++) {
    enter(region);
    breaks[region] = 0;
    if (largeOnly[region] === 0) {
      const room = inner.init(sizes[region]!);
      // A handle does not tell its region: policies that move blocks cannot be used.
      if (room === 0 || inner.locate(8) !== 8) return 0;
      if (room > most) most = room;
      // Blocks of pages begin where the policy's do, so that all blocks of a heap are shaped alike.
      headerBytes = -inner.firstBlock() & 7;
      breaks[region] = inner.moveEnd(sizes[region]!, 0);
    }
  }
  for (let region = 0; region < regionCount; region++) {
    const page = pageSizes[region]!;
    const count = ((sizes[region]! - headerBytes) / page) | 0;
    pageCounts[region] = count;
    pageOrigins[region] = sizes[region]! - headerBytes - count * page;
    for (let i = 0; i < count; i++) pages[pagesAt[region]! + i] = PAGE_FREE;
    setFloor(region);
    if (largeOnly[region] !== 0 && count * page > most) most = count * page;
  }
  return most;
}

/** Where the region's lowest large block begins, or its end. */
function setFloor(region: number): void {
  const from = pagesAt[region]!;
  const count = pageCounts[region]!;
  let page = 0;
  while (page < count && pages[from + page] === PAGE_FREE) page++;
  floors[region] = page === count ? sizes[region]! : placeOf(region, page);
}

/** Offset within the region at which a page begins. */
function placeOf(region: number, page: number): number {
  return page * pageSizes[region]! + pageOrigins[region]!;
}

/** The page that begins with the block of this payload, -1 when none does. */
function pageOf(region: number, payload: number): number {
  const place = payload - headerBytes - pageOrigins[region]!;
  const page = (place / pageSizes[region]!) | 0;
  return place === page * pageSizes[region]! && page < pageCounts[region]! && page >= 0 ? page : -1;
}

/** Pages of the run that begins at `page`. */
function runLength(region: number, page: number): number {
  const from = pagesAt[region]! + page;
  const most = pageCounts[region]! - page;
  let length = 1;
  while (length < most && pages[from + length] === PAGE_REST) length++;
  return length;
}

/** Pages for a request; a size of 0 is served as 1. */
function pagesFor(region: number, size: number): number {
  const page = pageSizes[region]!;
  return (((size === 0 ? 1 : size) + headerBytes + page - 1) / page) | 0;
}

/** The highest run of `need` free pages above the break; -1 when there is none. */
function findPages(region: number, need: number): number {
  const from = pagesAt[region]!;
  const arenaEnd = breaks[region]!;
  let free = 0;
  for (let page = pageCounts[region]! - 1; page >= 0 && placeOf(region, page) >= arenaEnd; page--) {
    free = pages[from + page] === PAGE_FREE ? free + 1 : 0;
    if (free === need) return page;
  }
  return -1;
}

function markRun(region: number, page: number, count: number, first: number, rest: number): void {
  const from = pagesAt[region]! + page;
  pages[from] = first;
  for (let i = 1; i < count; i++) pages[from + i] = rest;
  setFloor(region);
}

/** A large block: regions for large blocks alone first, then the others from the last on. */
function mallocPages(size: number): number {
  for (let only = 1; only >= 0; only--) {
    for (let region = regionCount - 1; region >= 0; region--) {
      if (largeOnly[region] !== only || size > sizes[region]!) continue;
      const need = pagesFor(region, size);
      const page = findPages(region, need);
      if (page < 0) continue;
      markRun(region, page, need, PAGE_FIRST, PAGE_REST);
      return bases[region]! + placeOf(region, page) + headerBytes;
    }
  }
  return 0;
}

/** Moves the bound region's break up by what a request of `size` needs. False when it cannot move. */
function grow(size: number): boolean {
  const from = breaks[current]!;
  const limit = floors[current]! & ~7;
  const asked = (from + size + BREAK_SLACK + pageSizes[current]! - 1) & -pageSizes[current]!;
  if (from >= limit) return false;
  breaks[current] = inner.moveEnd(from, asked < limit && asked > from ? asked : limit);
  breakMoves++;
  return breaks[current]! > from;
}

/** A block of the arenas: where there is room as they are, else where a break can move. */
function mallocSmall(alignment: number, size: number): number {
  for (let growing = 0; growing < 2; growing++) {
    for (let region = 0; region < regionCount; region++) {
      if (largeOnly[region] !== 0 || (bases[region]! & (alignment - 1)) !== 0) continue;
      const base = enter(region);
      if (growing !== 0 && !grow(size + alignment)) continue;
      let offset = alignment > 8 ? inner.memalign(alignment, size) : inner.malloc(size);
      // What was asked may not have been enough for the policy's rounding: the rest of the region is.
      if (offset === 0 && growing !== 0 && grow(sizes[region]!))
        offset = alignment > 8 ? inner.memalign(alignment, size) : inner.malloc(size);
      if (offset !== 0) return base + offset;
    }
  }
  return 0;
}

export function malloc(size: number): number {
  if (size < 0) return 0;
  if (size < largeFrom) {
    const offset = mallocSmall(1, size);
    return offset === 0 ? mallocPages(size) : offset;
  }
  let offset = mallocPages(size);
  if (offset === 0) offset = mallocSmall(1, size);
  if (offset === 0) {
    // Free space at the top of an arena may be what the pages lack.
    trim(0);
    offset = mallocPages(size);
  }
  return offset;
}

export function memalign(alignment: number, size: number): number {
  if (alignment <= 0 || (alignment & (alignment - 1)) !== 0) return 0;
  return alignment <= 8 ? malloc(size) : mallocSmall(alignment, size);
}

/** Whether the offset, bound and within its region, lies in the part that is divided into pages. */
function isAbove(place: number): boolean {
  return place >= floors[current]!;
}

/** Pages of the live run that begins with this payload in the bound region, 0 when none does. */
function livePages(place: number): number {
  const page = pageOf(current, place);
  if (page < 0 || pages[pagesAt[current]! + page] !== PAGE_FIRST) return 0;
  return runLength(current, page);
}

export function usableSize(offset: number): number {
  if (regionOf(offset) === regionCount) return 0;
  const place = select(offset);
  if (isAbove(place)) {
    const pages = livePages(place);
    return pages === 0 ? 0 : pages * pageSizes[current]! - headerBytes;
  }
  return place < breaks[current]! ? inner.usableSize(place) : 0;
}

export function free(offset: number): number {
  if (regionOf(offset) === regionCount) return MISUSE_WILD;
  const place = select(offset);
  if (isAbove(place)) {
    const pages = livePages(place);
    if (pages === 0) return (offset & 7) === 0 ? MISUSE_NOT_LIVE : MISUSE_WILD;
    markRun(current, pageOf(current, place), pages, PAGE_FREE, PAGE_FREE);
    return 0;
  }
  return place < breaks[current]! ? inner.free(place) : MISUSE_WILD;
}

/** Resizes a large block where it is: pages behind it are given back, or taken when they are free. */
function resizePages(place: number, size: number): boolean {
  const region = current;
  const held = livePages(place);
  const page = pageOf(region, place);
  const need = pagesFor(region, size);
  const from = pagesAt[region]! + page;
  if (page + need > pageCounts[region]!) return false;
  for (let i = held; i < need; i++) if (pages[from + i] !== PAGE_FREE) return false;
  for (let i = need; i < held; i++) pages[from + i] = PAGE_FREE;
  for (let i = held; i < need; i++) pages[from + i] = PAGE_REST;
  return true;
}

export function realloc(offset: number, size: number): number {
  if (offset === 0) return malloc(size);
  const held = usableSize(offset);
  if (held === 0 || size < 0) return 0;
  const place = select(offset);
  if (isAbove(place)) {
    if (size >= largeFrom && size <= sizes[current]! && resizePages(place, size)) return offset;
  } else if (size < largeFrom) {
    const base = bases[current]!;
    let moved = inner.realloc(place, size);
    if (moved === 0 && grow(size)) moved = inner.realloc(place, size);
    if (moved !== 0) return base + moved;
  }
  const to = malloc(size);
  if (to === 0) {
    // There is no other place: where the block is, there may be room.
    select(offset);
    if (isAbove(place)) return resizePages(place, size) ? offset : 0;
    const base = bases[current]!;
    const stayed = inner.realloc(place, size);
    return stayed === 0 ? 0 : base + stayed;
  }
  copy(to, offset, Math.min(size, held));
  free(offset);
  return to;
}

/** Contents to another block, in this region or in another. Both hold whole words. */
function copy(to: number, from: number, bytes: number): void {
  const source = select(from) >> 2;
  const words = u32;
  const target = select(to) >> 2;
  for (let i = 0; i < (bytes + 3) >> 2; i++) u32[target + i] = words[source + i]!;
}

/** Moves each break down to `padBytes` above the last live block. Returns the bytes given back. */
export function trim(padBytes: number): number {
  let given = 0;
  for (let region = 0; region < regionCount; region++) {
    if (largeOnly[region] !== 0) continue;
    enter(region);
    const from = breaks[region]!;
    let to = inner.moveEnd(from, 0);
    const padded = (to + padBytes + 7) & ~7;
    if (padBytes > 0 && to < from) to = inner.moveEnd(to, padded < from && padded > to ? padded : from);
    breaks[region] = to;
    given += from - to;
    breakMoves++;
  }
  return given;
}

/** The walk: arenas, what lies beyond their breaks, and pages, region after region. */
export function firstBlock(): number {
  return startOf(0);
}

/** The first block of a region: its arena's, or that of its pages; 0 behind the last region. */
function startOf(region: number): number {
  if (region === regionCount) return 0;
  const base = enter(region);
  return region === 0 ? inner.firstBlock() : base;
}

export function nextBlock(block: number): number {
  const place = select(block);
  const base = bases[current]!;
  const arenaEnd = breaks[current]!;
  if (place < arenaEnd) {
    const first = inner.firstBlock();
    // A region's bookkeeping is a block of its own in the walk, but for the first region's.
    if (place < first) return base + first;
    const next = inner.nextBlock(place);
    return next !== 0 && next < arenaEnd ? base + next : behindArena();
  }
  const page = pageAt(place);
  if (page < 0) return pageBlock(firstTakenPage());
  const from = pagesAt[current]!;
  let next = page + 1;
  if (pages[from + page] === PAGE_FREE) while (next < pageCounts[current]! && pages[from + next] === PAGE_FREE) next++;
  else next = page + runLength(current, page);
  return pageBlock(next);
}

/** The block that begins at the break: what lies beyond it, or the first page where nothing does. */
function behindArena(): number {
  const arenaEnd = breaks[current]!;
  return arenaEnd < floors[current]! ? bases[current]! + arenaEnd : pageBlock(firstTakenPage());
}

/** The page that begins at this place of the bound region and is at the floor or above, else -1. */
function pageAt(place: number): number {
  return isAbove(place) ? ((place - pageOrigins[current]!) / pageSizes[current]!) | 0 : -1;
}

function firstTakenPage(): number {
  return floors[current]! === sizes[current]! ? pageCounts[current]! : pageAt(floors[current]!);
}

/** The block that begins with a page of the bound region; behind its last page, the next region's first. */
function pageBlock(page: number): number {
  return page < pageCounts[current]! ? bases[current]! + placeOf(current, page) : startOf(current + 1);
}

export function blockKind(block: number): number {
  const place = select(block);
  if (place < breaks[current]!) return place < inner.firstBlock() ? BLOCK_CONTROL : inner.blockKind(place);
  const page = pageAt(place);
  return page >= 0 && pages[pagesAt[current]! + page] === PAGE_FIRST ? BLOCK_LIVE : BLOCK_BEYOND;
}

export function blockPayload(block: number): number {
  const place = select(block);
  return block - place + (place < breaks[current]! ? inner.blockPayload(place) : place + headerBytes);
}

export function check(): number {
  for (let region = 0; region < regionCount; region++) {
    const base = enter(region);
    if (largeOnly[region] === 0) {
      const wrong = inner.check();
      checkedAt = base + inner.checkOffset();
      if (wrong !== 0) return wrong;
      // To such a policy what lies beyond the break is one live block, the last.
      const end = breaks[region]!;
      checkedAt = base + end;
      if (end < sizes[region]! && inner.usableSize(end) !== 0 && inner.nextBlock(end) !== 0) return BLOCK_BEYOND_BREAK;
    }
    // The last granule below the floor: a floor may be the region's end, and the next one's start.
    checkedAt = base + floors[region]! - 8;
    if (breaks[region]! > floors[region]!) return BREAK_BEYOND_FLOOR;
    const from = pagesAt[region]!;
    let before = PAGE_FREE;
    for (let page = 0; page < pageCounts[region]!; page++) {
      checkedAt = base + placeOf(region, page);
      const kind = pages[from + page]!;
      if (kind > PAGE_REST || (kind === PAGE_REST && before === PAGE_FREE)) return PAGES_DAMAGED;
      if (kind !== PAGE_FREE && placeOf(region, page) < floors[region]!) return PAGES_DAMAGED;
      before = kind;
    }
  }
  checkedAt = 0;
  return 0;
}

export function checkOffset(): number {
  return checkedAt;
}

export function locate(offset: number): number {
  return offset;
}

export function pin(_offset: number): boolean {
  return true;
}

export function unpin(_offset: number): void {}
