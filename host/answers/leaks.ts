/**
 * The leak verdict: which call sites hold ever more, with the evidence.
 *
 * A site leaks when, after start-up, both of these hold; each alone has innocent causes:
 *   L1  the least it held in each eighth of the time rises from eighth to eighth, and no slower in the end.
 *       Troughs and not means: a cyclic load comes back to its trough. "No slower": a cache that fills levels off.
 *   L2  blocks of every eighth are still live. Churn leaves only young ones, start-up only old ones, a cache that
 *       replaces its entries fewer and fewer old ones.
 * A block that only grows by realloc (a log, a string) is judged by L1 alone, on the site's largest block or on all its
 * bytes while their number stays.
 *
 * Time is counted in operations, so that a board that sleeps does not stretch it.
 */
import type { HeapModel } from '../model/heap-model.ts';

const SEGMENTS = 8;
/** Start-up: this part of the operations is not judged. */
const STARTUP = 0.2;
/** Samples kept; when they are full, pairs are merged into one by their minimum. */
const MOST_SAMPLES = 256;
const LEAST_SAMPLES = 32;
const LEAST_OPERATIONS = 400;
const LEAST_GROWTH_BYTES = 32;
const LEAST_GROWTH_BLOCKS = 4;
/** Of the seven steps between eighths, this many must rise ... */
const LEAST_RISES = 6;
/** ... and none fall by more than this part of the whole growth. */
const MOST_FALL = 0.1;
/** The last three steps must grow at this part of the mean rate or more. */
const LEAST_LATE_RATE = 0.6;
/** In the second half, the last quarter must grow at this part of the rate of the one before. */
const LEAST_HALF_RATE = 0.7;
/** Old blocks must be this part of the growth, spread over all eighths but the last but for this many. */
const LEAST_OLD = 0.5;
const MOST_EMPTY_SEGMENTS = 1;

export interface LeakVerdict {
  site: number;
  /** Held now. */
  liveBytes: number;
  liveBlocks: number;
  /** Growth of the trough over the time judged. */
  growthBytes: number;
  growthBytesPer1000Operations: number;
  growthBlocks: number;
  /** It is a block that only grows, of so many bytes now; 0 where it is ever more blocks. */
  growingBlockBytes: number;
  /** The least bytes held in each eighth of the time judged. */
  troughBytes: readonly number[];
  /** Live blocks by the eighth in which they were made. */
  survivors: readonly number[];
  /** Operations after which the largest free block is used up at this rate; null when it is not known. */
  operationsLeft: number | null;
}

/** What the verdicts are judged on, as time and room. */
export interface Judged {
  /** Operations from the middle of the first eighth to that of the last: over these the growth is. */
  operations: number;
  /** The same on the board's clock. */
  spanMs: number;
  /** The least free memory in the last quarter. */
  leastFreeBytes: number;
}

interface Series {
  bytes: Float64Array;
  blocks: Float64Array;
  /** Usable bytes of the site's largest block. */
  largest: Float64Array;
}

export class LeakWatch {
  readonly #series = new Map<number, Series>();
  readonly #operations = new Float64Array(MOST_SAMPLES);
  readonly #atMs = new Float64Array(MOST_SAMPLES);
  readonly #freeBytes = new Float64Array(MOST_SAMPLES);
  #samples = 0;
  /** Operations between two samples. */
  #step = 1;
  #nextAt = 0;

