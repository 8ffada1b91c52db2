/**
 * The story of the last request that failed: what was asked and where, what was free in how many pieces, which blocks
 * keep the pieces apart, and what the program did just before. Kept from the moment of the failure, because what was
 * true then is soon overwritten.
 */
import type { HeapModel } from '../model/heap-model.ts';
import { type FragmentationVerdict, fragmentation, fragmentationSentence } from './fragmentation.ts';

/** Operations remembered; as many as a safe heap's own record has. */
const KEPT = 16;
/** And told. */
const TOLD = 4;

export const OPERATION_MALLOC = 1;
export const OPERATION_FREE = 2;
export const OPERATION_REALLOC = 3;

interface Operation {
  kind: number;
  /** Bytes asked for; of a free, the block's offset. */
  value: number;
  site: number;
}

interface Failure {
  atMs: number;
  sizeBytes: number;
  /** The block that a realloc would have resized, 0 for a new one. */
  offset: number;
  site: number;
  heap: FragmentationVerdict;
  before: Operation[];
}

export class PostMortemWatch {
  /** The last operations: three numbers each, around a ring. */
  private readonly ring = new Float64Array(KEPT * 3);
  private operations = 0;
  private last: Failure | null = null;
  private failures = 0;

  /** One of the OPERATION_ kinds was done. */
  operation(kind: number, value: number, site: number): void {
    const at = (this.operations++ % KEPT) * 3;
    this.ring[at] = kind;
    this.ring[at + 1] = value;
    this.ring[at + 2] = site;
  }

  failed(model: HeapModel, atMs: number, sizeBytes: number, offset: number, site: number): void {
    this.failures++;
    this.last = { atMs, sizeBytes, offset, site, heap: fragmentation(model), before: this.lastOperations() };
  }

  /** In words; null while nothing failed. `nameOf` gives a site's place in the program. */
  story(nameOf: (site: number) => string): string | null {
    if (this.last === null) return null;
    const { sizeBytes, offset, site, heap, before } = this.last;
    const times = this.failures === 1 ? 'A request failed' : `${this.failures} requests failed; the last one`;
    const asked = `${offset === 0 ? 'malloc' : 'realloc to'}(${sizeBytes})${site === 0 ? '' : ` at ${nameOf(site)}`}`;
    const done = before.slice(-TOLD).map((operation) => wordsOf(operation, nameOf));
    const history = done.length === 0 ? '' : ` Before it: ${done.join(', ')}.`;
    return `${times}: ${asked}, with ${fragmentationSentence(heap, nameOf)}${history}`;
  }

  private lastOperations(): Operation[] {
    const count = Math.min(this.operations, KEPT);
    return Array.from({ length: count }, (_, i) => {
      const at = ((this.operations - count + i) % KEPT) * 3;
      return { kind: this.ring[at]!, value: this.ring[at + 1]!, site: this.ring[at + 2]! };
    });
  }
}

function wordsOf({ kind, value, site }: Operation, nameOf: (site: number) => string): string {
  if (kind === OPERATION_FREE) return `free of 0x${value.toString(16)}`;
  const call = kind === OPERATION_MALLOC ? 'malloc' : 'realloc';
  return `${call}(${value})${site === 0 ? '' : ` at ${nameOf(site)}`}`;
}
