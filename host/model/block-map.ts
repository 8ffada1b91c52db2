/**
 * Where the live blocks are, as far as is known: what events and sweeps say is put into one map of them. Imports no Node.
 *
 * Invariant
 *   M3  blocks never overlap: a new one evicts what it covers (and that is counted, when the map was exact)
 *
 * Blocks are marked with the epoch in which they were last confirmed; a loss starts a new epoch, and a sweep evicts what
 * belongs to an older one.
 */
import { MAP_KIND_CONTROL, MAP_KIND_LIVE } from '../../firmware/wire/format.ts';
import type { MapChunk } from './events.ts';
import { GRANULE_BYTES, LiveBlocks, MAX_ARENA_BYTES, MAX_GRANULES } from './live-blocks.ts';

/** A request whose size was not heard: the block was found by a sweep. */
export const SIZE_UNKNOWN = -1;

/** Bit of an epoch: the block was confirmed by a sweep after a loss, its size and site are from before. */
export const INFERRED = 0x80000000;

/** What the map asks of the model around it. */
export interface HeapSoFar {
  /** Nothing that happened to the map was missed: what disagrees with it now is a contradiction. */
  readonly exact: boolean;
  readonly arenaBytes: number;
  readonly operations: number;
  readonly atMs: number;
  contradictions: number;
}

export class BlockMap {
  readonly blocks = new LiveBlocks();
  /** Of a block that the policy takes besides its payload, modulo 8. */
  overheadBytes = 0;
  epoch = 1;
  readonly #heap: HeapSoFar;

  constructor(heap: HeapSoFar) {
    this.#heap = heap;
  }

  nextEpoch(): void {
    this.epoch = (this.epoch + 1) & (INFERRED - 1);
  }

  /** A block that events or a sweep tell of. */
  insert(offset: number, size: number, usable: number, site: number, bornAt: number, bornMs: number): void {
    const { blocks } = this;
    const granule = offset >> 3;
    const granules = Math.max(1, (usable + this.overheadBytes) >> 3);
    const end = granule + granules;
    if (granule <= 0 || end > MAX_GRANULES) {
      blocks.sites.gone(site, usable);
      this.#heap.contradictions++;
      return;
    }
    if (end > blocks.capacity) blocks.grow(end, this.#heap.arenaBytes >> 3);
    let covered = blocks.startFrom(granule);
    while (covered >= 0 && covered < end) {
      this.#evict(covered);
      covered = blocks.startFrom(covered);
    }
    if (!this.#heap.exact) this.#evictBefore(granule);
    blocks.insert(granule, size, usable, site, bornAt, bornMs);
    blocks.epochs[granule] = this.epoch;
  }

  /**
   * A piece of a sweep that has come as far as `from`: its live blocks are confirmed or put in, older ones that it does not
   * have are evicted. Starts and ends of the policy's own ranges are added to `controls`.
   */
  sweep(chunk: MapChunk, from: number, controls: number[]): void {
    const found = new Set<number>();
    let block = chunk.startBlock;
    for (let i = 0; i < chunk.kinds.length; i++) {
      const bytes = chunk.sizes[i]!;
      if (chunk.kinds[i] === MAP_KIND_LIVE) {
        const offset = block + chunk.headerBytes;
        const usable = bytes - chunk.headerBytes;
        if (usable > 0 && offset % GRANULE_BYTES === 0 && offset + usable <= MAX_ARENA_BYTES) {
          found.add(offset >> 3);
          this.#confirm(offset, usable);
        }
      }
      if (chunk.kinds[i] === MAP_KIND_CONTROL) controls.push(block, block + bytes);
      block += bytes;
    }
    this.#evictUnfound(chunk, from, found);
  }

  #evictUnfound(chunk: MapChunk, from: number, found: ReadonlySet<number>): void {
    const { blocks } = this;
    const to = chunk.last ? MAX_ARENA_BYTES : chunk.endBlock;
    const last = Math.min(blocks.capacity, Math.ceil((to + chunk.headerBytes) / GRANULE_BYTES));
    let granule = blocks.startFrom((from + chunk.headerBytes) >> 3);
    for (; granule >= 0 && granule < last; granule = blocks.startFrom(granule + 1)) {
      if (found.has(granule)) continue;
      const started = granule * GRANULE_BYTES - chunk.headerBytes;
      if (started < from || started >= to) continue;
      // Before the chunk's start: free memory by now, but for what events have put there since.
      if (started < chunk.startBlock && this.#isCurrent(granule)) continue;
      this.#evict(granule);
    }
  }

  #confirm(offset: number, usable: number): void {
    const { blocks } = this;
    const granule = offset >> 3;
    // A sweep tells a block's extent, which may be more than what its holder can use.
    const known = granule < blocks.capacity ? blocks.usable[granule]! : 0;
    const current = known > 0 && this.#isCurrent(granule);
    if (current ? known <= usable : known === usable) {
      if (!current) blocks.epochs[granule] = (this.epoch | INFERRED) >>> 0;
      return;
    }
    if (this.#heap.exact) this.#heap.contradictions++;
    this.insert(offset, SIZE_UNKNOWN, usable, 0, this.#heap.operations, this.#heap.atMs);
    blocks.sites.adopted(usable);
  }

  /** The block at `granule` was confirmed since the last loss. */
  #isCurrent(granule: number): boolean {
    return (this.blocks.epochs[granule]! & ~INFERRED) >>> 0 === this.epoch;
  }

  #evict(granule: number): void {
    if (this.#heap.exact) this.#heap.contradictions++;
    this.blocks.remove(granule);
  }

  /** A stale block may reach into the new one from below. */
  #evictBefore(granule: number): void {
    const { blocks } = this;
    const before = blocks.startBefore(granule);
    if (before >= 0 && before + ((blocks.usable[before]! + 7) >> 3) > granule) blocks.remove(before);
  }
}
