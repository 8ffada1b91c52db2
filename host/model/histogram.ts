/**
 * Live blocks by size: two classes for each power of two (8, 12, 16, 24, 32, 48, ...), kept up to date block by block.
 */

const CLASSES = 52;

export interface HistogramClass {
  /** Usable bytes from this up ... */
  fromBytes: number;
  /** ... to below this. */
  toBytes: number;
  blocks: number;
  bytes: number;
}

function classOf(bytes: number): number {
  const log = 31 - Math.clz32(bytes | 1);
  const half = log > 0 ? (bytes >> (log - 1)) & 1 : 0;
  return Math.min(CLASSES - 1, log * 2 + half);
}

function classStart(index: number): number {
  const log = index >> 1;
  return (1 << log) + (index & 1 ? (1 << log) >> 1 : 0);
}

export class SizeHistogram {
  readonly #blocks = new Int32Array(CLASSES);
  readonly #bytes = new Float64Array(CLASSES);

  add(bytes: number): void {
    const index = classOf(bytes);
    this.#blocks[index]!++;
    this.#bytes[index]! += bytes;
  }

  remove(bytes: number): void {
    const index = classOf(bytes);
    this.#blocks[index]!--;
    this.#bytes[index]! -= bytes;
  }

  clear(): void {
    this.#blocks.fill(0);
    this.#bytes.fill(0);
  }

  /** The classes that hold blocks, smallest first. */
  classes(): HistogramClass[] {
    const classes: HistogramClass[] = [];
    for (let index = 0; index < CLASSES; index++) {
      const blocks = this.#blocks[index]!;
      if (blocks === 0) continue;
      classes.push({
        fromBytes: classStart(index),
        toBytes: classStart(index + 1),
        blocks,
        bytes: this.#bytes[index]!,
      });
    }
    return classes;
  }
}
