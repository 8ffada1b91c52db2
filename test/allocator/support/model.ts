/**
 * What a heap must be, seen from outside: a set of blocks with contents, that do not overlap. Every operation goes
 * through the model, which performs it on the policy and throws `ModelFault` at the first thing that is not so.
 *
 *   M1  a payload is aligned as asked, and lies with its usable size inside the arena
 *   M2  no two live blocks share a byte
 *   M3  the usable size is at least the request
 *   M4  contents are kept from one operation to the next, and by realloc up to the smaller size
 *   M5  a failed request changes no block
 *   M6  the walk gives exactly the live blocks, in address order, and leaves no byte between blocks
 *   M7  check() finds nothing
 *   M8  free of a live block is accepted, of anything else refused
 *   M9  free neighbours are joined (policies that coalesce)
 *   M10 a block that was pinned stays where it is until unpinned, resized or freed
 */
import { BLOCK_CONTROL, BLOCK_FREE, BLOCK_LIVE, type Policy } from '../../../firmware/src/policy.ts';

export class ModelFault extends Error {}

export interface LiveBlock {
  offset: number;
  size: number;
  usable: number;
  /** Where it was pinned, 0 when it is not. */
  pinnedAt: number;
}

const patternOf = (offset: number, at: number): number => (offset * 7 + at * 13 + 1) & 0xff;

export class HeapModel {
  readonly live: LiveBlock[] = [];
  readonly policy: Policy;
  readonly bytes: Uint8Array;
  /** For each 4 bytes of the arena: 1 when a live block has them. */
  readonly #held: Uint8Array;
  readonly capacity: number;
  readonly #coalesces: boolean;
  readonly #moves: boolean;
  readonly #locate: (block: number) => number;

  /** The arena is bound already; `bytes` is a view of it. */
  constructor(policy: Policy, bytes: Uint8Array, coalesces: boolean) {
    this.policy = policy;
    this.bytes = bytes;
    this.#held = new Uint8Array(bytes.length >> 2);
    this.#coalesces = coalesces;
    this.capacity = policy.init(bytes.length);
    this.#locate = policy.locate;
    this.#moves = policy.locate(8) !== 8;
  }

  #fail(rule: string, text: string): never {
    throw new ModelFault(`${rule}: ${text}`);
  }

  #fill(block: LiveBlock): void {
    const start = this.#locate(block.offset);
    for (let at = 0; at < block.usable; at++) this.bytes[start + at] = patternOf(block.offset, at);
  }

  #expectContents(offset: number, pattern: number, length: number, rule = 'M4'): void {
    const start = this.#locate(offset);
    for (let at = 0; at < length; at++) {
      if (this.bytes[start + at] !== patternOf(pattern, at)) {
        this.#fail(rule, `block ${pattern}, byte ${at} of ${length} is lost`);
      }
    }
  }

  #mark(block: LiveBlock, held: 0 | 1): void {
    if (this.#moves) return;
    for (let word = block.offset >> 2; word < (block.offset + block.usable) >> 2; word++) {
      if (held === 1 && this.#held[word] === 1) this.#fail('M2', `block ${block.offset} shares byte ${word << 2}`);
      this.#held[word] = held;
    }
  }

  #accept(offset: number, size: number, alignment: number): LiveBlock {
    const usable = this.policy.usableSize(offset);
    const start = this.#locate(offset);
    if (start % alignment !== 0 || start <= 0) this.#fail('M1', `offset ${start} for alignment ${alignment}`);
    if (start + usable > this.bytes.length) this.#fail('M1', `offset ${start} + ${usable} leaves the arena`);
    if (usable < size) this.#fail('M3', `${usable} usable for a request of ${size}`);
    const block = { offset, size, usable, pinnedAt: 0 };
    this.#mark(block, 1);
    return block;
  }

  malloc(size: number): boolean {
    const offset = this.policy.malloc(size);
    if (offset === 0) return false;
    const block = this.#accept(offset, size, 8);
    this.#fill(block);
    this.live.push(block);
    return true;
  }

  memalign(alignment: number, size: number): boolean {
    const offset = this.policy.memalign(alignment, size);
    if (offset === 0) return false;
    const block = this.#accept(offset, size, Math.max(8, alignment));
    this.#fill(block);
    this.live.push(block);
    return true;
  }

  free(index: number): void {
    const block = this.live[index]!;
    this.#expectContents(block.offset, block.offset, block.usable);
    const code = this.policy.free(block.offset);
    if (code !== 0) this.#fail('M8', `free(${block.offset}) of a live block gives ${code}`);
    this.#mark(block, 0);
    this.live.splice(index, 1);
  }

  realloc(index: number, size: number): boolean {
    const block = this.live[index]!;
    this.#expectContents(block.offset, block.offset, block.usable);
    const offset = this.policy.realloc(block.offset, size);
    if (offset === 0) {
      this.#expectContents(block.offset, block.offset, block.usable, 'M5');
      return false;
    }
    this.#mark(block, 0);
    const moved = this.#accept(offset, size, 8);
    this.#expectContents(offset, block.offset, Math.min(block.usable, size));
    this.#fill(moved);
    if (block.pinnedAt !== 0) moved.pinnedAt = this.#locate(offset);
    this.live[index] = moved;
    return true;
  }

  /** Pins the block, or unpins it when it is pinned. */
  togglePin(index: number): void {
    const block = this.live[index]!;
    if (block.pinnedAt !== 0) {
      this.policy.unpin(block.offset);
      block.pinnedAt = 0;
    } else if (this.policy.pin(block.offset)) {
      block.pinnedAt = this.#locate(block.offset);
    }
  }

  /** free of something that is no live block's offset. */
  freeWild(offset: number): void {
    if (this.live.some((block) => block.offset === offset)) return;
    if (this.policy.free(offset) === 0) this.#fail('M8', `free(${offset}), never given, is accepted`);
  }

  /** Back to a state that was saved: the arena's bytes and the live blocks. */
  restore(image: Uint8Array, live: readonly LiveBlock[]): void {
    this.bytes.set(image);
    this.#held.fill(0);
    this.live.length = 0;
    for (const block of live) {
      this.live.push({ ...block });
      this.#mark(block, 1);
    }
  }

  /** M6, M7 and M9 over the whole heap, and every block's contents. */
  audit(): void {
    const { policy } = this;
    for (const block of this.live) {
      this.#expectContents(block.offset, block.offset, block.usable);
      if (block.pinnedAt !== 0 && block.pinnedAt !== this.#locate(block.offset)) {
        this.#fail('M10', `block ${block.offset} moved from ${block.pinnedAt}`);
      }
    }
    const violated = policy.check();
    if (violated !== 0) this.#fail('M7', `invariant ${violated} at offset ${policy.checkOffset()}`);
    const expected = new Set(this.live.map(({ offset }) => offset));
    let previousKind = BLOCK_CONTROL;
    for (let block = policy.firstBlock(); block !== 0; ) {
      const next = policy.nextBlock(block);
      const kind = policy.blockKind(block);
      if (next !== 0 && next <= block) this.#fail('M6', `the walk goes from ${block} to ${next}`);
      if (kind === BLOCK_LIVE && !expected.delete(policy.blockPayload(block))) {
        this.#fail('M6', `the walk shows ${policy.blockPayload(block)} as live`);
      }
      if (this.#coalesces && kind === BLOCK_FREE && previousKind === BLOCK_FREE) {
        this.#fail('M9', `free block ${block} follows a free block`);
      }
      previousKind = kind;
      block = next;
    }
    if (expected.size > 0) this.#fail('M6', `the walk does not show ${[...expected].slice(0, 5)}`);
  }
}
