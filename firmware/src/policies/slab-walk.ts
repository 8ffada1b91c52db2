/** What slab shows of itself: its blocks in address order, and whether its invariants hold (slab.ts numbers them). */
import { u8, u16, u32 } from '../arena.ts';
import { BLOCK_CONTROL, BLOCK_FREE, BLOCK_LIVE } from '../policy.ts';
import { brokenPage, FREE, INSIDE, LARGE, LENGTH, LIMIT, NEXT, PAGES, PREVIOUS, RUNS } from './page-runs.ts';
import {
  ALL_FREE,
  addressOf,
  BASE,
  BEFORE_PAYLOAD,
  BITMAP,
  CHECKED,
  CLASS_BYTES,
  CLASSES,
  EMPTY,
  isEmpty,
  liveSlot,
  MAP,
  PAGE_BYTES,
  RECIPROCAL,
  SLOT_BYTES,
  TAIL,
} from './slab-classes.ts';

export function firstBlock(): number {
  return u32[BASE >> 2]!;
}

/** Where the pages end; what is left of the arena there is control data. */
function pagesEnd(): number {
  return u32[BASE >> 2]! + u32[LIMIT >> 2]!;
}

/** Offset of the entry of the page that holds `block`. */
function entryOf(block: number): number {
  return PAGES + 8 + (((block - u32[BASE >> 2]!) >> 8) << 3);
}

/** Slots one by one, then what no slot covers; large blocks and free runs as one. */
export function nextBlock(block: number): number {
  const end = pagesEnd();
  if (block >= end) return 0;
  const at = entryOf(block);
  const record = u16[at >> 1]!;
  let next = block + (u16[(at + LENGTH) >> 1]! << 8);
  if (record >= CLASSES) {
    const rest = PAGE_BYTES - ((block - u32[BASE >> 2]!) & (PAGE_BYTES - 1));
    next = block + Math.min(rest, u16[(record + SLOT_BYTES) >> 1]!);
  }
  if (next < end) return next;
  return u16[TAIL >> 1] === 0 ? 0 : end;
}

export function blockKind(block: number): number {
  if (block >= pagesEnd()) return BLOCK_CONTROL;
  const at = entryOf(block);
  const record = u16[at >> 1]!;
  if (record < CLASSES) return record === LARGE ? BLOCK_LIVE : BLOCK_FREE;
  const inPage = (block - u32[BASE >> 2]!) & (PAGE_BYTES - 1);
  if (inPage + u16[(record + SLOT_BYTES) >> 1]! > PAGE_BYTES) return BLOCK_CONTROL;
  return liveSlot(record, u16[(at + BITMAP) >> 1]!, inPage) === 0 ? BLOCK_FREE : BLOCK_LIVE;
}

export function blockPayload(block: number): number {
  const at = entryOf(block);
  return u16[at >> 1] === LARGE ? block + (u16[(at + BEFORE_PAYLOAD) >> 1]! << 3) : block;
}

function violated(invariant: number, page: number): number {
  u32[CHECKED >> 2] = addressOf(page);
  return invariant;
}

/** Entries of a list, all of this kind and, where they are pages of slots, with a free one; -1 when it is broken. */
function listLength(head: number, kind: number): number {
  const pages = u32[LIMIT >> 2]! >> 8;
  let length = 0;
  let previous = 0;
  for (let page = u16[head >> 1]!; page !== 0; page = u16[(PAGES + NEXT + (page << 3)) >> 1]!) {
    const at = PAGES + (page << 3);
    if (page > pages || u16[at >> 1] !== kind || u16[(at + PREVIOUS) >> 1] !== previous) return -1;
    if (kind >= CLASSES && u16[(at + BITMAP) >> 1] === 0) return -1;
    previous = page;
    length++;
  }
  return length;
}

/** Whether a class is as addClass wrote it, and the map from `above` granules up to the class's own leads to it. */
function isClass(index: number, granules: number, slots: number, reciprocal: number, above: number): boolean {
  const record = CLASSES + index * CLASS_BYTES;
  if (u16[(record + SLOT_BYTES) >> 1] !== granules << 3 || u16[(record + RECIPROCAL) >> 1] !== reciprocal) return false;
  if (u16[(record + ALL_FREE) >> 1] !== (1 << slots) - 1) return false;
  if (u16[(record + EMPTY) >> 1]! > u32[LIMIT >> 2]! >> 8) return false;
  for (let g = above; g <= granules; g++) if (u8[MAP + g] !== record) return false;
  return true;
}

function areClasses(): boolean {
  return (
    isClass(0, 2, 16, 128, 0) &&
    isClass(1, 3, 10, 86, 3) &&
    isClass(2, 4, 8, 64, 4) &&
    isClass(3, 5, 6, 52, 5) &&
    isClass(4, 6, 5, 43, 6) &&
    isClass(5, 8, 4, 32, 7) &&
    isClass(6, 10, 3, 26, 9) &&
    isClass(7, 16, 2, 16, 11)
  );
}

export function check(): number {
  const pages = u32[LIMIT >> 2]! >> 8;
  if (u32[BASE >> 2] !== PAGES + ((pages + 2) << 3) || !areClasses()) return violated(5, 1);
  let runs = 0;
  let open = 0;
  let page = 1;
  let previousKind = INSIDE;
  if (u16[PAGES >> 1] !== INSIDE) return violated(1, 1);
  if (u16[(PAGES + 8 + (pages << 3)) >> 1] !== INSIDE) return violated(1, pages);
  while (page <= pages) {
    const at = PAGES + (page << 3);
    const kind = u16[at >> 1]!;
    let length = 1;
    if (kind >= CLASSES) {
      if (kind >= MAP || (kind - CLASSES) % CLASS_BYTES !== 0) return violated(1, page);
      const bitmap = u16[(at + BITMAP) >> 1]!;
      if ((bitmap & ~u16[(kind + ALL_FREE) >> 1]!) !== 0) return violated(3, page);
      if (bitmap !== 0) open++;
      if (isEmpty(kind, page) && u16[(kind + EMPTY) >> 1] !== page) return violated(4, page);
    } else {
      length = u16[(at + LENGTH) >> 1]!;
      const broken = brokenPage(page, kind, length);
      if (broken !== 0) return violated(1, broken);
      if (kind === FREE && previousKind === FREE) return violated(2, page);
      if (kind === FREE) runs++;
    }
    previousKind = kind;
    page += length;
  }
  if (listLength(RUNS, FREE) !== runs) return violated(2, u16[RUNS >> 1]!);
  for (let record = CLASSES; record < MAP; record += CLASS_BYTES) {
    const length = listLength(record, record);
    if (length < 0) return violated(3, u16[record >> 1]!);
    open -= length;
  }
  return open === 0 ? 0 : violated(3, 1);
}

export function checkOffset(): number {
  return u32[CHECKED >> 2]!;
}
