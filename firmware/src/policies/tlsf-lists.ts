/**
 * Tlsf's control words and its lists of free blocks, one a class; tlsf.ts draws them.
 */
import { u16, u32 } from '../arena.ts';

/** Header flags, below the size. */
export const LIVE = 1;
export const PREV_FREE = 2;
export const FLAGS = 7;

/** Control words, offsets from the arena's start. */
export const ROWS = 0; // bit r: bitmap r is not 0
export const END = 4; // offset of the end word
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
    u16[bitmap >> 1] = u16[bitmap >> 1] | (1 << (index & 15));
    u32[ROWS >> 2] = u32[ROWS >> 2] | (1 << row);
  }
}

/** Clears the bit of a class whose list became empty. @inline */
export function clearBit(index: number): void {
  const row = index >> 4;
  const bitmap = BITMAPS + (row << 1);
  const left = u16[bitmap >> 1] ^ (1 << (index & 15));
  u16[bitmap >> 1] = left;
  if (left === 0) u32[ROWS >> 2] = u32[ROWS >> 2] ^ (1 << row);
}

/** Takes a free block out of its list. @inline */
export function remove(block: number): void {
  const next = u32[(block + 4) >> 2];
  const link = u32[(block + 8) >> 2];
  u32[link >> 2] = next;
  if (next !== 0) u32[(next + 8) >> 2] = link;
  else if (link < u32[FIRST >> 2]) clearBit((link - HEADS) >> 2);
}
