/**
 * The table of handles of `compact`, which compact.ts draws: one 16-bit word a handle, which says where its block begins.
 * Handles are in the order of their blocks, from the arena's end down, so that a block ends where that of the handle before
 * begins. There are no other sizes, links or marks, and nothing of this lies among the payloads.
 *
 *   word of a handle   0gggggggggggggg  live, from granule g (of 8 bytes) to where the one before begins
 *                      1gggggggggggggg  free: the space from g on is a hole, often of no length
 *   word of a pin      a handle whose block stays where it is; behind the handles, in any order
 */
import { u16 } from '../arena.ts';

/** Indices in u16: the granule that check found wrong, counts, the gap and where it wanders, then the table. Entry 0 is the arena's end in granules: a block before the first, as it were. */
export const CHECK = 0;
export const HANDLES = 1;
export const PINS = 2;
export const GAP = 3;
export const FREES = 4;
export const UPWARD = 5;
export const ENTRY = 6;

export const FREE_BIT = 0x8000;
const GRANULE_MASK = 0x7fff;
export const MAX_END = 0x7fff;

/** Where the block or hole of a handle begins, in granules. */
export function startOf(handle: number): number {
  return u16[ENTRY + handle]! & GRANULE_MASK;
}

/** Granules of the block or hole of a handle. */
export function lengthOf(handle: number): number {
  return startOf(handle - 1) - startOf(handle);
}

export function isFree(handle: number): boolean {
  return u16[ENTRY + handle]! >= FREE_BIT;
}

export function isLive(handle: number): boolean {
  if (handle < 1 || handle > u16[HANDLES]!) return false;
  return u16[ENTRY + handle]! < FREE_BIT;
}

/** The first granule after a table of so many words. */
export function endOfTable(words: number): number {
  return (ENTRY + words + 4) >> 2;
}

/** The first granule after the table: the lowest at which a block may begin. */
export function tableEnd(): number {
  return endOfTable(u16[HANDLES]! + u16[PINS]!);
}

/** The lowest granule down to which the block or hole of a handle may reach when no block moves. */
export function floorOf(handle: number): number {
  if (handle === u16[HANDLES]) return tableEnd();
  return startOf(isFree(handle + 1) ? handle + 1 : handle);
}

/**
 * Whether the table is one: it ends in the arena and below the lowest block, and no more blocks are pinned than there are.
 * Where an underflow of the lowest block, or a wild store, overwrote a count, nothing goes through a table that is none.
 * Beyond the arena nothing is loaded, of which no comparison holds.
 */
export function isTable(): boolean {
  const handles = u16[HANDLES]!;
  const pins = u16[PINS]!;
  return pins <= handles && u16[ENTRY + handles + pins]! >= 0 && tableEnd() <= startOf(handles);
}

/** A new handle, below all others, whose word is `word`. The room for it was seen to. */
export function addHandle(word: number): number {
  const handle = u16[HANDLES]! + 1;
  // The first pin goes behind the last.
  u16[ENTRY + handle + u16[PINS]!] = u16[ENTRY + handle]!;
  u16[ENTRY + handle] = word;
  u16[HANDLES] = handle;
  return handle;
}

/** Drops free handles at the table's end: their holes become room. */
export function trim(): void {
  let handle = u16[HANDLES]!;
  while (handle > 0 && isFree(handle)) {
    // The last pin takes the word's place.
    u16[ENTRY + handle] = u16[ENTRY + handle + u16[PINS]!]!;
    handle--;
    u16[HANDLES] = handle;
    u16[FREES] = u16[FREES]! - 1;
  }
  if (u16[GAP]! > handle) u16[GAP] = 0;
}

/** Index in u16 of the word that pins a handle's block, 0 when it is not pinned. */
function pinOf(handle: number): number {
  const last = ENTRY + u16[HANDLES]!;
  let word = last + u16[PINS]!;
  if (word === last || !isTable()) return 0;
  for (; word > last; word--) if (u16[word] === handle) return word;
  return 0;
}

export function isPinned(handle: number): boolean {
  return pinOf(handle) !== 0;
}

/** Keeps a block where it is until it is unpinned or freed. False when the handle is not live or no word is left. */
export function pin(handle: number): boolean {
  if (!isLive(handle)) return false;
  if (isPinned(handle)) return true;
  const words = u16[HANDLES]! + u16[PINS]! + 1;
  if (endOfTable(words) > startOf(u16[HANDLES]!)) return false;
  u16[ENTRY + words] = handle;
  u16[PINS] = u16[PINS]! + 1;
  return true;
}

export function unpin(handle: number): void {
  const word = pinOf(handle);
  if (word === 0) return;
  u16[word] = u16[ENTRY + u16[HANDLES]! + u16[PINS]!]!;
  u16[PINS] = u16[PINS]! - 1;
}

/** Whether the block of a handle between the two, in either order, is pinned. */
export function isPinnedBetween(one: number, other: number): boolean {
  const last = ENTRY + u16[HANDLES]!;
  const low = Math.min(one, other);
  const high = Math.max(one, other);
  for (let word = last + u16[PINS]!; word > last; word--) if (u16[word]! > low && u16[word]! < high) return true;
  return false;
}
