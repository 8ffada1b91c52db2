/**
 * The size classes of slab and the slots in their pages (slab.ts draws the arena). A class is a record of halves; a page of
 * it has a bitmap of its free slots.
 *
 *   slot that begins at an offset of its page   (granules before it * reciprocal) >> 8: no division
 */
import { u8, u16, u32 } from '../arena.ts';
import { PAGES } from './page-runs.ts';

export const BASE = 4;
export const CHECKED = 8;
export const TAIL = 14; // bytes of the arena after the last page

/** Classes, and their fields. */
export const CLASSES = 16;
export const CLASS_BYTES = 12;
export const SLOT_BYTES = 2;
export const RECIPROCAL = 4;
export const ALL_FREE = 6;
export const EMPTY = 8;
export const MAP = 112;

/** Fields of a page that is in use; page-runs.ts has the rest. */
export const PAGE_BYTES = 256;
export const BITMAP = 2;
export const BEFORE_PAYLOAD = 4;

/** A class and its part of the map; smaller classes come first. @routine */
export function addClass(index: number, granules: number, slots: number, reciprocal: number): void {
  const record = CLASSES + index * CLASS_BYTES;
  u16[(record + SLOT_BYTES) >> 1] = granules << 3;
  u16[(record + RECIPROCAL) >> 1] = reciprocal;
  u16[(record + ALL_FREE) >> 1] = (1 << slots) - 1;
  // loop: at most 17
  for (let g = granules; g >= 0 && u8[MAP + g] === 0; g--) u8[MAP + g] = record;
}

/** Offset of a page's first byte. @inline */
export function addressOf(page: number): number {
  return u32[BASE >> 2]! + (page << 8) - PAGE_BYTES;
}

/** Whether the page is a run of this class with all slots free. @inline */
export function isEmpty(record: number, page: number): boolean {
  const at = PAGES + (page << 3);
  return u16[at >> 1] === record && u16[(at + BITMAP) >> 1] === u16[(record + ALL_FREE) >> 1];
}

/** The bit of the live slot at `inPage` of a page of this class; 0 when no live slot begins there. @inline */
export function liveSlot(record: number, bitmap: number, inPage: number): number {
  const slot = ((inPage >> 3) * u16[(record + RECIPROCAL) >> 1]!) >> 8;
  if (slot * u16[(record + SLOT_BYTES) >> 1]! !== inPage) return 0;
  return (1 << slot) & u16[(record + ALL_FREE) >> 1]! & ~bitmap;
}