  /** Looks at the model; call it as often as there is something new. Cheap when no sample is due. */
  observe(model: HeapModel): void {
    if (this.#samples > 0 && model.operations < this.#operations[this.#samples - 1]!) this.#restart();
    if (model.operations < this.#nextAt) return;
    if (this.#samples === MOST_SAMPLES) this.#merge();
    this.#operations[this.#samples] = model.operations;
    this.#atMs[this.#samples] = model.atMs;
    for (const { site, liveBytes, liveBlocks } of model.sites.list()) {
      let series = this.#series.get(site);
      if (series === undefined) {
        series = {
          bytes: new Float64Array(MOST_SAMPLES),
          blocks: new Float64Array(MOST_SAMPLES),
          largest: new Float64Array(MOST_SAMPLES),
        };
        this.#series.set(site, series);
      }
      series.bytes[this.#samples] = liveBytes;
      series.blocks[this.#samples] = liveBlocks;
    }
    let freeBytes = 0;
    model.forEachBlock((block) => {
      if (!block.live && !block.control && !block.beyond) freeBytes += block.bytes;
      const largest = block.live ? this.#series.get(block.site)?.largest : undefined;
      if (largest !== undefined && largest[this.#samples]! < block.usable) largest[this.#samples] = block.usable;
    });
    this.#freeBytes[this.#samples] = freeBytes;
    this.#samples++;
    this.#nextAt = model.operations + this.#step;
  }

  /**
   * Samples up to the model's moment, which may be a past one of the watch: what came after it is not looked at. 0 for a moment
   * of before the last restart, of which nothing is kept.
   */
  #upTo(model: HeapModel): number {
    let count = this.#samples;
    while (count > 0 && this.#operations[count - 1]! > model.operations) count--;
    const isOfThisRun = count > 0 && this.#atMs[count - 1]! <= model.atMs;
    return isOfThisRun && (count === this.#samples || this.#atMs[count]! >= model.atMs) ? count : 0;
  }

  /**
   * The sites that leak, the fastest first, as they were to be judged at the model's moment. Site 0 is judged like another: it
   * is all that has no site.
   */
  verdicts(model: HeapModel): LeakVerdict[] {
    const end = model.operations;
    const samples = this.#upTo(model);
    if (samples < LEAST_SAMPLES || end < LEAST_OPERATIONS) return [];
    const start = this.#operations[0]! + STARTUP * (end - this.#operations[0]!);
    const length = (end - start) / SEGMENTS;
    const survivors = survivorsBySite(model, start, length);
    const { largestFreeBytes } = model.metrics();
    const verdicts: LeakVerdict[] = [];
    for (const [site, series] of this.#series) {
      const bytes = this.#troughs(series.bytes, samples, start, length);
      const blocks = this.#troughs(series.blocks, samples, start, length);
      const born = survivors.get(site) ?? new Array<number>(SEGMENTS).fill(0);
      const largest = this.#troughs(series.largest, samples, start, length);
      const gathering = gathers(bytes, blocks, born);
      if (!gathering && !swells(bytes, blocks, largest)) continue;
      const growthBytes = bytes[SEGMENTS - 1]! - bytes[0]!;
      if (growthBytes <= 0) continue;
      const rate = growthBytes / (length * (SEGMENTS - 1));
      const totals = model.sites.get(site);
      verdicts.push({
        site,
        liveBytes: totals?.liveBytes ?? 0,
        liveBlocks: totals?.liveBlocks ?? 0,
        growthBytes,
        growthBytesPer1000Operations: rate * 1000,
        growingBlockBytes: gathering ? 0 : largest[SEGMENTS - 1]!,
        growthBlocks: Math.max(0, blocks[SEGMENTS - 1]! - blocks[0]!),
        troughBytes: bytes,
        survivors: born,
        operationsLeft: largestFreeBytes > 0 ? Math.round(largestFreeBytes / rate) : null,
      });
    }
    return verdicts.sort((a, b) => b.growthBytes - a.growthBytes || a.site - b.site);
  }

  /** Null while too little was heard to judge. */
  judged(model: HeapModel): Judged | null {
    const samples = this.#upTo(model);
    const last = samples - 1;
    if (samples < LEAST_SAMPLES || model.operations < LEAST_OPERATIONS) return null;
    const start = this.#operations[0]! + STARTUP * (model.operations - this.#operations[0]!);
    let first = last;
    while (first > 0 && this.#operations[first - 1]! >= start) first--;
    let leastFreeBytes = model.metrics().freeBytes;
    for (let i = last - ((last - first) >> 2); i <= last; i++) {
      leastFreeBytes = Math.min(leastFreeBytes, this.#freeBytes[i]!);
    }
    const part = (SEGMENTS - 1) / SEGMENTS;
    const operations = (model.operations - this.#operations[first]!) * part;
    const spanMs = (model.atMs - this.#atMs[first]!) * part;
    return spanMs > 0 && operations > 0 ? { operations, spanMs, leastFreeBytes } : null;
  }

  #troughs(values: Float64Array, samples: number, start: number, length: number): number[] {
    const troughs = new Array<number>(SEGMENTS).fill(Number.POSITIVE_INFINITY);
    for (let i = 0; i < samples; i++) {
      const segment = Math.floor((this.#operations[i]! - start) / length);
      if (segment < 0) continue;
      const at = Math.min(segment, SEGMENTS - 1);
      troughs[at] = Math.min(troughs[at]!, values[i]!);
    }
    // An eighth without a sample (operations that were not heard) takes the one before it.
    for (let i = 0; i < SEGMENTS; i++) if (troughs[i] === Number.POSITIVE_INFINITY) troughs[i] = troughs[i - 1] ?? 0;
    return troughs;
  }

  #merge(): void {
    this.#samples = MOST_SAMPLES / 2;
    this.#step = Math.max(this.#step * 2, 2);
    for (let i = 0; i < this.#samples; i++) {
      this.#operations[i] = this.#operations[2 * i + 1]!;
      this.#atMs[i] = this.#atMs[2 * i + 1]!;
      this.#freeBytes[i] = Math.min(this.#freeBytes[2 * i]!, this.#freeBytes[2 * i + 1]!);
      for (const series of this.#series.values()) {
        for (const values of [series.bytes, series.blocks, series.largest]) {
          values[i] = Math.min(values[2 * i]!, values[2 * i + 1]!);
        }
      }
    }
    for (const series of this.#series.values()) {
      for (const values of [series.bytes, series.blocks, series.largest]) values.fill(0, this.#samples);
    }
  }

  #restart(): void {
    this.#series.clear();
    this.#samples = 0;
    this.#step = 1;
    this.#nextAt = 0;
  }
}

/** L1: the troughs rise all along, and no slower in the end. */
function rises(troughs: readonly number[], least: number): boolean {
  const growth = troughs[SEGMENTS - 1]! - troughs[0]!;
  if (growth < least) return false;
  let steps = 0;
  for (let i = 1; i < SEGMENTS; i++) {
    const change = troughs[i]! - troughs[i - 1]!;
    if (change > 0) steps++;
    if (change < -MOST_FALL * growth) return false;
  }
  const late = (troughs[SEGMENTS - 1]! - troughs[SEGMENTS - 4]!) / 3;
  return steps >= LEAST_RISES && late >= (LEAST_LATE_RATE * growth) / (SEGMENTS - 1);
}

/** L1 in the second half alone: a leak beside something that filled in the first. */
function risesLate(troughs: readonly number[], least: number): boolean {
  const half = troughs.slice(SEGMENTS / 2 - 1);
  const growth = half[4]! - half[0]!;
  if (growth < least) return false;
  for (let i = 1; i < half.length; i++) if (half[i]! <= half[i - 1]!) return false;
  return half[4]! - half[2]! >= LEAST_HALF_RATE * (half[2]! - half[0]!);
}

/** Ever more blocks, of which old ones are never given back: L1 and L2. */
function gathers(bytes: readonly number[], blocks: readonly number[], born: readonly number[]): boolean {
  const growth = blocks[SEGMENTS - 1]! - blocks[0]!;
  const all = growth >= LEAST_GROWTH_BLOCKS && (rises(bytes, LEAST_GROWTH_BYTES) || rises(blocks, LEAST_GROWTH_BLOCKS));
  if (all && areOld(born.slice(0, SEGMENTS - 1), growth)) return true;
  if (!risesLate(blocks, LEAST_GROWTH_BLOCKS)) return false;
  return areOld(born.slice(SEGMENTS / 2 - 1, SEGMENTS - 1), blocks[SEGMENTS - 1]! - blocks[SEGMENTS / 2 - 1]!);
}

/** L2: blocks of nearly every eighth are held, as many as the growth needs. */
function areOld(born: readonly number[], growth: number): boolean {
  const held = born.reduce((sum, count) => sum + count, 0);
  return held >= LEAST_OLD * growth && born.filter((count) => count === 0).length <= MOST_EMPTY_SEGMENTS;
}

/** As many blocks as before, but larger: a log or a string that only grows. */
function swells(bytes: readonly number[], blocks: readonly number[], largest: readonly number[]): boolean {
  if (rises(largest, LEAST_GROWTH_BYTES)) return true;
  const settled = blocks.slice(1);
  return Math.max(...settled) - Math.min(...settled) <= 1 && rises(bytes, LEAST_GROWTH_BYTES);
}

function survivorsBySite(model: HeapModel, start: number, length: number): Map<number, number[]> {
  const survivors = new Map<number, number[]>();
  model.forEachBlock((block) => {
    if (!block.live || block.bornAt < start) return;
    let counts = survivors.get(block.site);
    if (counts === undefined) {
      counts = new Array<number>(SEGMENTS).fill(0);
      survivors.set(block.site, counts);
    }
    counts[Math.min(SEGMENTS - 1, Math.floor((block.bornAt - start) / length))]!++;
  });
  return survivors;
}

/** The verdict as a sentence with its evidence. `name` is the site's source line. */
export function leakSentence(verdict: LeakVerdict, name: string): string {
  const { growthBytes, growthBytesPer1000Operations, liveBlocks, liveBytes, troughBytes } = verdict;
  const rate = growthBytesPer1000Operations.toFixed(growthBytesPer1000Operations < 10 ? 1 : 0);
  return (
    `${name} leaks: what it holds at least went from ${troughBytes[0]} to ${troughBytes[SEGMENTS - 1]} B ` +
    `(+${growthBytes} B, ${rate} B in 1,000 operations) and did not slow down; ` +
    `it holds ${liveBytes} B in ${liveBlocks} blocks, made all along.`
  );
}
