/**
 * Buddy: blocks of 16 * 2^order bytes, each at a multiple of its size from the first one; two halves of one block are
 * buddies and are joined when both are free. The map of orders lies outside the blocks.
 *
 *   offset 0        40            base: a multiple of 16
 *          [ control | map of units | gap ][ order 3: 128 bytes ][ order 0 ][ order 0 ][ order 1 ] ...
 *
 *   control, in 16-bit words   [ units ][ base ][ check ][ dropped? ][ heads of the free lists: orders 0 .. 15 ]
 *   map, one byte for each unit of 16 bytes
 *     order + 1      a free block begins       LIVE | order      a live block begins, its payload with it
 *     0              inside a block            ALIGNED | order   a live block begins, its payload later (memalign):
 *                                              INNER | order     there
 *   free block                 [ next ][ previous ] ...    units + 1; the last of a list has itself as next
 *
 *   free   [ order 1 ][ order 1, buddy free ]  =>  [ order 2 ] and again with its buddy
 *
 * An arena that is no power of two is covered by the largest aligned blocks that fit.
 *
 * A write of up to 64 bytes past either end of a payload reaches the links and nothing else. They are believed where
 * the map agrees: each leads to a free block of the order that leads back. Else the list is dropped, and all lists are
 * made anew from the map when they have no block. Their heads lie outside the blocks, so what is given is free by the map.
 *
 * Bound: 16 orders, each step a list operation; malloc may walk over the map after links were overwritten. Overhead: up
 * to half of each block; control 104 bytes and a byte for each 16. At most 65534 units, 1 MB.
 *
 * Invariants (check() returns the number)
 *   1  the map's blocks cover the units, each aligned to its order; entries inside are 0 but for one INNER
 *   2  the lists hold each free block once, in the list of its order
 *   3  no two free buddies
 */
import { u8, u16 } from '../arena.ts';
import { highestBit } from '../bits.ts';
import { moveBytes } from '../copy.ts';
import { BLOCK_FREE, BLOCK_LIVE, MISUSE_NOT_LIVE, MISUSE_WILD } from '../policy.ts';

export { locate, pin, unpin } from './in-place.ts';

/** Indices in u16. */
const UNITS = 0;
const BASE = 1;
const CHECK = 2;
const DROPPED = 3;
const HEADS = 4;
/** Index in u8. */
const MAP = 40;
/** Between the map and the first block, so that a write that far before a payload does not reach the map. */
const GAP_BYTES = 64;

const MAX_ORDER = 15;
const LIVE = 0x80;
const ALIGNED = 0x40;
const INNER = 0x20;
const ORDER_MASK = 0x1f;
const MAX_UNITS = 65534;
const MAX_REQUEST_BYTES = 0x80000;

export function init(arenaBytes: number): number {
  let units = ((arenaBytes - MAP - GAP_BYTES - 15) / 17) | 0;
  if (units < 1) return 0;
  if (units > MAX_UNITS) units = MAX_UNITS;
  for (let word = 0; word < MAP >> 1; word++) u16[word] = 0;
  u16[UNITS] = units;
  // In units: the base of the largest arena does not fit 16 bits in bytes.
  u16[BASE] = (MAP + units + GAP_BYTES + 15) >> 4;
  for (let unit = 0; unit < units; unit++) u8[MAP + unit] = 0;
  let largest = 0;
  for (let unit = 0; unit < units; ) {
    let order = highestBit(units - unit);
    if (order > MAX_ORDER) order = MAX_ORDER;
    while ((unit & ((1 << order) - 1)) !== 0) order--;
    insert(unit, order);
    if (order > largest) largest = order;
    unit += 1 << order;
  }
  return 16 << largest;
}

/** Index in u16 of a unit's first word. */
function wordOf(unit: number): number {
  return (u16[BASE]! + unit) << 3;
}

function insert(unit: number, order: number): void {
  const next = u16[HEADS + order]!;
  u16[wordOf(unit)] = next === 0 ? unit + 1 : next;
  if (next !== 0) u16[wordOf(next - 1) + 1] = unit + 1;
  u16[HEADS + order] = unit + 1;
  u8[MAP + unit] = order + 1;
}

function remove(unit: number, order: number): void {
  if (!unlink(unit, order)) {
    u16[HEADS + order] = 0;
    u16[DROPPED] = 1;
  }
  u8[MAP + unit] = 0;
}

/** Whether a link leads to a free block of the order. */
function isLink(link: number, order: number): boolean {
  return link !== 0 && link <= u16[UNITS]! && u8[MAP + link - 1] === order + 1;
}

