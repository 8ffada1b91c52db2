/**
 * The heap as the host knows it: every live block by its address, and the figures that follow from them. A telemetry
 * listener; also fed directly by a replay that needs no line. The blocks and the sums over them are live-blocks.ts's (M2, M4),
 * walks over them heap-walk.ts's. Imports no Node.
 *
 * Invariants
 *   M1  `exact` holds only while the live blocks are those of the board, after the last record heard
 *   M3  blocks never overlap: a new one evicts what it covers (and that is counted, when the map was exact)
 *
 * After a loss the map is stale until a sweep (docs/wire-format.md) has passed over the whole arena without another
 * loss. Blocks are marked with the epoch in which they were last confirmed; a loss starts a new epoch, and a sweep
 * evicts what belongs to an older one.
 */
import { MAP_KIND_CONTROL, MAP_KIND_LIVE } from '../../firmware/wire/format.ts';
import { EngineHeap } from './engine-heap.ts';
import type { Counters, EngineSample, Hello, MapChunk, RegionsReport, TelemetryListener } from './events.ts';
import { FIGURES, type Figure, type HeapState } from './heap-state.ts';
import { type Block, type HeapBounds, type HeapMetrics, measureFree, walkBlocks } from './heap-walk.ts';
import { GRANULE_BYTES, LiveBlocks, MAX_ARENA_BYTES, MAX_GRANULES } from './live-blocks.ts';
import { placeRegions, type Region, reservedRanges } from './regions.ts';

export type { HeapState } from './heap-state.ts';
export type { Block, HeapMetrics } from './heap-walk.ts';

/** A request whose size was not heard: the block was found by a sweep. */
export const SIZE_UNKNOWN = -1;

/** Bit of an epoch: the block was confirmed by a sweep after a loss, its size and site are from before. */
const INFERRED = 0x80000000;

export class HeapModel implements TelemetryListener {
  /** True while nothing that happened to the map was missed. */
  exact = false;
  /** During a resynchronising sweep: blocks below this offset are exact again. */
  exactBelow = 0;
  arenaBytes = 0;
  headerBytes = 0;
  firstBlock = 0;
  atMs = 0;
  /** Operations heard: malloc, free, realloc, memalign. */
  operations = 0;
  mallocs = 0;
  frees = 0;
  reallocs = 0;
  failures = 0;
  misuses = 0;
  /** Records that contradicted an exact map: a freed block that was not live, a new one over a live one, a sweep that disagreed. */
  contradictions = 0;
  /** Times the map became inexact, and exact again. */
  losses = 0;
  resyncs = 0;
  lastCounters: Counters | null = null;
  lastHello: Hello | null = null;
  /** The engine's own heap, beside this one. */
  readonly engineHeap = new EngineHeap();

  /** Where the heap has several; empty for one arena. */
  heapRegions: readonly Region[] = [];

  readonly #blocks = new LiveBlocks();
  readonly histogram = this.#blocks.histogram;
  readonly sites = this.#blocks.sites;
  #overheadBytes = 0;
  #epoch = 1;
  #ignoring = false;
  /** Starts and ends of the policy's own ranges as the last whole sweep found them, and as this one does. */
  #controls: number[] = [];
  #controlsSwept: number[] = [];
  #reserved: readonly number[] = [];
  /** Operations that the board is known not to have recorded; -1 until it said a total. */
  #unrecorded = -1;
  /** End of the part swept so far, -1 when no sweep is being followed. */
  #sweptTo = -1;
  /** False when operations went unrecorded during the sweep that is being followed. */
  #sweepSound = false;

  get liveBytes(): number {
    return this.#blocks.liveBytes;
  }

  get liveBlocks(): number {
    return this.#blocks.liveBlocks;
  }

  get peakLiveBytes(): number {
    return this.#blocks.peakLiveBytes;
  }

  /** An empty heap from the start, for a replay without a line. */
  begin(arenaBytes: number, firstBlock: number, headerBytes: number): void {
    this.#clear();
    this.arenaBytes = Math.min(arenaBytes, MAX_ARENA_BYTES);
    this.firstBlock = firstBlock;
    this.headerBytes = headerBytes;
    this.#overheadBytes = headerBytes;
    this.exact = true;
    this.exactBelow = this.arenaBytes;
  }

