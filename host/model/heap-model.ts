/**
 * The heap as the host knows it: every live block by its address, and the figures that follow from them. A telemetry
 * listener; also fed directly by a replay that needs no line. Imports no Node.
 *
 * Invariants
 *   M1  `exact` holds only while the live blocks are those of the board, after the last record heard
 *   M2  live bytes, blocks, the histogram and the sites' live figures are sums over the live blocks
 *   M3  blocks never overlap: a new one evicts what it covers (and that is counted, when the map was exact)
 *   M4  memory is bounded by MAX_ARENA_BYTES, whatever a board claims
 *
 * After a loss the map is stale until a sweep (docs/wire-format.md) has passed over the whole arena without another
 * loss. Blocks are marked with the epoch in which they were last confirmed; a loss starts a new epoch, and a sweep
 * evicts what belongs to an older one.
 */
import { MAP_KIND_CONTROL, MAP_KIND_LIVE } from '../../firmware/wire/format.ts';
import { EngineHeap, type EngineHeapState } from './engine-heap.ts';
import type { Counters, EngineSample, Hello, MapChunk, TelemetryListener } from './events.ts';
import { SizeHistogram } from './histogram.ts';
import { SiteTable, type SiteTotals } from './sites.ts';

const GRANULE_BYTES = 8;
/** Larger arenas exist on no board; a claim beyond it is damage. */
const MAX_ARENA_BYTES = 1 << 24;
const MAX_GRANULES = MAX_ARENA_BYTES / GRANULE_BYTES;
/** A request whose size was not heard: the block was found by a sweep. */
export const SIZE_UNKNOWN = -1;

export interface HeapMetrics {
  atMs: number;
  arenaBytes: number;
  /** Usable bytes of live blocks. */
  liveBytes: number;
  liveBlocks: number;
  peakLiveBytes: number;
  /** Bytes between live blocks, headers included. */
  freeBytes: number;
  freeBlocks: number;
  largestFreeBytes: number;
  /** 1 - largest / free: 0 when all free memory is one block. */
  externalFragmentation: number;
  /** Share of live bytes that nobody asked for, over blocks whose request is known. */
  internalFragmentation: number;
  exact: boolean;
}

export interface Block {
  /** Payload of a live block; start of a free one. */
  offset: number;
  /** From `start` to the next block. */
  start: number;
  bytes: number;
  live: boolean;
  /** The policy's own, as the last sweep found it: neither live nor free. */
  control: boolean;
  /** Requested bytes, SIZE_UNKNOWN, or 0 for a free block. */
  size: number;
  usable: number;
  site: number;
  bornMs: number;
  /** Operation number at which it was made; ages in operations are differences of these. */
  bornAt: number;
  /** Was live before a loss and found again with the same extent: size, site and age are likely, not certain. */
  inferred: boolean;
}

const FIGURES = [
  'exactBelow',
  'arenaBytes',
  'headerBytes',
  'firstBlock',
  'atMs',
  'operations',
  'mallocs',
  'frees',
  'reallocs',
  'failures',
  'misuses',
  'liveBytes',
  'liveBlocks',
  'peakLiveBytes',
  'contradictions',
  'losses',
  'resyncs',
] as const;
type Figure = (typeof FIGURES)[number];

/** granule, usable, size, site, bornAt, bornMs, epoch of each block. */
const BLOCK_COLUMNS = 7;

