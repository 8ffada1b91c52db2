/**
 * The walk over a heap of regions, and its check: arenas, what lies beyond their breaks, and pages, region after region.
 *
 * Invariants besides each arena's own (check() returns the number)
 *   101  a break is not beyond its region's floor
 *   102  the map of pages: runs begin with a first page, and no page below the floor is taken
 *   103  no block begins beyond a break, where a policy keeps starts of the whole region
 */
import { BLOCK_BEYOND, BLOCK_CONTROL, BLOCK_LIVE } from '../policy.ts';
import { isAbove, PAGE_FIRST, PAGE_FREE, PAGE_REST, placeOf, runLength } from './pages.ts';
import * as inner from './region-policy.ts';
import {
  bases,
  breaks,
  current,
  enter,
  floors,
  headerBytes,
  largeOnly,
  pageCounts,
  pageOrigins,
  pageSizes,
  pages,
  pagesAt,
  regionCount,
  select,
  sizes,
} from './state.ts';

/** In place of the policy's own invariant numbers. */
const BREAK_BEYOND_FLOOR = 101;
const PAGES_DAMAGED = 102;
const BLOCK_BEYOND_BREAK = 103;

let checkedAt = 0;

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
