/**
 * The heap as the host knows it: every live block by its address, and the figures that follow from them. A telemetry
 * listener; also fed directly by a replay that needs no line. This file knows how much of the map is certain; the map is
 * block-map.ts's (M3), the blocks and the sums over them live-blocks.ts's (M2, M4), walks over them heap-walk.ts's.
 * Imports no Node.
 *
 * Invariant
 *   M1  `exact` holds only while the live blocks are those of the board, after the last record heard
 *
 * After a loss the map is stale until a sweep (docs/wire-format.md) has passed over the whole arena without another
 * loss.
 */
import { BlockMap, type HeapSoFar, INFERRED } from './block-map.ts';
import { EngineHeap } from './engine-heap.ts';
import type { Counters, EngineSample, Hello, MapChunk, RegionsReport, TelemetryListener } from './events.ts';
import { FIGURES, type Figure, type HeapState } from './heap-state.ts';
import { type Block, type HeapBounds, type HeapMetrics, measureFree, walkBlocks } from './heap-walk.ts';
import { GRANULE_BYTES, MAX_ARENA_BYTES } from './live-blocks.ts';
import { placeRegions, type Region, reservedRanges } from './regions.ts';

export { SIZE_UNKNOWN } from './block-map.ts';
export type { HeapState } from './heap-state.ts';
export type { Block, HeapMetrics } from './heap-walk.ts';

export class HeapModel implements TelemetryListener, HeapSoFar {
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

  readonly #map = new BlockMap(this);
  readonly #blocks = this.#map.blocks;
  readonly histogram = this.#blocks.histogram;
  readonly sites = this.#blocks.sites;
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
    this.#map.overheadBytes = headerBytes;
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
    this.#map.overheadBytes = overheadBytes;
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
    this.#map.insert(offset, size, usable, site, this.operations, this.atMs);
  }

  free(offset: number): void {
    this.operations++;
    this.frees++;
    if (this.#ignoring) return;
    const granule = offset >> 3;
    if (this.#blocks.isLive(granule)) this.#blocks.remove(granule);
    else if (this.exact) this.contradictions++;
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
    } else if (this.exact) this.contradictions++;
    this.sites.made(owner, usable);
    this.#map.insert(newOffset, size, usable, owner, bornAt, bornMs);
  }

  packed(from: number, until: number, to: number): void {
    if (this.#ignoring) return;
    // Among blocks that are not certain, a place is a guess: what lies ahead of the sweep is confirmed by its size alone.
    const beyond = this.exact ? -1 : (this.#map.epoch - 1) & (INFERRED - 1);
    const { behind, missing } = this.#blocks.pack(from >> 3, until >> 3, to >> 3, this.#sweptTo >> 3, beyond);
    if (missing && this.exact) this.contradictions++;
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
      if (!chunk.complete) this.#map.nextEpoch();
    }
    if (this.#sweptTo < 0 || chunk.startBlock < this.#sweptTo) {
      this.#sweptTo = -1;
      return;
    }
    this.#map.sweep(chunk, this.#sweptTo, this.#controlsSwept);
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

  /** Operations are missing at this point of the stream. */
  #becomeInexact(): void {
    this.#sweptTo = -1;
    this.exactBelow = 0;
    if (this.exact) this.losses++;
    this.exact = false;
    this.#map.nextEpoch();
  }

  /** The board does not record every operation now: sweeps still show the map, but never exactly. */
  #unheard(): void {
    if (this.exact) this.#becomeInexact();
    this.#sweepSound = false;
    this.exactBelow = 0;
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
      overheadBytes: this.#map.overheadBytes,
      epoch: this.#map.epoch,
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
    this.#map.overheadBytes = state.overheadBytes;
    this.exact = true;
    this.#blocks.restore(state.blocks, this.arenaBytes >> 3);
    for (const name of FIGURES) this[name] = state.figures[name];
    this.#blocks.peakLiveBytes = state.figures.peakLiveBytes;
    this.exact = state.exact;
    this.lastCounters = state.lastCounters;
    this.lastHello = state.lastHello;
    this.sites.restore(state.sites);
    this.#map.epoch = state.epoch;
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
