/**
 * The regions of a heap as the host knows them, and what of its memory is neither live nor free: the policy's own ranges,
 * and what lies beyond a break. Imports no Node.
 *
 *   region   [ arena ........... ][ beyond .... ][ large ][ given back ][ large ]
 *             start                ^ start + breakBytes                          ^ start + bytes
 *
 * Large blocks are live blocks beyond the break; all else there is memory that is nobody's.
 */
import { BLOCK_BEYOND, BLOCK_CONTROL } from '../../firmware/src/policy.ts';
import type { ToldRegion } from './events.ts';
import type { Block } from './heap-walk.ts';

export interface Region extends ToldRegion {
  /** Where its offsets begin. */
  start: number;
}

/** Regions with their starts, none of them beyond the heap's end, no break beyond its region's. */
export function placeRegions(told: readonly ToldRegion[], heapBytes: number): Region[] {
  const regions: Region[] = [];
  let start = 0;
  for (const region of told) {
    const bytes = Math.min(region.bytes, heapBytes - start);
    if (bytes <= 0) break;
    regions.push({ ...region, start, bytes, breakBytes: Math.min(region.breakBytes, bytes) });
    start += bytes;
  }
  return regions;
}

/** The region that holds an offset; undefined where none is told. */
export const regionAt = (regions: readonly Region[], offset: number): Region | undefined =>
  regions.find(({ start, bytes }) => offset >= start && offset < start + bytes);

/** What a region without a name is called. */
export const regionName = (regions: readonly Region[], region: Region): string =>
  region.name === '' ? `region ${regions.indexOf(region)}` : region.name;

/**
 * start, end and BLOCK_ of each range between live blocks that is no free memory, in the order of addresses. `controls` are
 * starts and ends as a sweep found them. Recordings from before regions were told have what lies beyond a break among them.
 */
export function reservedRanges(controls: readonly number[], regions: readonly Region[]): number[] {
  const ranges: [number, number, number][] = [];
  for (let i = 0; i < controls.length; i += 2) ranges.push([controls[i]!, controls[i + 1]!, BLOCK_CONTROL]);
  for (const { start, bytes, breakBytes } of regions)
    if (breakBytes < bytes) ranges.push([start + breakBytes, start + bytes, BLOCK_BEYOND]);
  return ranges.sort(([a], [b]) => a - b).flat();
}

/** What is in a region. */
export interface RegionUse extends Region {
  liveBytes: number;
  /** Of live blocks that lie beyond the break. */
  largeBytes: number;
  /** Neither arena nor large blocks. */
  unusedBytes: number;
}

/** What of a heap model says which regions it has and what lies in them. */
interface HeapOfRegions {
  readonly heapRegions: readonly Region[];
  readonly headerBytes: number;
  forEachBlock(visit: (block: Readonly<Block>) => void): void;
}

/** The regions of a heap with what is in each, each with a name; one walk. Empty for a heap of one arena. */
export function regionRows(model: HeapOfRegions): RegionUse[] {
  const { heapRegions } = model;
  if (heapRegions.length === 0) return [];
  const rows = heapRegions.map((region) => ({
    ...region,
    name: regionName(heapRegions, region),
    liveBytes: 0,
    largeBytes: 0,
    unusedBytes: 0,
  }));
  model.forEachBlock(({ start, bytes, live, beyond }) => {
    const row = rows.find((one) => start >= one.start && start < one.start + one.bytes);
    if (!row) return;
    if (beyond) row.unusedBytes += bytes;
    if (!live) return;
    row.liveBytes += bytes;
    if (start < row.start + row.breakBytes) return;
    // A large block is whole pages, counted from the region's end. Any other lies in the arena: its break has moved, and that
    // is not told yet.
    const fromEnd = row.start + row.bytes - model.headerBytes - start;
    if (bytes % row.pageBytes === 0 && fromEnd % row.pageBytes === 0) row.largeBytes += bytes;
    else row.breakBytes = start + bytes - row.start;
  });
  return rows;
}
