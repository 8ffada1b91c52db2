/**
 * Tlsf's control words and its lists of free blocks, one a class; tlsf.ts draws them.
 */
import { u16, u32 } from '../arena.ts';
import { CHECKS } from '../checks.ts';

/** In a live block's header, beside LIVE. */
export const PREV_FREE = 2;

/** Control words, offsets from the arena's start. */
export const END = 0; // offset of the end word: no block's, so that a link of 0 leads to none
export const ROWS = 4; // bit r: bitmap r is not 0
export const FIRST = 8; // offset of the first block
export const CHECKED = 12; // what check() found
export const BITMAPS = 16; // one 16-bit bitmap a row of classes
export const ROW_COUNT = 17;
export const HEADS = 44; // class 2, the smallest, has its head right after the bitmaps
export const LEAST_HEAD = 52;

export const MIN_BLOCK = 16;
/** Block sizes below this have a class of their own. */
export const EXACT = 256;

/** The class of a block of `size` bytes. @inline */
export function classOf(size: number): number {
  let g = size >> 3;
  let octaves = 0;
  if (size >= EXACT) {
    // g is halved until it is below 32; each halving is an octave of sixteen classes.
    if (g >> 12 !== 0) {
      g = g >> 8;
      octaves = 8 << 4;
    }
    if (g >= 256) {
      g = g >> 4;
      octaves = octaves + (4 << 4);
    }
    if (g >= 64) {
      g = g >> 2;
      octaves = octaves + (2 << 4);
    }
    if (g >= 32) {
      g = g >> 1;
      octaves = octaves + (1 << 4);
    }
  }
  return octaves + g;
}

/** Makes the block the head of class `index`. @inline */
export function insert(block: number, index: number): void {
  const slot = HEADS + (index << 2);
  const head = u32[slot >> 2];
  u32[(block + 4) >> 2] = head;
  u32[(block + 8) >> 2] = slot;
  u32[slot >> 2] = block;
  if (head !== 0) {
    u32[(head + 8) >> 2] = block + 4;
  } else {
    const row = index >> 4;
    const bitmap = BITMAPS + (row << 1);
    u16[bitmap >> 1] = (1 << (index & 15)) | u16[bitmap >> 1];
    u32[ROWS >> 2] = (1 << row) | u32[ROWS >> 2];
  }
}

/** Clears the bit of a class whose list became empty. @inline */
export function clearBit(index: number): void {
  const row = index >> 4;
  const bitmap = BITMAPS + (row << 1);
  const left = (1 << (index & 15)) ^ u16[bitmap >> 1];
  u16[bitmap >> 1] = left;
  if (left === 0) u32[ROWS >> 2] = (1 << row) ^ u32[ROWS >> 2];
}

/** Whether the block's `next` is 0 or a block whose link leads back. @inline */
export function leadsOn(block: number, next: number, end: number): boolean {
  if (next === 0) return true;
  if (next >>> 0 >= end >>> 0 || (next & 3) !== 0) return false;
  return u32[(next + 8) >> 2] === block + 4;
}

/** Whether the links to a block and from it agree. @inline */
function isListed(block: number, next: number, link: number, end: number): boolean {
  if (link >>> 0 >= end >>> 0 || (link & 3) !== 0) return false;
  if (u32[link >> 2] !== block) return false;
  return leadsOn(block, next, end);
}

/** Takes a free block out of its list; with CHECKS false, and nothing is changed, when its links do not agree. @inline */
export function remove(block: number, end: number): boolean {
  const next = u32[(block + 4) >> 2];
  const link = u32[(block + 8) >> 2];
  if (CHECKS !== 0 && !isListed(block, next, link, end)) return false;
  u32[link >> 2] = next;
  if (next !== 0) u32[(next + 8) >> 2] = link;
  else if (link < u32[FIRST >> 2]) clearBit((link - HEADS) >> 2);
  return true;
}

/** Takes the free block at `block`, whose header is `size`, out of its list; with CHECKS false when its footer is not its own. @inline */
export function take(block: number, size: number, end: number): boolean {
  if (CHECKS !== 0) {
    if (size >>> 0 > (end - block) >>> 0 || (size & 7) !== 0) return false;
    if (u32[(block + size - 4) >> 2] !== block) return false;
  }
  return remove(block, end);
}

/** The free block before `block`, out of its list; with CHECKS 0 when its header does not lead here. @inline */
export function takeBefore(block: number, end: number): number {
  const before = u32[(block - 4) >> 2];
  if (CHECKS !== 0) {
    if (before >>> 0 >= block >>> 0 || (before & 3) !== 0) return 0;
    if (u32[before >> 2] !== block - before) return 0;
  }
  return remove(before, end) ? before : 0;
}
