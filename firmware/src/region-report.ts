/**
 * The regions of the recorded heap as the line is told them: bytes, program break and name of each. Told behind each hello,
 * and when a break has moved; where large blocks lie, their events say. In a bundle whose heaps have one arena the
 * toolchain puts nothing in this file's place (firmware/toolchain/device-modules.ts).
 */
import { MOST_REGION_LETTERS, REGION_LARGE } from '../wire/format.ts';
import type { Heap } from './heap.ts';
import type { RegionHeap } from './region-heap.ts';
import { breakMoves, breaks, largeOnly, names, pageSizes, regionCount, sizes } from './regions.ts';
import { putVarintAt } from './sweep.ts';

/** A program that moves its breaks all the time tells it so often. */
const REPORT_MS = 500;
/** kind, two varints, length, letters. */
const LONGEST_REGION_BYTES = 1 + 4 + 4 + 1 + MOST_REGION_LETTERS;

let hasRegions = false;
/** `breakMoves` of the last report, -1 when one is due whatever it is. */
let told = -1;
let toldMs = 0;

/** Begins the reports on `heap`. */
export function startRegionReport(heap: Heap, now: number): void {
  hasRegions = (heap as RegionHeap).regionCount !== undefined;
  askForRegions(now);
}

/** A report is due now. */
export function askForRegions(now: number): void {
  told = -1;
  toldMs = now;
}

/** A break has moved since the last report, or a hello was said. */
export function areRegionsStale(): boolean {
  return hasRegions && told !== breakMoves;
}

/** When they are to be told, if they are stale. */
export function regionsDueMs(): number {
  return told < 0 ? toldMs : toldMs + REPORT_MS;
}

/** Writes the regions of the bound heap to out[from..limit), as many as there is room for. Returns where it ends. */
export function putRegions(out: Uint8Array, from: number, limit: number, now: number): number {
  told = breakMoves;
  toldMs = now;
  let at = from;
  for (let region = 0; region < regionCount && at + LONGEST_REGION_BYTES <= limit; region++) {
    let log = 0;
    while (1 << log < pageSizes[region]!) log++;
    out[at++] = largeOnly[region] === 0 ? log : log | REGION_LARGE;
    at = putVarintAt(out, at, sizes[region]!);
    at = putVarintAt(out, at, breaks[region]!);
    const name = names[region]!;
    const letters = Math.min(name.length, MOST_REGION_LETTERS);
    out[at++] = letters;
    for (let i = 0; i < letters; i++) out[at++] = name.charCodeAt(i) & 127;
  }
  return at;
}
