/**
 * createSafeHeap as a program calls it: over a heap of one arena (safety.ts), or over one of several regions, which then
 * has the calls of regions/region-heap.ts too. In a bundle whose heaps have one arena the toolchain puts safety.ts itself in this
 * file's place (firmware/toolchain/device-modules.ts).
 */
import type { Heap } from '../heap.ts';
import type { RegionHeap } from '../regions/region-heap.ts';
import type { SafeHeap, SafetyOptions } from './safe-heap.ts';
import { createSafeHeap as createSafeHeapOver } from './safety.ts';

type RegionCalls = Omit<RegionHeap, keyof Heap>;
export type SafeRegionHeap = SafeHeap & RegionCalls;

/** A safe heap over `heap`, which must be empty and is used through it only from now on; null for null. */
export function createSafeHeap(heap: RegionHeap | null, options?: SafetyOptions): SafeRegionHeap | null;
export function createSafeHeap(heap: Heap | null, options?: SafetyOptions): SafeHeap | null;
export function createSafeHeap(heap: Heap | null, options?: SafetyOptions): SafeHeap | null {
  const safe = createSafeHeapOver(heap, options);
  const regions = heap as RegionHeap;
  return safe && regions.regionCount !== undefined ? Object.assign(safe, regionCalls(safe, regions)) : safe;
}

function regionCalls(safe: SafeHeap, regions: RegionHeap): RegionCalls {
  return {
    regionCount: regions.regionCount,
    regionOf: regions.regionOf,
    bytesOf: regions.bytesOf,
    placeOf: regions.placeOf,
    regionStats: regions.regionStats,

    trim(padBytes: number): number {
      // A block in quarantine holds its place as a live one does.
      safe.releaseQuarantine();
      return safe.damaged() ? 0 : regions.trim(padBytes);
    },
  };
}