/** A model in a checkpoint. */
export interface HeapState {
  figures: Record<Figure, number>;
  exact: boolean;
  lastCounters: Counters | null;
  lastHello: Hello | null;
  sites: SiteTotals[];
  /** BLOCK_COLUMNS numbers a block. */
  blocks: number[];
  overheadBytes: number;
  epoch: number;
  controls: number[];
  controlsSwept: number[];
  unrecorded: number;
  sweptTo: number;
  sweepSound: boolean;
  /** Absent in recordings from before the engine's heap was sampled. */
  engine?: EngineHeapState | null;
}

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
  liveBytes = 0;
  liveBlocks = 0;
  peakLiveBytes = 0;
  /** Records that contradicted an exact map: a freed block that was not live, a new one over a live one, a sweep that disagreed. */
  contradictions = 0;
  /** Times the map became inexact, and exact again. */
  losses = 0;
  resyncs = 0;
  lastCounters: Counters | null = null;
  lastHello: Hello | null = null;
  readonly histogram = new SizeHistogram();
  readonly sites = new SiteTable();
  /** The engine's own heap, beside this one. */
  readonly engineHeap = new EngineHeap();

  #capacity = 0;
  /** By granule of the payload; 0 where no live block starts. */
  #usable = new Int32Array(0);
  #size = new Int32Array(0);
  #site = new Int32Array(0);
  #bornAt = new Float64Array(0);
  #bornMs = new Float64Array(0);
  #epochs = new Uint32Array(0);
  /** One bit a granule: set where a live block starts, so that walks skip free memory quickly. */
  #starts = new Uint32Array(0);
  /** Requested bytes over blocks whose request is known, and their usable bytes. */
  #requestedBytes = 0;
  #requestedUsable = 0;
  #overheadBytes = 0;
  #epoch = 1;
  #ignoring = false;
  /** Starts and ends of the policy's own ranges as the last whole sweep found them, and as this one does. */
  #controls: number[] = [];
  #controlsSwept: number[] = [];
  /** Operations that the board is known not to have recorded; -1 until it said a total. */
  #unrecorded = -1;
  /** End of the part swept so far, -1 when no sweep is being followed. */
  #sweptTo = -1;
  /** False when operations went unrecorded during the sweep that is being followed. */
  #sweepSound = false;

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
    if (counters.peakLiveBytes > this.peakLiveBytes) this.peakLiveBytes = counters.peakLiveBytes;
  }

  engine(sample: EngineSample): void {
    this.atMs = sample.atMs;
    this.engineHeap.observe(sample);
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
    if (granule >= 0 && granule < this.#capacity && this.#usable[granule]! !== 0) this.#remove(granule);
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
    if (granule < this.#capacity && this.#usable[granule]! !== 0) {
      bornAt = this.#bornAt[granule]!;
      bornMs = this.#bornMs[granule]!;
      if (site === 0) owner = this.#site[granule]!;
      this.#remove(granule);
    } else if (this.exact) this.#contradict();
    this.sites.made(owner, usable);
    this.#insert(newOffset, size, usable, owner, bornAt, bornMs);
  }

  moved(offset: number, newOffset: number): void {
    const granule = offset >> 3;
    if (granule >= this.#capacity || this.#usable[granule]! === 0) {
      if (this.exact) this.#contradict();
      return;
    }
    const [size, usable, site] = [this.#size[granule]!, this.#usable[granule]!, this.#site[granule]!];
    const [bornAt, bornMs] = [this.#bornAt[granule]!, this.#bornMs[granule]!];
    this.#remove(granule);
    this.sites.made(site, usable);
    this.#insert(newOffset, size, usable, site, bornAt, bornMs);
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
    this.#controls = this.#controlsSwept;
    this.#controlsSwept = [];
    if (!this.exact && this.#sweepSound) {
      this.exact = true;
      this.resyncs++;
      this.exactBelow = this.arenaBytes;
    }
  }

  /** Walks blocks and the free memory between them, in address order. The object is reused for each call. */
  forEachBlock(visit: (block: Readonly<Block>) => void): void {
    const block: Block = {
      offset: 0,
      start: 0,
      bytes: 0,
      live: false,
      control: false,
      size: 0,
      usable: 0,
      site: 0,
      bornMs: 0,
      bornAt: 0,
      inferred: false,
    };
    const header = this.headerBytes;
    let end = this.firstBlock;
    const free = (until: number): void =>
      this.#between(end, until, (start, bytes, control) => {
        block.offset = block.start = start;
        block.bytes = bytes;
        block.control = control;
        block.live = block.inferred = false;
        block.size = block.usable = block.site = block.bornMs = block.bornAt = 0;
        visit(block);
      });
    for (let granule = this.#startFrom(0); granule >= 0; granule = this.#startFrom(granule + 1)) {
      const usable = this.#usable[granule]!;
      const offset = granule * GRANULE_BYTES;
      free(offset - header);
      block.offset = offset;
      block.start = offset - header;
      block.bytes = usable + header;
      block.live = true;
      block.control = false;
      block.size = this.#size[granule]!;
      block.usable = usable;
      block.site = this.#site[granule]!;
      block.bornMs = this.#bornMs[granule]!;
      block.bornAt = this.#bornAt[granule]!;
      block.inferred = this.#epochs[granule]! >= INFERRED;
      visit(block);
      end = offset + usable;
    }
    free(this.arenaBytes);
  }

  /** The figures of this moment; costs one walk. */
  metrics(): HeapMetrics {
    let freeBytes = 0;
    let freeBlocks = 0;
    let largestFreeBytes = 0;
    const header = this.headerBytes;
    let end = this.firstBlock;
    const count = (_start: number, bytes: number, control: boolean): void => {
      if (control) return;
      freeBytes += bytes;
      freeBlocks++;
      if (bytes > largestFreeBytes) largestFreeBytes = bytes;
    };
    const free = (until: number): void => this.#between(end, until, count);
    for (let granule = this.#startFrom(0); granule >= 0; granule = this.#startFrom(granule + 1)) {
      free(granule * GRANULE_BYTES - header);
      end = granule * GRANULE_BYTES + this.#usable[granule]!;
    }
    free(this.arenaBytes);
    return {
      atMs: this.atMs,
      arenaBytes: this.arenaBytes,
      liveBytes: this.liveBytes,
      liveBlocks: this.liveBlocks,
      peakLiveBytes: this.peakLiveBytes,
      freeBytes,
      freeBlocks,
      largestFreeBytes,
      externalFragmentation: freeBytes === 0 ? 0 : 1 - largestFreeBytes / freeBytes,
      internalFragmentation: this.#requestedUsable === 0 ? 0 : 1 - this.#requestedBytes / this.#requestedUsable,
      exact: this.exact,
    };
  }

  /** What lies between two live blocks: free memory, and the policy's own ranges in it. */
  #between(from: number, until: number, visit: (start: number, bytes: number, control: boolean) => void): void {
    let at = from;
    for (let i = 0; i < this.#controls.length; i += 2) {
      const start = Math.max(at, this.#controls[i]!);
      const end = Math.min(until, this.#controls[i + 1]!);
      if (start >= end) continue;
      if (start - at >= GRANULE_BYTES) visit(at, start - at, false);
      visit(start, end - start, true);
      at = end;
    }
    if (until - at >= GRANULE_BYTES) visit(at, until - at, false);
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
    const last = Math.min(this.#capacity, Math.ceil((to + chunk.headerBytes) / GRANULE_BYTES));
    let granule = this.#startFrom((from + chunk.headerBytes) >> 3);
    for (; granule >= 0 && granule < last; granule = this.#startFrom(granule + 1)) {
      if (found.has(granule)) continue;
      const started = granule * GRANULE_BYTES - chunk.headerBytes;
      if (started < from || started >= to) continue;
      const older = (this.#epochs[granule]! & ~INFERRED) >>> 0 !== this.#epoch;
      // Before the chunk's start: free memory by now, but for what events have put there since.
      if (started < chunk.startBlock && !older) continue;
      if (this.exact) this.#contradict();
      this.#remove(granule);
    }
  }

  #confirm(offset: number, usable: number): void {
    const granule = offset >> 3;
    // A sweep tells a block's extent, which may be more than what its holder can use.
    const known = granule < this.#capacity ? this.#usable[granule]! : 0;
    const current = known > 0 && (this.#epochs[granule]! & ~INFERRED) >>> 0 === this.#epoch;
    if (current ? known <= usable : known === usable) {
      if (!current) this.#epochs[granule] = (this.#epoch | INFERRED) >>> 0;
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

  #grow(granules: number): void {
    const capacity = Math.min(MAX_GRANULES, Math.max(granules, this.arenaBytes >> 3, this.#capacity * 2, 1024));
    const wider = <T extends Int32Array | Float64Array | Uint32Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.#usable = wider(this.#usable, new Int32Array(capacity));
    this.#size = wider(this.#size, new Int32Array(capacity));
    this.#site = wider(this.#site, new Int32Array(capacity));
    this.#bornAt = wider(this.#bornAt, new Float64Array(capacity));
    this.#bornMs = wider(this.#bornMs, new Float64Array(capacity));
    this.#epochs = wider(this.#epochs, new Uint32Array(capacity));
    this.#starts = wider(this.#starts, new Uint32Array((capacity + 31) >> 5));
    this.#capacity = capacity;
  }

  #insert(offset: number, size: number, usable: number, site: number, bornAt: number, bornMs: number): void {
    const granule = offset >> 3;
    const granules = Math.max(1, (usable + this.#overheadBytes) >> 3);
    if (granule <= 0 || granule + granules > MAX_GRANULES) {
      this.sites.gone(site, usable);
      this.#contradict();
      return;
    }
    if (granule + granules > this.#capacity) this.#grow(granule + granules);
    for (let covered = this.#startFrom(granule); covered >= 0 && covered < granule + granules; ) {
      this.#evict(covered);
      covered = this.#startFrom(covered);
    }
    if (!this.exact) this.#evictBefore(granule);
    this.#usable[granule] = usable;
    this.#starts[granule >> 5]! |= 1 << (granule & 31);
    this.#size[granule] = size;
    this.#site[granule] = site;
    this.#bornAt[granule] = bornAt;
    this.#bornMs[granule] = bornMs;
    this.#epochs[granule] = this.#epoch;
    this.liveBlocks++;
    this.liveBytes += usable;
    if (this.liveBytes > this.peakLiveBytes) this.peakLiveBytes = this.liveBytes;
    if (size >= 0) {
      this.#requestedBytes += size;
      this.#requestedUsable += usable;
    }
    this.histogram.add(usable);
  }

  /** The first live block's granule from `granule` on, -1 when there is none. */
  #startFrom(granule: number): number {
    const starts = this.#starts;
    let word = granule >> 5;
    if (word >= starts.length) return -1;
    let bits = starts[word]! & (-1 << (granule & 31));
    while (bits === 0) {
      if (++word >= starts.length) return -1;
      bits = starts[word]!;
    }
    return (word << 5) + 31 - Math.clz32(bits & -bits);
  }

  #evict(granule: number): void {
    if (this.exact) this.#contradict();
    this.#remove(granule);
  }

  /** A stale block may reach into the new one from below. */
  #evictBefore(granule: number): void {
    let word = granule >> 5;
    let bits = this.#starts[word]! & ((1 << (granule & 31)) - 1);
    while (bits === 0 && word > 0) bits = this.#starts[--word]!;
    const before = (word << 5) + 31 - Math.clz32(bits);
    if (bits !== 0 && before + ((this.#usable[before]! + 7) >> 3) > granule) this.#remove(before);
  }

  #remove(granule: number): void {
    const usable = this.#usable[granule]!;
    const size = this.#size[granule]!;
    this.#usable[granule] = 0;
    this.#starts[granule >> 5]! &= ~(1 << (granule & 31));
    this.liveBlocks--;
    this.liveBytes -= usable;
    if (size >= 0) {
      this.#requestedBytes -= size;
      this.#requestedUsable -= usable;
    }
    this.histogram.remove(usable);
    this.sites.gone(this.#site[granule]!, usable);
  }

  /** All that `restore` needs: plain numbers, for JSON. */
  save(): HeapState {
    const blocks: number[] = [];
    for (let granule = this.#startFrom(0); granule >= 0; granule = this.#startFrom(granule + 1)) {
      blocks.push(granule, this.#usable[granule]!, this.#size[granule]!, this.#site[granule]!);
      blocks.push(this.#bornAt[granule]!, this.#bornMs[granule]!, this.#epochs[granule]!);
    }
    const figures = {} as Record<Figure, number>;
    for (const name of FIGURES) figures[name] = this[name];
    return {
      figures,
      exact: this.exact,
      lastCounters: this.lastCounters,
      lastHello: this.lastHello,
      sites: this.sites.list(),
      blocks,
      overheadBytes: this.#overheadBytes,
      epoch: this.#epoch,
      controls: this.#controls,
      controlsSwept: this.#controlsSwept,
      unrecorded: this.#unrecorded,
      sweptTo: this.#sweptTo,
      sweepSound: this.#sweepSound,
      engine: this.engineHeap.save(),
    };
  }

  /** Becomes the model that was saved. */
  restore(state: HeapState): void {
    this.#clear();
    this.arenaBytes = state.figures.arenaBytes;
    this.#overheadBytes = state.overheadBytes;
    this.exact = true;
    const { blocks } = state;
    for (let i = 0; i < blocks.length; i += BLOCK_COLUMNS) {
      const [granule, usable, size, site] = [blocks[i]!, blocks[i + 1]!, blocks[i + 2]!, blocks[i + 3]!];
      this.#insert(granule * GRANULE_BYTES, size, usable, site, blocks[i + 4]!, blocks[i + 5]!);
      this.#epochs[granule] = blocks[i + 6]!;
    }
    for (const name of FIGURES) this[name] = state.figures[name];
    this.exact = state.exact;
    this.lastCounters = state.lastCounters;
    this.lastHello = state.lastHello;
    this.sites.restore(state.sites);
    this.#epoch = state.epoch;
    this.#controls = [...state.controls];
    this.#controlsSwept = [...state.controlsSwept];
    this.#unrecorded = state.unrecorded;
    this.#sweptTo = state.sweptTo;
    this.#sweepSound = state.sweepSound;
    this.engineHeap.restore(state.engine ?? null);
  }

  #clear(): void {
    this.#usable.fill(0);
    this.#starts.fill(0);
    this.histogram.clear();
    this.sites.clear();
    this.operations = this.mallocs = this.frees = this.reallocs = this.failures = this.misuses = 0;
    this.liveBytes = this.liveBlocks = this.peakLiveBytes = 0;
    this.#requestedBytes = this.#requestedUsable = 0;
    this.#controls = [];
    this.#sweptTo = -1;
    this.#ignoring = false;
    this.#unrecorded = 0;
  }
}

/** Bit of an epoch: the block was confirmed by a sweep after a loss, its size and site are from before. */
const INFERRED = 0x80000000;
