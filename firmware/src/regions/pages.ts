/**
 * The pages of a region: where large blocks lie, from the region's end downward. A byte a page says whether it is free, a
 * run's first, or one of the rest; a run is a block.
 *
 *   region   ... ^ break        [ first, rest, rest ][ free ][ first ]
 *                                ^ floor: the lowest page that is taken
 */
import {
  bases,
  breaks,
  current,
  floors,
  headerBytes,
  largeOnly,
  pageCounts,
  pageOrigins,
  pageSizes,
  pages,
  pagesAt,
  regionCount,
  sizes,
} from './state.ts';

export const PAGE_FREE = 0;
export const PAGE_FIRST = 1;
export const PAGE_REST = 2;

/** Pages that a region has at most. */
export const MOST_PAGES = 256;
const LEAST_PAGE_BYTES = 64;
/** Sizes of pages for a region: as few bytes as 256 of them allow. */
export function pageBytesFor(bytes: number): number {
  let page = LEAST_PAGE_BYTES;
  while (page * MOST_PAGES < bytes) page <<= 1;
  return page;
}

/** Divides the rest of a region into pages, all of them free. Returns the bytes of one run of them all. */
export function formatPages(region: number): number {
  const page = pageSizes[region]!;
  const count = ((sizes[region]! - headerBytes) / page) | 0;
  pageCounts[region] = count;
  pageOrigins[region] = sizes[region]! - headerBytes - count * page;
  for (let i = 0; i < count; i++) pages[pagesAt[region]! + i] = PAGE_FREE;
  setFloor(region);
  return count * page;
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
export function placeOf(region: number, page: number): number {
  return page * pageSizes[region]! + pageOrigins[region]!;
}

/** The page that begins with the block of this payload, -1 when none does. */
export function pageOf(region: number, payload: number): number {
  const place = payload - headerBytes - pageOrigins[region]!;
  const page = (place / pageSizes[region]!) | 0;
  return place === page * pageSizes[region]! && page < pageCounts[region]! && page >= 0 ? page : -1;
}

/** Pages of the run that begins at `page`. */
export function runLength(region: number, page: number): number {
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

export function markRun(region: number, page: number, count: number, first: number, rest: number): void {
  const from = pagesAt[region]! + page;
  pages[from] = first;
  for (let i = 1; i < count; i++) pages[from + i] = rest;
  setFloor(region);
}

/** A large block: regions for large blocks alone first, then the others from the last on. */
export function mallocPages(size: number): number {
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

/** Whether the offset, bound and within its region, lies in the part that is divided into pages. */
export function isAbove(place: number): boolean {
  return place >= floors[current]!;
}

/** Pages of the live run that begins with this payload in the bound region, 0 when none does. */
export function livePages(place: number): number {
  const page = pageOf(current, place);
  if (page < 0 || pages[pagesAt[current]! + page] !== PAGE_FIRST) return 0;
  return runLength(current, page);
}

/** Resizes a large block where it is: pages behind it are given back, or taken when they are free. */
export function resizePages(place: number, size: number): boolean {
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