  hello(hello: Hello): void {
    this.lastHello = hello;
    this.atMs = hello.atMs;
    if (hello.boot) {
      this.lastCounters = null;
      this.engineHeap.restore(null);
      this.begin(hello.arenaBytes, hello.firstBlock, hello.headerBytes);
    } else {
      this.arenaBytes = Math.min(hello.arenaBytes, MAX_ARENA_BYTES);
      this.firstBlock = hello.firstBlock;
      this.headerBytes = hello.headerBytes;
    }
  }

  counters(counters: Counters): void {
    this.lastCounters = counters;
    this.atMs = counters.atMs;
    const unrecorded = counters.dropped + counters.skipped;
    if (this.#unrecorded >= 0 && unrecorded > this.#unrecorded) this.#unheard();
    this.#unrecorded = unrecorded;
    if (counters.peakLiveBytes > this.peakLiveBytes) this.#blocks.peakLiveBytes = counters.peakLiveBytes;
  }

  engine(sample: EngineSample): void {
    this.atMs = sample.atMs;
    this.engineHeap.observe(sample);
  }

  regions({ atMs, regions }: RegionsReport): void {
    this.atMs = atMs;
    this.heapRegions = placeRegions(regions, this.arenaBytes);
    this.#reserve(this.#controls);
  }

  eventsBegin(atMs: number, sampled: boolean, overheadBytes: number): void {
    this.atMs = atMs;
    this.#overheadBytes = overheadBytes;
    this.#ignoring = sampled;
    if (sampled) this.#unheard();
  }

  eventsEnd(): void {
    this.#ignoring = false;
  }

  lost(frames: number, records: number | null): void {
    if (records !== 0) this.#becomeInexact();
    else if (frames > 0 && !this.exact) this.#sweptTo = -1;
  }

  unrecorded(operations: number): void {
    if (operations > 0) this.#becomeInexact();
    if (this.#unrecorded >= 0) this.#unrecorded += operations;
  }

  malloc(offset: number, size: number, usable: number, site: number, _alignment = 8): void {
    this.operations++;
    this.mallocs++;
    if (this.#ignoring) return;
    this.sites.made(site, usable);
    this.#insert(offset, size, usable, site, this.operations, this.atMs);
  }

  free(offset: number): void {
    this.operations++;
    this.frees++;
    if (this.#ignoring) return;
    const granule = offset >> 3;
    if (this.#blocks.isLive(granule)) this.#blocks.remove(granule);
    else if (this.exact) this.#contradict();
  }

  realloc(offset: number, newOffset: number, size: number, usable: number, site: number): void {
    this.operations++;
    this.reallocs++;
    if (this.#ignoring) return;
    const granule = offset >> 3;
    let bornAt = this.operations;
    let bornMs = this.atMs;
    let owner = site;
    if (this.#blocks.isLive(granule)) {
      bornAt = this.#blocks.bornAt[granule]!;
      bornMs = this.#blocks.bornMs[granule]!;
      if (site === 0) owner = this.#blocks.site[granule]!;
      this.#blocks.remove(granule);
    } else if (this.exact) this.#contradict();
    this.sites.made(owner, usable);
    this.#insert(newOffset, size, usable, owner, bornAt, bornMs);
  }

  packed(from: number, until: number, to: number): void {
    if (this.#ignoring) return;
    // Among blocks that are not certain, a place is a guess: what lies ahead of the sweep is confirmed by its size alone.
    const beyond = this.exact ? -1 : (this.#epoch - 1) & (INFERRED - 1);
    const { behind, missing } = this.#blocks.pack(from >> 3, until >> 3, to >> 3, this.#sweptTo >> 3, beyond);
    if (missing && this.exact) this.#contradict();
    // What a sweep has passed stays passed: its end moves with the blocks before it.
    if (this.#sweptTo > from && this.#sweptTo < until) {
      const sweptTo = to + behind * GRANULE_BYTES;
      if (!this.exact && this.exactBelow === this.#sweptTo) this.exactBelow = sweptTo;
      this.#sweptTo = sweptTo;
    }
  }

  failure(_size: number, _alignment: number, _offset: number, site: number): void {
    this.failures++;
    this.sites.failed(site);
  }

  misuse(): void {
    this.misuses++;
  }

  map(chunk: MapChunk): void {
    this.atMs = chunk.atMs;
    this.headerBytes = chunk.headerBytes;
    if (!chunk.complete) this.#unheard();
    if (chunk.first) {
      this.firstBlock = chunk.startBlock;
      this.#sweptTo = 0;
      this.#controlsSwept = [];
      this.#sweepSound = chunk.complete;
      // Without events, what the sweep before this one found is stale.
      if (!chunk.complete) this.#nextEpoch();
    }
    if (this.#sweptTo < 0 || chunk.startBlock < this.#sweptTo) {
      this.#sweptTo = -1;
      return;
    }
    this.#applyChunk(chunk);
    if (!chunk.last) {
      this.#sweptTo = chunk.endBlock;
      if (!this.exact && this.#sweepSound) this.exactBelow = chunk.endBlock;
      return;
    }
    if (chunk.endBlock > this.arenaBytes) this.arenaBytes = Math.min(chunk.endBlock, MAX_ARENA_BYTES);
    this.#sweptTo = -1;
    this.#reserve(this.#controlsSwept);
    this.#controlsSwept = [];
    if (!this.exact && this.#sweepSound) {
      this.exact = true;
      this.resyncs++;
      this.exactBelow = this.arenaBytes;
    }
  }

  /** Walks blocks and the free memory between them, in address order. The object is reused for each call. */
  forEachBlock(visit: (block: Readonly<Block>) => void): void {
    walkBlocks(this.#blocks, this.#bounds(), INFERRED, visit);
  }

  /** The figures of this moment; costs one walk. */
  metrics(): HeapMetrics {
    const { freeBytes, freeBlocks, largestFreeBytes, beyondBytes } = measureFree(this.#blocks, this.#bounds());
    const { requestedBytes, requestedUsable } = this.#blocks;
    return {
      atMs: this.atMs,
      arenaBytes: this.arenaBytes,
      liveBytes: this.liveBytes,
      liveBlocks: this.liveBlocks,
      peakLiveBytes: this.peakLiveBytes,
      freeBytes,
      freeBlocks,
      largestFreeBytes,
      beyondBytes,
      externalFragmentation: freeBytes === 0 ? 0 : 1 - largestFreeBytes / freeBytes,
      internalFragmentation: requestedUsable === 0 ? 0 : 1 - requestedBytes / requestedUsable,
      exact: this.exact,
    };
  }

  #bounds(): HeapBounds {
    const { arenaBytes, firstBlock, headerBytes } = this;
    return { arenaBytes, firstBlock, headerBytes, reserved: this.#reserved };
  }

  #reserve(controls: number[]): void {
    this.#controls = controls;
    this.#reserved = reservedRanges(controls, this.heapRegions);
  }

  #applyChunk(chunk: MapChunk): void {
    const from = this.#sweptTo;
    const to = chunk.last ? MAX_ARENA_BYTES : chunk.endBlock;
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
      if (chunk.kinds[i] === MAP_KIND_CONTROL) this.#controlsSwept.push(block, block + bytes);
      block += bytes;
    }
    const last = Math.min(this.#blocks.capacity, Math.ceil((to + chunk.headerBytes) / GRANULE_BYTES));
    let granule = this.#blocks.startFrom((from + chunk.headerBytes) >> 3);
    for (; granule >= 0 && granule < last; granule = this.#blocks.startFrom(granule + 1)) {
      if (found.has(granule)) continue;
      const started = granule * GRANULE_BYTES - chunk.headerBytes;
      if (started < from || started >= to) continue;
      const older = (this.#blocks.epochs[granule]! & ~INFERRED) >>> 0 !== this.#epoch;
      // Before the chunk's start: free memory by now, but for what events have put there since.
      if (started < chunk.startBlock && !older) continue;
      if (this.exact) this.#contradict();
      this.#blocks.remove(granule);
    }
  }

  #confirm(offset: number, usable: number): void {
    const granule = offset >> 3;
    // A sweep tells a block's extent, which may be more than what its holder can use.
    const known = granule < this.#blocks.capacity ? this.#blocks.usable[granule]! : 0;
    const current = known > 0 && (this.#blocks.epochs[granule]! & ~INFERRED) >>> 0 === this.#epoch;
    if (current ? known <= usable : known === usable) {
      if (!current) this.#blocks.epochs[granule] = (this.#epoch | INFERRED) >>> 0;
      return;
    }
    if (this.exact) this.#contradict();
    this.#insert(offset, SIZE_UNKNOWN, usable, 0, this.operations, this.atMs);
    this.sites.adopted(usable);
  }

  /** Operations are missing at this point of the stream. */
  #becomeInexact(): void {
    this.#sweptTo = -1;
    this.exactBelow = 0;
    if (this.exact) this.losses++;
    this.exact = false;
    this.#nextEpoch();
  }

  /** The board does not record every operation now: sweeps still show the map, but never exactly. */
  #unheard(): void {
    if (this.exact) this.#becomeInexact();
    this.#sweepSound = false;
    this.exactBelow = 0;
  }

  #nextEpoch(): void {
    this.#epoch = (this.#epoch + 1) & (INFERRED - 1);
  }

  #contradict(): void {
    this.contradictions++;
  }

  #insert(offset: number, size: number, usable: number, site: number, bornAt: number, bornMs: number): void {
    const granule = offset >> 3;
    const granules = Math.max(1, (usable + this.#overheadBytes) >> 3);
    if (granule <= 0 || granule + granules > MAX_GRANULES) {
      this.sites.gone(site, usable);
      this.#contradict();
      return;
    }
    if (granule + granules > this.#blocks.capacity) this.#blocks.grow(granule + granules, this.arenaBytes >> 3);
    for (let covered = this.#blocks.startFrom(granule); covered >= 0 && covered < granule + granules; ) {
      this.#evict(covered);
      covered = this.#blocks.startFrom(covered);
    }
    if (!this.exact) this.#evictBefore(granule);
    this.#blocks.insert(granule, size, usable, site, bornAt, bornMs);
    this.#blocks.epochs[granule] = this.#epoch;
  }

  #evict(granule: number): void {
    if (this.exact) this.#contradict();
    this.#blocks.remove(granule);
  }

  /** A stale block may reach into the new one from below. */
  #evictBefore(granule: number): void {
    const before = this.#blocks.startBefore(granule);
    if (before >= 0 && before + ((this.#blocks.usable[before]! + 7) >> 3) > granule) this.#blocks.remove(before);
  }

  /** All that `restore` needs: plain numbers, for JSON. */
  save(): HeapState {
    const { liveBytes, liveBlocks, peakLiveBytes } = this;
    const figures = { liveBytes, liveBlocks, peakLiveBytes } as Record<Figure, number>;
    for (const name of FIGURES) figures[name] = this[name];
    return {
      figures,
      exact: this.exact,
      lastCounters: this.lastCounters,
      lastHello: this.lastHello,
      sites: this.sites.list(),
      blocks: this.#blocks.save(),
      overheadBytes: this.#overheadBytes,
      epoch: this.#epoch,
      controls: this.#controls,
      controlsSwept: this.#controlsSwept,
      unrecorded: this.#unrecorded,
      sweptTo: this.#sweptTo,
      sweepSound: this.#sweepSound,
      engine: this.engineHeap.save(),
      regions: this.heapRegions,
    };
  }

  /** Becomes the model that was saved. */
  restore(state: HeapState): void {
    this.#clear();
    this.arenaBytes = state.figures.arenaBytes;
    this.#overheadBytes = state.overheadBytes;
    this.exact = true;
    this.#blocks.restore(state.blocks, this.arenaBytes >> 3);
    for (const name of FIGURES) this[name] = state.figures[name];
    this.#blocks.peakLiveBytes = state.figures.peakLiveBytes;
    this.exact = state.exact;
    this.lastCounters = state.lastCounters;
    this.lastHello = state.lastHello;
    this.sites.restore(state.sites);
    this.#epoch = state.epoch;
    this.heapRegions = state.regions ?? [];
    this.#reserve([...state.controls]);
    this.#controlsSwept = [...state.controlsSwept];
    this.#unrecorded = state.unrecorded;
    this.#sweptTo = state.sweptTo;
    this.#sweepSound = state.sweepSound;
    this.engineHeap.restore(state.engine ?? null);
  }

  #clear(): void {
    this.#blocks.clear();
    this.operations = this.mallocs = this.frees = this.reallocs = this.failures = this.misuses = 0;
    this.heapRegions = [];
    this.#reserve([]);
    this.#sweptTo = -1;
    this.#ignoring = false;
    this.#unrecorded = 0;
  }
}
