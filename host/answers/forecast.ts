/**
 * The high-water forecast: when the arena is full if what leaks goes on as it did. Silent without a trend: only growth
 * that the leak verdict (leaks.ts) holds for one counts, so caches that fill and loads that come and go say nothing.
 *
 *   rate   a line (least squares) through the least that the leaking sites held in each eighth of the time judged, with a
 *          block's header for each block that came
 *   room   the least free memory in the last quarter, which is what the program's own ups and downs leave
 *
 * The evidence is the growth itself. The confidence is how well a line describes it; the range is that of the two
 * halves' rates, and of what free memory in pieces is worth.
 */

import type { HeapModel } from '../model/heap-model.ts';
import { bytesText, durationText } from '../view/units.ts';
import type { LeakWatch } from './leaks.ts';

export type Confidence = 'high' | 'medium' | 'low';

export interface Forecast {
  /** Until the arena is full; 0 when it is. */
  fullInMs: number;
  /** The same at the faster and at the slower of the two halves' rates. */
  earliestMs: number;
  latestMs: number;
  confidence: Confidence;
  /** The growth, over how long, and by which sites. */
  growthBytes: number;
  spanMs: number;
  sites: readonly number[];
  roomBytes: number;
}

/** Part of the variance that the line explains. */
const HIGH_FIT = 0.98;
const MEDIUM_FIT = 0.9;
/** And how far the halves' rates may be apart, as a part of the whole rate. */
const HIGH_SPREAD = 0.25;
const MEDIUM_SPREAD = 0.6;

interface Line {
  slope: number;
  fit: number;
}

function lineThrough(values: readonly number[]): Line {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let xy = 0;
  let xx = 0;
  let yy = 0;
  values.forEach((value, x) => {
    xy += (x - middle) * (value - mean);
    xx += (x - middle) ** 2;
    yy += (value - mean) ** 2;
  });
  return { slope: xy / xx, fit: yy === 0 ? 0 : (xy * xy) / (xx * yy) };
}

/**
 * The bytes that growth has until a request fails. Of ever more blocks some do not find a piece that is large enough: what
 * lies outside the largest free block may be lost, half of it likely. A block that only grows (`growing` bytes now) has
 * to be moved, and is there twice then, unless it can grow where it is.
 */
function roomFor(growing: number, leastFree: number, model: HeapModel): Record<'least' | 'likely' | 'most', number> {
  if (growing > 0) {
    const most = Math.max(0, leastFree - growing);
    return { least: most / 2, likely: most / 2, most };
  }
  const { freeBytes, largestFreeBytes } = model.metrics();
  const outside = Math.min(leastFree, freeBytes - largestFreeBytes);
  return { least: leastFree - outside, likely: leastFree - outside / 2, most: leastFree };
}

/** Null when nothing leaks, or too little was heard. */
export function forecast(watch: LeakWatch, model: HeapModel): Forecast | null {
  const judged = watch.judged(model);
  if (judged === null || !model.exact) return null;
  const verdicts = watch.verdicts(model);
  const [first] = verdicts;
  if (first === undefined) return null;
  const steps = first.troughBytes.length - 1;
  const held = first.troughBytes.map((_, eighth) =>
    verdicts.reduce(
      (sum, { troughBytes, growthBlocks }) =>
        sum + troughBytes[eighth]! + (growthBlocks * model.headerBytes * eighth) / steps,
      0,
    ),
  );
  const { slope, fit } = lineThrough(held);
  if (slope <= 0) return null;
  const half = held.length / 2;
  const halves = [lineThrough(held.slice(0, half)).slope, lineThrough(held.slice(half)).slope].sort((a, b) => a - b);
  const stepMs = judged.spanMs / steps;
  const room = roomFor(first.growingBlockBytes, judged.leastFreeBytes, model);
  const fullAt = (bytes: number, rate: number): number =>
    rate <= 0 ? Number.POSITIVE_INFINITY : (bytes / rate) * stepMs;
  const spread = (halves[1]! - halves[0]!) / slope;
  const confidence =
    fit >= HIGH_FIT && spread <= HIGH_SPREAD ? 'high' : fit >= MEDIUM_FIT && spread <= MEDIUM_SPREAD ? 'medium' : 'low';
  return {
    fullInMs: fullAt(room.likely, slope),
    earliestMs: fullAt(room.least, Math.max(slope, halves[1]!)),
    latestMs: fullAt(room.most, Math.min(slope, halves[0]!)),
    confidence,
    growthBytes: slope * steps,
    spanMs: judged.spanMs,
    sites: verdicts.map(({ site }) => site),
    roomBytes: judged.leastFreeBytes,
  };
}

/** With low confidence the range alone. "At this growth the arena is full in 3 min 20 s (3 min 05 s to 3 min 40 s): +1.9 KB in 2 min 10 s at net.js:41, ..." */
export function forecastSentence(said: Forecast, nameOf: (site: number) => string): string {
  const { fullInMs, earliestMs, latestMs, confidence, growthBytes, spanMs, sites, roomBytes } = said;
  const range = Number.isFinite(latestMs)
    ? `${durationText(earliestMs)} to ${durationText(latestMs)}`
    : `${durationText(earliestMs)} at the earliest`;
  const names = sites.slice(0, 3).map(nameOf).join(', ');
  // Where a line does not describe the growth, one moment would be more than is known.
  const when =
    confidence === 'low'
      ? `The arena fills, in ${range} (the growth is too uneven to say nearer)`
      : `At this growth the arena is full in ${durationText(fullInMs)} (${range}; confidence ${confidence})`;
  return (
    `${when}: ` + `+${bytesText(growthBytes)} in ${durationText(spanMs)} at ${names}, ${bytesText(roomBytes)} of room.`
  );
}