/** Takes a block out of its list; false, and nothing is changed, when its links are not those of a list. */
function unlink(unit: number, order: number): boolean {
  const self = unit + 1;
  const next = u16[wordOf(unit)]!;
  if (next !== self && (!isLink(next, order) || u16[wordOf(next - 1) + 1] !== self)) return false;
  if (u16[HEADS + order] === self) {
    u16[HEADS + order] = next === self ? 0 : next;
    return true;
  }
  const previous = u16[wordOf(unit) + 1]!;
  if (!isLink(previous, order) || u16[wordOf(previous - 1)] !== self) return false;
  u16[wordOf(previous - 1)] = next === self ? previous : next;
  if (next !== self) u16[wordOf(next - 1) + 1] = previous;
  return true;
}

/** All lists from the map, whatever the links were. A map said to be longer than the arena ends where the arena does. */
function relist(): void {
  u16[DROPPED] = 0;
  // loop: at most overwritten
  for (let order = 0; order <= MAX_ORDER; order++) u16[HEADS + order] = 0;
  // loop: at most overwritten
  for (let unit = 0; unit < u16[UNITS]! && u8[MAP + unit]! >= 0; unit++) {
    const order = u8[MAP + unit]! - 1;
    if (order >= 0 && order <= MAX_ORDER) insert(unit, order);
  }
}

/** The order whose blocks hold `size` bytes, -1 when none does. */
function orderFor(size: number): number {
  if (size < 0 || size > MAX_REQUEST_BYTES) return -1;
  return size <= 16 ? 0 : highestBit((size - 1) >> 4) + 1;
}

/** The first order from `order` on whose list has a block. */
function firstFilled(order: number): number {
  let from = order;
  // loop: at most 16
  while (from <= MAX_ORDER && u16[HEADS + from] === 0) from++;
  return from;
}

/** A block of this order out of the lists, split from a larger one if need be; its unit, -1 when there is none. */
function takeBlock(order: number): number {
  let from = firstFilled(order);
  if (from > MAX_ORDER && u16[DROPPED] !== 0) {
    relist();
    from = firstFilled(order);
  }
  if (order < 0 || from > MAX_ORDER) return -1;
  const unit = u16[HEADS + from]! - 1;
  remove(unit, from);
  splitDown(unit, from, order);
  return unit;
}

/** Keeps the lower halves of a block of order `from` down to `order`; the upper ones are free. */
function splitDown(unit: number, from: number, order: number): void {
  // loop: at most 15
  for (let half = from - 1; half >= order; half--) insert(unit + (1 << half), half);
}

/** Frees a block and joins it with its buddy as long as that is free and whole. */
function release(unit: number, order: number): void {
  let start = unit;
  let at = order;
  let buddy = start ^ (1 << at);
  // loop: at most 15
  while (at < MAX_ORDER && buddy + (1 << at) <= u16[UNITS]! && u8[MAP + buddy] === at + 1) {
    remove(buddy, at);
    if (buddy < start) start = buddy;
    at++;
    buddy = start ^ (1 << at);
  }
  insert(start, at);
}

export function malloc(size: number): number {
  const order = orderFor(size);
  const unit = takeBlock(order);
  if (unit < 0) return 0;
  u8[MAP + unit] = LIVE | order;
  return (u16[BASE]! + unit) << 4;
}

/** The unit of a payload, -1 when the offset is none. */
function unitOf(offset: number): number {
  const unit = (offset >> 4) - u16[BASE]!;
  return (offset & 15) !== 0 || unit < 0 || unit >= u16[UNITS]! ? -1 : unit;
}

/** Whether a payload begins at the unit. */
function isLive(unit: number): boolean {
  return (u8[MAP + unit]! & (LIVE | INNER)) !== 0;
}

export function free(offset: number): number {
  const unit = unitOf(offset);
  if (unit < 0) return MISUSE_WILD;
  if (!isLive(unit)) return MISUSE_NOT_LIVE;
  const order = u8[MAP + unit]! & ORDER_MASK;
  const start = unit & ~((1 << order) - 1);
  u8[MAP + unit] = 0;
  u8[MAP + start] = 0;
  release(start, order);
  return 0;
}

export function usableSize(offset: number): number {
  const unit = unitOf(offset);
  if (unit < 0 || !isLive(unit)) return 0;
  const order = u8[MAP + unit]! & ORDER_MASK;
  return (((unit & ~((1 << order) - 1)) + (1 << order)) << 4) - (unit << 4);
}

/** Joins a live block with the free buddies above it up to `order`; false when one of them is not free. */
function growUp(unit: number, from: number, order: number): boolean {
  if ((unit & ((1 << order) - 1)) !== 0) return false;
  // loop: at most 15
  for (let at = from; at < order; at++) {
    const buddy = unit + (1 << at);
    if (buddy + (1 << at) > u16[UNITS]! || u8[MAP + buddy] !== at + 1) return false;
  }
  // loop: at most 15
  for (let at = from; at < order; at++) remove(unit + (1 << at), at);
  return true;
}

