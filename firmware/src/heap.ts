/**
 * A heap: an arena, a policy and the calls a program makes. The same on a board and in Node.
 *
 * Addresses are offsets from the arena's start; read and write them through the heap's `u8`, `u16` and `u32`. Nothing
 * here throws or allocates engine memory per operation: a request that cannot be served returns 0, misuse returns a
 * MISUSE_ code, and both are counted; so is what is no whole number (whole.ts). Heaps share one set of views (arena.ts) and the bound policy (bound-policy.ts);
 * a heap that is not the bound one rebinds both first.
 */
import { bindArena, u8 } from './arena.ts';
import * as policy from './bound-policy.ts';
import { fillBytes } from './fill.ts';
import { BLOCK_FREE, BLOCK_LIVE, MISUSE_NOT_LIVE, type Policy } from './policy.ts';
import {
  isObserving,
  observeFailure,
  observeFree,
  observeMalloc,
  observeMemalign,
  observeMisuse,
  observeRealloc,
  observeWatched,
  watchedOffset,
} from './telemetry/observer.ts';
import { ABSURD, whole } from './whole.ts';

export interface HeapOptions {
  /** Size of the arena, everything included; rounded down to a multiple of 8. */
  bytes: number;
  policy: Policy;
  /** The arena's memory; made if not given. */
  buffer?: ArrayBuffer;
  /** Called after the arena and the policy were bound: for policies that keep more than an arena. */
  rebind?: () => void;
}

export interface HeapStats {
  arenaBytes: number;
  liveBlocks: number;
  /** Usable bytes of live blocks. */
  liveBytes: number;
  /** Most usable bytes live at once so far. */
  peakLiveBytes: number;
  freeBlocks: number;
  /** Bytes of free blocks, bookkeeping included. */
  freeBytes: number;
  largestFreeBytes: number;
  /** Calls that got a block: malloc, calloc, memalign, and realloc of 0. */
  mallocs: number;
  reallocs: number;
  frees: number;
  /** Requests that got nothing. */
  failures: number;
  misuses: number;
}

export interface Heap {
  /** 1 for the first heap created, then 2, ... */
  readonly id: number;
  readonly policy: Policy;
  /** Bytes of the arena, or of all regions. */
  readonly bytes: number;
  readonly buffer: ArrayBuffer;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  /** Payload offset of a new block, a multiple of 8; 0 when there is no room. `site` says who asks, for telemetry. */
  malloc(size: number, site?: number): number;
  /** Like malloc(count * size), the payload zeroed. 0 when the product is absurd. */
  calloc(count: number, size: number, site?: number): number;
  /** New offset with the contents kept up to the smaller size; 0 when there is no room, the old block is untouched then. */
  realloc(offset: number, size: number, site?: number): number;
  memalign(alignment: number, size: number, site?: number): number;
  /** 0, or the MISUSE_ code when `offset` is not a live block. free(0) does nothing. */
  free(offset: number, site?: number): number;
  usableSize(offset: number): number;
  /** Where the payload lies: `offset` itself, but where blocks move (`compact`) that is a handle and this its place now. */
  locate(offset: number): number;
  /** Keeps a block from moving until unpin or free. */
  pin(offset: number): boolean;
  unpin(offset: number): void;
  /** Makes this heap's arena and policy the bound ones, for who walks its blocks (bound-policy.ts). */
  bind(): void;
  /** 0 when every invariant of the policy holds, else the number of the first one violated; `checkOffset` is where. */
  check(): number;
  checkOffset(): number;
  /** Counted by a walk over the blocks: true even after bookkeeping was damaged, as far as the walk gets. */
  stats(): HeapStats;
}

/** What a heap over one arena has besides: for batch.ts, which works past its calls. */
export interface CountedHeap extends Heap {
  /** Adds to the counts: blocks served and freed, requests that got nothing, and by how much the live bytes changed. */
  account(served: number, freed: number, failed: number, bytes: number): void;
}

declare const HEAPGLASS_ONLY_HEAP: number;

/** Makes this heap's arena the one that policy functions work on. */
let boundHeap = 0;
let heapCount = 0;

/** Forgets which heap is bound: call it after binding an arena by other means. */
export function unbindHeap(): void {
  boundHeap = 0;
}

