/**
 * A heap over several regions, as a program makes and asks it. What the regions do is in regions.ts.
 *
 *   const heap = createRegionHeap({ regions: [{ bytes: 8192 }, { bytes: 65536, large: true }] });
 *   const page = heap.malloc(4000);
 *   heap.bytesOf(page)[heap.placeOf(page)] = 1;
 *
 * Offsets run through all regions. `u8`, `u16` and `u32` are those of the first; a block in another one is written
 * through the views of its region, at its place there.
 */
import { createHeap, type Heap } from '../heap.ts';
import type { Policy } from '../policy.ts';
import { regionsPolicy } from './as-policy.ts';
import { MOST_PAGES, pageBytesFor } from './pages.ts';
import { trim } from './regions.ts';
import { bindRegions, type RegionState, regionOf } from './state.ts';

export interface RegionOptions {
  /** Bytes of the region; rounded down to a multiple of 8. */
  bytes: number;
  /** Memory that is there already (a bank, PSRAM); made if not given. It holds `bytes`. */
  buffer?: ArrayBuffer;
  /** What it is called on the maps: `psram`, `sram4`. Up to 12 ASCII letters of it are told. */
  name?: string;
  /** Takes large blocks alone, and no arena. Not for the first region. */
  large?: boolean;
}

export interface RegionHeapOptions {
  regions: RegionOptions[];
  policy: Policy;
  /** Requests of so many bytes are large: they get pages of their own. Default: a fourth of the largest region. */
  largeFrom?: number;
}

export interface RegionStats {
  /** '' when it was given none. */
  name: string;
  bytes: number;
  /** Where its offsets begin. */
  baseOffset: number;
  /** The program break: bytes that its arena has, bookkeeping included; 0 for a region of large blocks alone. */
  breakBytes: number;
  /** Bytes of live large blocks, whole pages. */
  largeBytes: number;
  pageBytes: number;
}

export interface RegionHeap extends Heap {
  readonly regionCount: number;
  /** The region that holds this offset; regionCount when none does. */
  regionOf(offset: number): number;
  /** The bytes of the region that holds the offset, and the offset's index in them. */
  bytesOf(offset: number): Uint8Array;
  placeOf(offset: number): number;
  regionStats(region: number): RegionStats;
  /** Gives back what is free at the top of each arena, but for `padBytes`. Returns the bytes given back. */
  trim(padBytes: number): number;
}

/** A heap over new regions; null when there is none, one is too small for the policy, or blocks of the policy move. */
export function createRegionHeap(options: RegionHeapOptions): RegionHeap | null {
  const regions = options.regions;
  const count = regions.length;
  if (count === 0 || regions[0]!.large) return null;
  const state = createState(options);
  let total = 0;
  for (let region = 0; region < count; region++) {
    const given = regions[region]!;
    const bytes = given.bytes & ~7;
    if (bytes <= 0) return null;
    const buffer = given.buffer || new ArrayBuffer(bytes);
    // No longer than the region: a view's end is where a block must end.
    state.bytes.push(new Uint8Array(buffer, 0, bytes));
    state.halves.push(new Uint16Array(buffer, 0, bytes >> 1));
    state.words.push(new Uint32Array(buffer, 0, bytes >> 2));
    state.names.push(given.name || '');
    state.bases[region] = total;
    state.sizes[region] = bytes;
    state.largeOnly[region] = given.large ? 1 : 0;
    state.pageSizes[region] = pageBytesFor(bytes);
    total += bytes;
  }
  const heap = createHeap({
    bytes: total,
    policy: regionsPolicy,
    buffer: state.bytes[0]!.buffer as ArrayBuffer,
    rebind: (): void => bindRegions(state),
  });
  return heap ? withRegions(heap, state) : null;
}

function createState(options: RegionHeapOptions): RegionState {
  const count = options.regions.length;
  const state: RegionState = {
    policy: options.policy,
    largeFrom: 0,
    bases: new Uint32Array(count),
    sizes: new Uint32Array(count),
    breaks: new Uint32Array(count),
    floors: new Uint32Array(count),
    largeOnly: new Uint8Array(count),
    pageSizes: new Uint32Array(count),
    pageOrigins: new Uint32Array(count),
    pageCounts: new Uint32Array(count),
    pagesAt: new Uint32Array(count),
    pages: new Uint8Array(count * MOST_PAGES),
    names: [],
    bytes: [],
    halves: [],
    words: [],
  };
  let largest = 0;
  for (let region = 0; region < count; region++) {
    state.pagesAt[region] = region * MOST_PAGES;
    if (options.regions[region]!.bytes > largest) largest = options.regions[region]!.bytes;
  }
  state.largeFrom = options.largeFrom === undefined ? largest >> 2 : options.largeFrom;
  return state;
}

function withRegions(heap: Heap, state: RegionState): RegionHeap {
  return {
    id: heap.id,
    policy: heap.policy,
    bytes: heap.bytes,
    buffer: heap.buffer,
    u8: heap.u8,
    u16: heap.u16,
    u32: heap.u32,
    bind: heap.bind,
    malloc: heap.malloc,
    calloc: heap.calloc,
    realloc: heap.realloc,
    memalign: heap.memalign,
    free: heap.free,
    usableSize: heap.usableSize,
    locate: heap.locate,
    pin: heap.pin,
    unpin: heap.unpin,
    check: heap.check,
    checkOffset: heap.checkOffset,
    stats: heap.stats,
    regionCount: state.bases.length,

    regionOf(offset: number): number {
      heap.bind();
      return regionOf(offset);
    },

    bytesOf(offset: number): Uint8Array {
      heap.bind();
      const region = regionOf(offset);
      return state.bytes[region < state.bases.length ? region : 0]!;
    },

    placeOf(offset: number): number {
      heap.bind();
      const region = regionOf(offset);
      return region < state.bases.length ? offset - state.bases[region]! : 0;
    },

    regionStats(region: number): RegionStats {
      const from = state.pagesAt[region]!;
      let taken = 0;
      for (let page = 0; page < state.pageCounts[region]!; page++) if (state.pages[from + page] !== 0) taken++;
      return {
        name: state.names[region]!,
        bytes: state.sizes[region]!,
        baseOffset: state.bases[region]!,
        breakBytes: state.breaks[region]!,
        largeBytes: taken * state.pageSizes[region]!,
        pageBytes: state.pageSizes[region]!,
      };
    },

    trim(padBytes: number): number {
      heap.bind();
      return trim(padBytes);
    },
  };
}