export function realloc(offset: number, size: number): number {
  if (offset === 0) return malloc(size);
  const order = orderFor(size);
  const held = usableSize(offset);
  if (held === 0 || order < 0) return 0;
  const unit = unitOf(offset);
  const now = u8[MAP + unit]! & ORDER_MASK;
  if ((u8[MAP + unit]! & LIVE) !== 0) {
    if (order <= now) {
      splitDown(unit, now, order);
      u8[MAP + unit] = LIVE | order;
      return offset;
    }
    if (order <= MAX_ORDER && growUp(unit, now, order)) {
      u8[MAP + unit] = LIVE | order;
      return offset;
    }
  } else if (size <= held) {
    return offset;
  }
  const to = malloc(size);
  if (to === 0) return 0;
  moveBytes(to, offset, Math.min(held, usableSize(to)));
  free(offset);
  return to;
}

/** Up to 16 every block is aligned; beyond, a larger block holds an aligned payload that begins later in it. */
export function memalign(alignment: number, size: number): number {
  if (alignment <= 0 || (alignment & (alignment - 1)) !== 0 || alignment > MAX_REQUEST_BYTES || size < 0) return 0;
  if (alignment <= 16) return malloc(size);
  const asked = size === 0 ? 1 : size;
  const order = orderFor(asked > MAX_REQUEST_BYTES ? asked : asked + alignment - 16);
  const start = takeBlock(order);
  if (start < 0) return 0;
  const offset = (((u16[BASE]! + start) << 4) + alignment - 1) & ~(alignment - 1);
  const unit = (offset >> 4) - u16[BASE]!;
  u8[MAP + start] = ALIGNED | order;
  u8[MAP + unit] = unit === start ? LIVE | order : INNER | order;
  return offset;
}

export function firstBlock(): number {
  return u16[BASE]! << 4;
}

/** The order of the block that begins at a unit. */
function orderAt(unit: number): number {
  const entry = u8[MAP + unit]!;
  return (entry & (LIVE | ALIGNED)) === 0 ? entry - 1 : entry & ORDER_MASK;
}

export function nextBlock(block: number): number {
  const unit = (block >> 4) - u16[BASE]!;
  const next = unit + (1 << orderAt(unit));
  return next >= u16[UNITS]! ? 0 : (u16[BASE]! + next) << 4;
}

export function blockKind(block: number): number {
  return (u8[MAP + (block >> 4) - u16[BASE]!]! & (LIVE | ALIGNED)) === 0 ? BLOCK_FREE : BLOCK_LIVE;
}

export function blockPayload(block: number): number {
  let unit = (block >> 4) - u16[BASE]!;
  if ((u8[MAP + unit]! & ALIGNED) !== 0) {
    const end = unit + (1 << orderAt(unit));
    while (unit < end && (u8[MAP + unit]! & INNER) === 0) unit++;
  }
  return (u16[BASE]! + unit) << 4;
}

function violated(invariant: number, unit: number): number {
  u16[CHECK] = unit;
  return invariant;
}

export function check(): number {
  const units = u16[UNITS]!;
  let free = 0;
  let unit = 0;
  while (unit < units) {
    const entry = u8[MAP + unit]!;
    const order = orderAt(unit);
    const live = (entry & (LIVE | ALIGNED)) !== 0;
    if (order < 0 || order > MAX_ORDER || (entry & INNER) !== 0) return violated(1, unit);
    if ((unit & ((1 << order) - 1)) !== 0 || unit + (1 << order) > units) return violated(1, unit);
    let inner = (entry & ALIGNED) === 0 ? 0 : 1;
    for (let at = unit + 1; at < unit + (1 << order); at++) {
      if (u8[MAP + at] !== 0) {
        if (inner === 0 || u8[MAP + at] !== (INNER | order)) return violated(1, at);
        inner = 0;
      }
    }
    if (inner !== 0) return violated(1, unit);
    if (!live) {
      free++;
      const buddy = unit ^ (1 << order);
      if (order < MAX_ORDER && buddy + (1 << order) <= units && u8[MAP + buddy] === order + 1) return violated(3, unit);
    }
    unit += 1 << order;
  }
  for (let order = 0; order <= MAX_ORDER; order++) {
    let previous = 0;
    let link = u16[HEADS + order]!;
    while (link !== 0) {
      if (!isLink(link, order) || free === 0) return violated(2, link - 1);
      if (previous !== 0 && u16[wordOf(link - 1) + 1] !== previous) return violated(2, link - 1);
      previous = link;
      free--;
      link = u16[wordOf(link - 1)]!;
      if (link === previous) link = 0;
    }
  }
  return free === 0 ? 0 : violated(2, 0);
}

export function checkOffset(): number {
  return (u16[BASE]! + u16[CHECK]!) << 4;
}
