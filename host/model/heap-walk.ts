/**
 * Walks over a heap as the host knows it: its live blocks, and what lies between them, in address order. Imports no Node.
 */
import { BLOCK_BEYOND, BLOCK_CONTROL, BLOCK_FREE } from '../../firmware/src/policy.ts';
import { GRANULE_BYTES, type LiveBlocks } from './live-blocks.ts';

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
  /** Bytes beyond program breaks, and of free pages: no part of `freeBytes`. */
  beyondBytes: number;
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
  /** Beyond a region's break, or pages that were given back: neither live nor free. */
  beyond: boolean;
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

/** What a walk needs to know of an arena. */
export interface HeapBounds {
  arenaBytes: number;
  firstBlock: number;
  headerBytes: number;
  /** Of regions.ts: what lies between live blocks and is no free memory. */
  reserved: readonly number[];
}

/** Calls `visit` for blocks and the free memory between them, in address order. The object is reused for each call. */
export function walkBlocks(
  blocks: LiveBlocks,
  bounds: HeapBounds,
  inferred: number,
  visit: (block: Readonly<Block>) => void,
): void {
  const block: Block = {
    offset: 0,
    start: 0,
    bytes: 0,
    live: false,
    control: false,
    beyond: false,
    size: 0,
    usable: 0,
    site: 0,
    bornMs: 0,
    bornAt: 0,
    inferred: false,
  };
  const header = bounds.headerBytes;
  let end = bounds.firstBlock;
  const free = (until: number): void =>
    between(bounds.reserved, end, until, (start, bytes, kind) => {
      block.offset = block.start = start;
      block.bytes = bytes;
      block.control = kind === BLOCK_CONTROL;
      block.beyond = kind === BLOCK_BEYOND;
      block.live = block.inferred = false;
      block.size = block.usable = block.site = block.bornMs = block.bornAt = 0;
      visit(block);
    });
  for (let granule = blocks.startFrom(0); granule >= 0; granule = blocks.startFrom(granule + 1)) {
    const usable = blocks.usable[granule]!;
    const offset = granule * GRANULE_BYTES;
    free(offset - header);
    block.offset = offset;
    block.start = offset - header;
    block.bytes = usable + header;
    block.live = true;
    block.control = block.beyond = false;
    block.size = blocks.size[granule]!;
    block.usable = usable;
    block.site = blocks.site[granule]!;
    block.bornMs = blocks.bornMs[granule]!;
    block.bornAt = blocks.bornAt[granule]!;
    block.inferred = blocks.epochs[granule]! >= inferred;
    visit(block);
    end = offset + usable;
  }
  free(bounds.arenaBytes);
}

/** The figures of a heap that one walk finds. */
export function measureFree(
  blocks: LiveBlocks,
  bounds: HeapBounds,
): Pick<HeapMetrics, 'freeBytes' | 'freeBlocks' | 'largestFreeBytes' | 'beyondBytes'> {
  let freeBytes = 0;
  let freeBlocks = 0;
  let largestFreeBytes = 0;
  let beyondBytes = 0;
  const header = bounds.headerBytes;
  let end = bounds.firstBlock;
  const count = (_start: number, bytes: number, kind: number): void => {
    if (kind === BLOCK_BEYOND) beyondBytes += bytes;
    if (kind !== BLOCK_FREE) return;
    freeBytes += bytes;
    freeBlocks++;
    if (bytes > largestFreeBytes) largestFreeBytes = bytes;
  };
  const free = (until: number): void => between(bounds.reserved, end, until, count);
  for (let granule = blocks.startFrom(0); granule >= 0; granule = blocks.startFrom(granule + 1)) {
    free(granule * GRANULE_BYTES - header);
    end = granule * GRANULE_BYTES + blocks.usable[granule]!;
  }
  free(bounds.arenaBytes);
  return { freeBytes, freeBlocks, largestFreeBytes, beyondBytes };
}

/** What lies between two live blocks: free memory, and the ranges in it that are not free. */
function between(
  reserved: readonly number[],
  from: number,
  until: number,
  visit: (start: number, bytes: number, kind: number) => void,
): void {
  let at = from;
  for (let i = 0; i < reserved.length; i += 3) {
    const start = Math.max(at, reserved[i]!);
    const end = Math.min(until, reserved[i + 1]!);
    if (start >= end) continue;
    if (start - at >= GRANULE_BYTES) visit(at, start - at, BLOCK_FREE);
    visit(start, end - start, reserved[i + 2]!);
    at = end;
  }
  if (until - at >= GRANULE_BYTES) visit(at, until - at, BLOCK_FREE);
}
