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
 * The state is state.ts, pages are pages.ts, the walk is walk.ts. Nothing is allocated per operation.
 * Bound: per call, three calls of the policy and one scan of at most 256 pages a region.
 */
import { u32 } from '../arena.ts';
import { MISUSE_NOT_LIVE, MISUSE_WILD } from '../policy.ts';
import { formatPages, isAbove, livePages, mallocPages, markRun, PAGE_FREE, pageOf, resizePages } from './pages.ts';
import * as inner from './region-policy.ts';
import {
  bases,
  breaks,
  current,
  enter,
  floors,
  headerBytes,
  largeFrom,
  largeOnly,
  pageSizes,
  regionCount,
  regionOf,
  select,
  setHeaderBytes,
  sizes,
} from './state.ts';

export { regionOf, select } from './state.ts';
export { blockKind, blockPayload, check, checkOffset, firstBlock, nextBlock } from './walk.ts';

/** A break moves by whole pages, and at least by what bookkeeping may need besides the request. */
const BREAK_SLACK = 32;

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
      setHeaderBytes(-inner.firstBlock() & 7);
      breaks[region] = inner.moveEnd(sizes[region]!, 0);
    }
  }
  for (let region = 0; region < regionCount; region++) {
    const room = formatPages(region);
    if (largeOnly[region] !== 0 && room > most) most = room;
  }
  return most;
}

/** Moves the bound region's break up by what a request of `size` needs. False when it cannot move. */
function grow(size: number): boolean {
  const from = breaks[current]!;
  const limit = floors[current]! & ~7;
  const asked = (from + size + BREAK_SLACK + pageSizes[current]! - 1) & -pageSizes[current]!;
  if (from >= limit) return false;
  breaks[current] = inner.moveEnd(from, asked < limit && asked > from ? asked : limit);
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
  }
  return given;
}

export function locate(offset: number): number {
  return offset;
}

export function pin(_offset: number): boolean {
  return true;
}

export function unpin(_offset: number): void {}
