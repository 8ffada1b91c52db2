/**
 * A small heap whose blocks have names, for lessons: each call is put into words with its result, and the arena is drawn
 * as one line of cells.
 *
 *   |##aaaaabbb....cc........|      a cell is 8 bytes: # bookkeeping, a letter its block's payload, . free
 *
 * A block's header shares a cell with what is before it; the letter wins, so a payload is drawn whole.
 */
import { createHeap, type Heap } from '../../firmware/src/heap.ts';
import { type PolicyName, policies } from '../../firmware/src/policies/index.ts';
import { BLOCK_FREE, BLOCK_LIVE, MISUSE_CORRUPT, MISUSE_NOT_LIVE, MISUSE_WILD } from '../../firmware/src/policy.ts';

export const cellBytes = 8;

const misuseWords: Record<number, string> = {
  [MISUSE_WILD]: 'refused: no block can begin there',
  [MISUSE_NOT_LIVE]: 'refused: that is not a live block',
  [MISUSE_CORRUPT]: 'refused: its bookkeeping was overwritten',
};

/** What a line of the tour shows: a call and what came of it. */
export interface Shown {
  call: string;
  result: string;
}

export class TourHeap {
  readonly policy: PolicyName;
  readonly arenaBytes: number;
  readonly #heap: Heap;
  readonly #offsets = new Map<string, number>();

  constructor(policy: PolicyName, arenaBytes: number) {
    this.policy = policy;
    this.arenaBytes = arenaBytes;
    this.#heap = createHeap({ bytes: arenaBytes, policy: policies[policy] })!;
  }

  malloc(name: string, size: number): Shown {
    const offset = this.#heap.malloc(size);
    if (offset !== 0) this.#offsets.set(name, offset);
    return { call: `${name} = malloc(${size})`, result: offset === 0 ? '0: no room' : `${offset}` };
  }

  /** Resizes a block; its name stays with it. */
  realloc(name: string, size: number): Shown {
    const before = this.offsetOf(name);
    const offset = this.#heap.realloc(before, size);
    if (offset === 0) return { call: `realloc(${name}, ${size})`, result: '0: no room, the block is as it was' };
    this.#offsets.set(name, offset);
    return {
      call: `${name} = realloc(${name}, ${size})`,
      result: offset === before ? `${offset}: where it was` : `${offset}: moved from ${before}`,
    };
  }

  /** Frees a block. The name keeps the old offset, as a program's variable would. */
  free(name: string): Shown {
    const code = this.#heap.free(this.offsetOf(name));
    return { call: `free(${name})`, result: code === 0 ? 'done' : misuseWords[code]! };
  }

  freeOffset(offset: number): Shown {
    const code = this.#heap.free(offset);
    return { call: `free(${offset})`, result: code === 0 ? 'done' : misuseWords[code]! };
  }

  /** Writes `count` bytes from the start of a block: more than it holds is an overflow. */
  write(name: string, count: number): Shown {
    const offset = this.offsetOf(name);
    for (let i = 0; i < count; i++) this.#heap.u8[offset + i] = 0xff;
    const over = count - this.#heap.usableSize(offset);
    return { call: `write ${count} bytes to ${name}`, result: over > 0 ? `${over} bytes too many` : 'they fit' };
  }

  check(): Shown {
    const invariant = this.#heap.check();
    const result = invariant === 0 ? 'sound' : `invariant ${invariant} is violated at ${this.#heap.checkOffset()}`;
    return { call: 'check()', result };
  }

  usable(name: string): number {
    return this.#heap.usableSize(this.offsetOf(name));
  }

  offsetOf(name: string): number {
    const offset = this.#offsets.get(name);
    if (offset === undefined) throw new Error(`the tour has no block ${name}`);
    return offset;
  }

  figures(): { liveBytes: number; freeBytes: number; largestFreeBytes: number; freeBlocks: number } {
    const { liveBytes, freeBytes, largestFreeBytes, freeBlocks } = this.#heap.stats();
    return { liveBytes, freeBytes, largestFreeBytes, freeBlocks };
  }

  /** A character a cell, in address order. */
  cells(): string {
    const { policy } = this.#heap;
    const cells = new Array<string>(Math.ceil(this.arenaBytes / cellBytes)).fill('#');
    const names = new Map([...this.#offsets].map(([name, offset]) => [offset, name]));
    const paint = (from: number, to: number, character: string): void => {
      for (let cell = Math.ceil(from / cellBytes); cell * cellBytes < to; cell++) cells[cell] = character;
    };
    this.#heap.usableSize(0); // binds this heap
    for (let block = policy.firstBlock(); block !== 0; ) {
      const next = policy.nextBlock(block);
      const end = next === 0 ? this.arenaBytes : next;
      const kind = policy.blockKind(block);
      if (kind === BLOCK_FREE) paint(block, end - (end % cellBytes), '.');
      if (kind === BLOCK_LIVE) {
        const payload = policy.blockPayload(block);
        paint(payload, payload + policy.usableSize(payload), names.get(payload) ?? '?');
      }
      block = next;
    }
    return cells.join('');
  }
}
