/** Size classes of the histogram: powers of two, from 8 bytes up. */
import type { HistogramRow } from './scene.ts';

export class SizeClasses {
  /** counts[i]: live requests of (4 << i, 8 << i] bytes; the first also holds all smaller ones. */
  private readonly counts: number[] = [];

  add(sizeBytes: number, blocks: 1 | -1): void {
    const index = sizeBytes <= 8 ? 0 : 29 - Math.clz32(sizeBytes - 1);
    while (this.counts.length <= index) this.counts.push(0);
    this.counts[index]! += blocks;
  }

  rows(): HistogramRow[] {
    return this.counts.map((liveBlocks, index) => ({ upToBytes: 8 * 2 ** index, liveBlocks }));
  }
}
