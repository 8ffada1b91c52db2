/** Tlsf's check(): the invariants that tlsf.ts states, from the blocks and from the lists. */
import { u16, u32 } from '../arena.ts';
import { BLOCK_FREE, BLOCK_LIVE } from '../policy.ts';
import { LIVE, SIZE_FIELD, SIZE_MASK, SIZE_SHIFT, TAG } from './live-header.ts';
import {
  BITMAPS,
  CHECKED,
  classOf,
  END,
  FIRST,
  HEADS,
  LEAST_HEAD,
  MIN_BLOCK,
  PREV_FREE,
  ROW_COUNT,
  ROWS,
} from './tlsf-lists.ts';

export function check(): number {
  const end = u32[END >> 2];
  let freeBlocks = 0;
  let before = BLOCK_LIVE;
  let block = u32[FIRST >> 2];
  while (block !== end) {
    u32[CHECKED >> 2] = block;
    const header = u32[block >> 2];
    const size = (header & LIVE) === 0 ? header & ~PREV_FREE : (header >> SIZE_SHIFT) & SIZE_MASK;
    if (size < MIN_BLOCK || block + size > end) return 1;
    if ((header & LIVE) === 0 ? (header & 7) !== 0 : (header & ~(SIZE_FIELD | PREV_FREE)) !== TAG) return 1;
    if (((header & PREV_FREE) !== 0) !== (before === BLOCK_FREE)) return 3;
    if ((header & LIVE) === 0) {
      if (before === BLOCK_FREE) return 2;
      if (u32[(block + size - 4) >> 2] !== block) return 3;
      const link = u32[(block + 8) >> 2];
      if (link < LEAST_HEAD || link >= end || u32[link >> 2] !== block) return 4;
      freeBlocks = freeBlocks + 1;
      before = BLOCK_FREE;
    } else before = BLOCK_LIVE;
    block = block + size;
  }
  u32[CHECKED >> 2] = end;
  if (u32[end >> 2] !== (before === BLOCK_FREE ? TAG | PREV_FREE : TAG)) return 3;
  return checkLists(freeBlocks);
}

/** Invariants 4 and 5 from the lists' side: `freeBlocks` blocks were found by the walk. */
function checkLists(freeBlocks: number): number {
  const last = classOf(u32[END >> 2]);
  let listed = 0;
  for (let row = 0; row < ROW_COUNT; row = row + 1) {
    const bitmap = u16[(BITMAPS + (row << 1)) >> 1];
    u32[CHECKED >> 2] = BITMAPS + (row << 1);
    if ((bitmap !== 0) !== (((u32[ROWS >> 2] >> row) & 1) !== 0)) return 5;
    for (let bit = 0; bit < 16; bit = bit + 1) {
      const index = (row << 4) + bit;
      if (index >= 2 && index <= last) {
        let block = u32[(HEADS + (index << 2)) >> 2];
        if ((block !== 0) !== (((bitmap >> bit) & 1) !== 0)) return 5;
        while (block !== 0) {
          u32[CHECKED >> 2] = block;
          listed = listed + 1;
          if (listed > freeBlocks || block < u32[FIRST >> 2] || block >= u32[END >> 2]) return 4;
          if (classOf(u32[block >> 2]) !== index) return 4;
          block = u32[(block + 4) >> 2];
        }
      }
    }
  }
  return listed === freeBlocks ? 0 : 4;
}

export function checkOffset(): number {
  return u32[CHECKED >> 2];
}
