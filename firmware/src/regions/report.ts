/**
 * The regions of the recorded heap as the line is told them: bytes, program break and name of each. Told behind each hello,
 * and when a break has moved; where large blocks lie, their events say. In a bundle whose heaps have one arena the
 * toolchain puts nothing in this file's place (firmware/toolchain/device-modules.ts).
 */
import { MOST_REGION_LETTERS, REGION_LARGE } from '../../wire/format.ts';
import type { Heap } from '../heap.ts';
import { putVarintAt } from '../telemetry/sweep.ts';
import type { RegionHeap } from './region-heap.ts';
import { breaks, largeOnly, names, pageSizes, regionCount, sizes } from './state.ts';

/** A program that moves its breaks all the time tells it so often. */
const REPORT_MS = 500;
/** kind, two varints, length, letters. */
const LONGEST_REGION_BYTES = 1 + 4 + 4 + 1 + MOST_REGION_LETTERS;

/** Whether there may be regions to tell; not so in the place of this file. */
export const tellsRegions = true;

/** Of the recorded heap, which need not be the bound one; none for a heap of one arena. */
let itsBreaks: Uint32Array = new Uint32Array(0);
/** Where they were at the last report, as one number; -1 when a report is due wherever they are. */
let told = -1;
let toldMs = 0;

/** Begins the reports on `heap`. */
export function startRegionReport(heap: Heap, now: number): void {
  heap.bind();
  itsBreaks = (heap as RegionHeap).regionCount === undefined ? new Uint32Array(0) : breaks;
  askForRegions(now);
}

/** A report is due now. */
export function askForRegions(now: number): void {
  told = -1;
  toldMs = now;
}

/** Changes with each break; two that move so that it does not are told behind the next hello. */
function breaksNow(): number {
  let sum = 0;
  for (let region = 0; region < itsBreaks.length; region++) sum += itsBreaks[region]! * (region + 1);
  return sum;
}

/** When the next report is due: a break has moved, or a hello was said. `due` when there is none or that is earlier. */
export function regionsDueMs(due: number): number {
  const at = told < 0 ? toldMs : toldMs + REPORT_MS;
  return at < due && itsBreaks.length !== 0 && told !== breaksNow() ? at : due;
}

/** Writes the regions of the bound heap to out[from..limit), as many as there is room for. Returns where it ends. */
export function putRegions(out: Uint8Array, from: number, limit: number, now: number): number {
  told = breaksNow();
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
