/**
 * Walks over a heap as the host knows it: its live blocks, and what lies between them, in address order. Imports no Node.
 */
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

/** What a walk needs to know of an arena. */
export interface HeapBounds {
  arenaBytes: number;
  firstBlock: number;
  headerBytes: number;
  /** Starts and ends of the policy's own ranges. */
  controls: readonly number[];
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
    between(bounds.controls, end, until, (start, bytes, control) => {
      block.offset = block.start = start;
      block.bytes = bytes;
      block.control = control;
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
    block.control = false;
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
): Pick<HeapMetrics, 'freeBytes' | 'freeBlocks' | 'largestFreeBytes'> {
  let freeBytes = 0;
  let freeBlocks = 0;
  let largestFreeBytes = 0;
  const header = bounds.headerBytes;
  let end = bounds.firstBlock;
  const count = (_start: number, bytes: number, control: boolean): void => {
    if (control) return;
    freeBytes += bytes;
    freeBlocks++;
    if (bytes > largestFreeBytes) largestFreeBytes = bytes;
  };
  const free = (until: number): void => between(bounds.controls, end, until, count);
  for (let granule = blocks.startFrom(0); granule >= 0; granule = blocks.startFrom(granule + 1)) {
    free(granule * GRANULE_BYTES - header);
    end = granule * GRANULE_BYTES + blocks.usable[granule]!;
  }
  free(bounds.arenaBytes);
  return { freeBytes, freeBlocks, largestFreeBytes };
}

/** What lies between two live blocks: free memory, and the policy's own ranges in it. */
function between(
  controls: readonly number[],
  from: number,
  until: number,
  visit: (start: number, bytes: number, control: boolean) => void,
): void {
  let at = from;
  for (let i = 0; i < controls.length; i += 2) {
    const start = Math.max(at, controls[i]!);
    const end = Math.min(until, controls[i + 1]!);
    if (start >= end) continue;
    if (start - at >= GRANULE_BYTES) visit(at, start - at, false);
    visit(start, end - start, true);
    at = end;
  }
  if (until - at >= GRANULE_BYTES) visit(at, until - at, false);
}
