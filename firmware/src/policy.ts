/**
 * The contract of an allocation policy: a module of plain functions over the bound arena (see arena.ts).
 *
 * Written in the device subset, which is also the native compiler's: 32-bit integers, `let`, `if`, `while`, `for`,
 * functions, loads and stores on `u8`/`u16`/`u32`. No closures, objects, strings, exceptions or allocation.
 *
 * Offsets are bytes from the arena's start; 0 means "none". Payloads are 8-byte aligned.
 */
export interface Policy {
  /** Formats the bound arena of `arenaBytes` bytes. Returns the bytes free for payload in one block, 0 if too small. */
  init(arenaBytes: number): number;
  /** Returns the payload offset of a new block of at least `size` bytes, or 0. A size of 0 is served as 1. */
  malloc(size: number): number;
  /** Gives a block back. Returns 0, or a MISUSE_ code when `offset` is not a live block (nothing is changed then). */
  free(offset: number): number;
  /**
   * Resizes a block, moving it if it must; contents are kept up to the smaller size. Returns the new offset, or 0 when
   * it cannot (the old block is untouched). `realloc(0, n)` is `malloc(n)`.
   */
  realloc(offset: number, size: number): number;
  /** Like malloc, with the payload at a multiple of `alignment` (a power of two). */
  memalign(alignment: number, size: number): number;
  /** Bytes the holder of the block may use (>= what was asked). 0 when `offset` is not a live block. */
  usableSize(offset: number): number;
  /**
   * The heap walk: blocks in address order, live and free, together covering [firstBlock, arena end) without a gap
   * (control data inside that range is reported as a block of kind BLOCK_CONTROL). `block` is the block's start,
   * header included. 0 ends the walk.
   */
  firstBlock(): number;
  nextBlock(block: number): number;
  blockKind(block: number): number;
  /** Payload offset of a live block: what malloc returned. */
  blockPayload(block: number): number;
  /** 0 when every invariant holds, else the number of the first one violated; its offset is left in `checkOffset()`. */
  check(): number;
  checkOffset(): number;
  /**
   * Where a block's payload lies now. Where blocks move, malloc and the others give and take handles instead of offsets,
   * and the answer holds until the next call that may move blocks; 0 when the handle is not live. Elsewhere: the offset.
   */
  locate(block: number): number;
  /** Keeps a block from moving; false when that cannot be. Always true where blocks do not move. */
  pin(block: number): boolean;
  unpin(block: number): void;
  /**
   * Moves the arena's end, the program break, from where it is to `toBytes` or as near to it as live blocks allow; never
   * beyond the bytes that init was given. Returns where the end is now. A policy without this has a fixed end.
   */
  moveEnd?(fromBytes: number, toBytes: number): number;
  /** Where blocks lie in several buffers: binds the views of the one that holds `offset` and returns the place in it. */
  select?(offset: number): number;
}

export const BLOCK_FREE = 0;
export const BLOCK_LIVE = 1;
export const BLOCK_CONTROL = 2;
/** Beyond a program break, or free pages: no arena's, and no block's. */
export const BLOCK_BEYOND = 3;

/** Returned by free and counted: the offset lies outside the arena or is not aligned. */
export const MISUSE_WILD = 1;
/** Returned by free and counted: the offset is inside the arena but not a live block's payload (never given, or freed already). */
export const MISUSE_NOT_LIVE = 2;
/** Returned by free and counted: the block's bookkeeping or guard was overwritten. */
export const MISUSE_CORRUPT = 3;