/** A heap over a new arena; null when `bytes` is too small or too large for the policy. */
export function createHeap(options: HeapOptions): CountedHeap | null {
  const arenaBytes = options.bytes & ~7;
  if (arenaBytes <= 0 || options.bytes > ABSURD) return null;
  const buffer = options.buffer || new ArrayBuffer(arenaBytes);
  const id = ++heapCount;
  boundHeap = id;
  bindArena(buffer);
  policy.bindPolicy(options.policy);
  if (options.rebind) options.rebind();
  if (policy.init(arenaBytes) === 0) return null;

  let liveBytes = 0;
  let peakLiveBytes = 0;
  let mallocs = 0;
  let reallocs = 0;
  let frees = 0;
  let failures = 0;
  let misuses = 0;

  function bind(): void {
    // A bundle whose program makes one heap says so as a constant, and the calls of this function vanish.
    if ((typeof HEAPGLASS_ONLY_HEAP !== 'undefined' && HEAPGLASS_ONLY_HEAP === 1) || boundHeap === id) return;
    boundHeap = id;
    bindArena(buffer);
    policy.bindPolicy(options.policy);
    if (options.rebind) options.rebind();
  }

  function grew(bytes: number): void {
    liveBytes += bytes;
    if (liveBytes > peakLiveBytes) peakLiveBytes = liveBytes;
  }

  function malloc(asked: number, site?: number): number {
    const size = whole(asked);
    bind();
    const offset = policy.malloc(size);
    if (offset === 0) {
      failures++;
      observeFailure(id, site || 0, 0, 8, size);
      return 0;
    }
    mallocs++;
    const usable = policy.usableSize(offset);
    grew(usable);
    observeMalloc(id, site || 0, size, offset, usable);
    return offset;
  }

  function misused(offset: number, code: number, site?: number): number {
    misuses++;
    observeMisuse(id, site || 0, offset, code);
    return code;
  }

  return {
    id,
    policy: options.policy,
    bytes: arenaBytes,
    buffer,
    u8: new Uint8Array(buffer),
    u16: new Uint16Array(buffer),
    u32: new Uint32Array(buffer),
    bind,
    malloc,

    calloc(count: number, size: number, site?: number): number {
      const bytes = count * size;
      // An absurd product goes to the policy as the absurd request it is, and is counted as a failure there.
      const offset = malloc(count < 0 || size < 0 || bytes > ABSURD ? ABSURD : bytes, site);
      if (offset !== 0) {
        const payload = policy.select(policy.locate(offset));
        fillBytes(u8, payload, payload + bytes, 0);
      }
      return offset;
    },

    realloc(block: number, asked: number, site?: number): number {
      if (block === 0) return malloc(asked, site);
      const offset = whole(block);
      const size = whole(asked);
      bind();
      const held = policy.usableSize(offset);
      if (held === 0) {
        misused(offset, MISUSE_NOT_LIVE, site);
        return 0;
      }
      if (offset === watchedOffset) observeWatched(id);
      const moved = policy.realloc(offset, size);
      if (moved === 0) {
        failures++;
        observeFailure(id, site || 0, offset, 8, size);
        return 0;
      }
      reallocs++;
      const usable = policy.usableSize(moved);
      grew(usable - held);
      observeRealloc(id, site || 0, offset, size, moved, usable, held);
      return moved;
    },

    memalign(boundary: number, asked: number, site?: number): number {
      const alignment = whole(boundary);
      const size = whole(asked);
      bind();
      const offset = policy.memalign(alignment, size);
      if (offset === 0) {
        failures++;
        observeFailure(id, site || 0, 0, alignment, size);
        return 0;
      }
      mallocs++;
      const usable = policy.usableSize(offset);
      grew(usable);
      observeMemalign(id, site || 0, alignment, size, offset, usable);
      return offset;
    },

    free(block: number, site?: number): number {
      if (block === 0) return 0;
      const offset = whole(block);
      bind();
      const held = policy.usableSize(offset);
      if (offset === watchedOffset) observeWatched(id);
      const place = isObserving ? policy.locate(offset) : offset;
      const code = policy.free(offset);
      if (code !== 0) return misused(offset, code, site);
      frees++;
      liveBytes -= held;
      observeFree(id, site || 0, place, held);
      return 0;
    },

    account(served: number, freed: number, failed: number, bytes: number): void {
      mallocs += served;
      frees += freed;
      failures += failed;
      grew(bytes);
    },

    locate(offset: number): number {
      bind();
      return policy.locate(whole(offset));
    },

    pin(offset: number): boolean {
      bind();
      return policy.pin(whole(offset));
    },

    unpin(offset: number): void {
      bind();
      policy.unpin(whole(offset));
    },

    usableSize(offset: number): number {
      bind();
      return policy.usableSize(whole(offset));
    },

    check(): number {
      bind();
      return policy.check();
    },

    checkOffset(): number {
      bind();
      return policy.checkOffset();
    },

    stats(): HeapStats {
      bind();
      let liveBlocks = 0;
      let walkedBytes = 0;
      let freeBlocks = 0;
      let freeBytes = 0;
      let largestFreeBytes = 0;
      for (let block = policy.firstBlock(); block !== 0; ) {
        const next = policy.nextBlock(block);
        const kind = policy.blockKind(block);
        const bytes = (next === 0 ? arenaBytes : next) - block;
        if (kind === BLOCK_LIVE) {
          liveBlocks++;
          walkedBytes += policy.usableSize(policy.blockPayload(block));
        } else if (kind === BLOCK_FREE) {
          freeBlocks++;
          freeBytes += bytes;
          if (bytes > largestFreeBytes) largestFreeBytes = bytes;
        }
        // Damaged bookkeeping may lead back, or outside.
        block = next > block && next < arenaBytes ? next : 0;
      }
      return {
        arenaBytes,
        liveBlocks,
        liveBytes: walkedBytes,
        peakLiveBytes,
        freeBlocks,
        freeBytes,
        largestFreeBytes,
        mallocs,
        reallocs,
        frees,
        failures,
        misuses,
      };
    },
  };
}
