/**
 * The series of a session in fixed memory: samples fall into time buckets; when the buckets run out, neighbours merge
 * and a bucket covers twice the time. Ten million events take the room of a thousand.
 *
 * A bucket keeps the worst of its samples (highest live, lowest largest-free, highest fragmentation), so that a short
 * peak never disappears by merging. A bucket without a sample holds the last values, unless it was marked as a gap:
 * then nothing is known about it, and nothing is drawn.
 */
import type { Figures, SeriesPoint } from './scene.ts';

type Sample = Pick<Figures, 'liveBytes' | 'peakLiveBytes' | 'largestFreeBytes' | 'externalFragmentation'>;

interface Bucket {
  live: number;
  peak: number;
  largest: number;
  fragmentation: number;
  /** Values at the bucket's end, which an empty bucket after it shows. */
  last: Sample;
}

type Slot = Bucket | 'gap' | undefined;

function sampled(sample: Sample): Bucket {
  const { liveBytes, peakLiveBytes, largestFreeBytes, externalFragmentation } = sample;
  return {
    live: liveBytes,
    peak: peakLiveBytes,
    largest: largestFreeBytes,
    fragmentation: externalFragmentation,
    last: sample,
  };
}

function worst(first: Slot, second: Slot): Slot {
  if (first === undefined || first === 'gap') return second === undefined ? first : second;
  if (second === undefined || second === 'gap') return first;
  return {
    live: Math.max(first.live, second.live),
    peak: Math.max(first.peak, second.peak),
    largest: Math.min(first.largest, second.largest),
    fragmentation: Math.max(first.fragmentation, second.fragmentation),
    last: second.last,
  };
}

export class Timeline {
  private slots: Slot[] = [];
  private bucketMs = 1;
  private startMs: number | null = null;
  private readonly capacity: number;

  constructor(capacity = 1024) {
    this.capacity = capacity;
  }

  /** `atMs` does not go back by more than a bucket; a sample from before the first is taken as the first moment's. */
  add(atMs: number, sample: Sample): void {
    const at = this.slot(atMs);
    this.slots[at] = worst(this.slots[at], sampled(sample));
  }

  /** Nothing is known between these times. Buckets that have samples keep them. */
  gap(fromMs: number, toMs: number): void {
    const last = this.slot(toMs);
    for (let at = this.slot(fromMs); at <= last; at++) this.slots[at] ??= 'gap';
  }

  /** The whole session in at most `columns` points. */
  points(columns: number): SeriesPoint[] {
    const filled: (Bucket | null)[] = [];
    let held: Bucket | null = null;
    for (let at = 0; at < this.slots.length; at++) {
      const slot = this.slots[at];
      if (slot === 'gap') held = null;
      else if (slot !== undefined) held = sampled(slot.last);
      filled.push(slot === 'gap' ? null : (slot ?? held));
    }
    const count = Math.min(columns, filled.length);
    return Array.from({ length: count }, (_, column) => {
      const from = Math.floor((column * filled.length) / count);
      const to = Math.max(from + 1, Math.floor(((column + 1) * filled.length) / count));
      let merged: Slot;
      for (let at = from; at < to; at++) merged = worst(merged, filled[at] ?? 'gap');
      const known = merged === undefined || merged === 'gap' ? null : merged;
      return {
        atMs: (this.startMs ?? 0) + from * this.bucketMs,
        liveBytes: known ? known.live : null,
        peakLiveBytes: known ? known.peak : null,
        largestFreeBytes: known ? known.largest : null,
        externalFragmentation: known ? known.fragmentation : null,
      };
    });
  }

  private slot(atMs: number): number {
    this.startMs ??= atMs;
    let at = Math.max(0, Math.floor((atMs - this.startMs) / this.bucketMs));
    while (at >= this.capacity) {
      const half: Slot[] = [];
      for (let pair = 0; pair < this.slots.length; pair += 2) half.push(worst(this.slots[pair], this.slots[pair + 1]));
      this.slots = half;
      this.bucketMs *= 2;
      at = Math.floor((atMs - this.startMs) / this.bucketMs);
    }
    return at;
  }
}
