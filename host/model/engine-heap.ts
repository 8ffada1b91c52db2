/**
 * The engine's own heap, with what the samples themselves take in it subtracted.
 *
 *   Espruino     counts variables while the answer is being made: the answer's object, the argument, and what it takes to
 *                get to `process.memory`, 5 together (2v29.277 built for ARM Linux: `process.memory(false).usage` is 4
 *                above that of a function and an argument held in variables, and the object is one).
 *   JerryScript  counts before it makes the answer; the answers since the last collection are garbage that the program
 *                did not make. A collection shows as a fall of the used bytes; a fall for another reason makes the
 *                figure too high by those answers until the next one.
 */
import type { EngineSample } from './events.ts';

const IN_FLIGHT_VARIABLES = 5;

export interface EngineFigures {
  /** Of the board's clock. */
  atMs: number;
  /** What the program and the engine use, the samples' own share left out. */
  usedBytes: number;
  totalBytes: number;
  /** The share that was left out. */
  sampleBytes: number;
  /** The most that was seen in use. */
  peakUsedBytes: number;
}

export interface EngineHeapState {
  last: EngineSample;
  garbage: number;
  peakUsedBytes: number;
}

export class EngineHeap {
  #last: EngineSample | null = null;
  /** In units of the sample: answers that no collection has taken away. */
  #garbage = 0;
  #peakUsedBytes = 0;

  observe(sample: EngineSample): void {
    const last = this.#last;
    const isSame = last !== null && sample.samples > last.samples;
    if (sample.unitBytes > 1) this.#garbage = IN_FLIGHT_VARIABLES;
    // The first sample asks twice.
    else if (!isSame) this.#garbage = Math.max(0, sample.samples - 1) * sample.own;
    else if (sample.used < last.used) this.#garbage = 0;
    else this.#garbage += (sample.samples - last.samples) * sample.own;
    this.#last = sample;
    this.#peakUsedBytes = Math.max(isSame ? this.#peakUsedBytes : 0, this.figures()!.usedBytes);
  }

  /** Null before the first sample. */
  figures(): EngineFigures | null {
    const last = this.#last;
    if (last === null) return null;
    const sampleBytes = Math.min(last.used, this.#garbage) * last.unitBytes;
    return {
      atMs: last.atMs,
      usedBytes: last.used * last.unitBytes - sampleBytes,
      totalBytes: last.total * last.unitBytes,
      sampleBytes,
      peakUsedBytes: this.#peakUsedBytes,
    };
  }

  save(): EngineHeapState | null {
    return this.#last && { last: this.#last, garbage: this.#garbage, peakUsedBytes: this.#peakUsedBytes };
  }

  restore(state: EngineHeapState | null): void {
    this.#last = state?.last ?? null;
    this.#garbage = state?.garbage ?? 0;
    this.#peakUsedBytes = state?.peakUsedBytes ?? 0;
  }
}
