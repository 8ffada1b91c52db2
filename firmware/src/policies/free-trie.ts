/**
 * The free blocks in a digital search tree ordered by size, then address. Its nodes are the free blocks themselves, so
 * it needs one control word, the root, and no other memory.
 *
 *   free block of one granule   [ left ][ right ][ size ][ size ]
 *   of more                     [ left ][ right ][ size ] ........ [ size ]      16-bit words, in granules
 *                                ^ head                            ^ foot: the block's last word
 *
 * The key is (size, granule), two words of W bits, W being the width of END. The child of a node at depth d is chosen by
 * the key's bit d, the highest first; so every node below shares its first d bits, and all keys in a left subtree are
 * lower than those in the right one. The node itself may be anywhere in that range (Knuth 3, 6.3; dlmalloc's treebins).
 * Keys differ, so no node is deeper than 2W.
 *
 * Who is in the tree is decided by the path from the root alone: what a live block's payload happens to hold can
 * imitate a head and a foot, but no link leads to it.
 *
 * Bound: findFree makes at most 4W steps, removeFree 2W + 1, the others 2W; W is 14 for an arena of 64 KB. Links into
 * nowhere, which only a write through a stale pointer can make, end a search and never loop.
 */
import { u16 } from '../arena.ts';
import { endGranule, isStart } from './starts.ts';

/** Index in u16 of the control words. */
export const ROOT = 0;
const WIDTH = 3;

/** W: bits that hold any granule number up to END. */
export function initTrie(end: number): void {
  let width = 1;
  while (end >> width !== 0) width++;
  u16[ROOT] = 0;
  u16[WIDTH] = width;
}

/** Size in granules that the head of a free block says. */
export function headSize(granule: number): number {
  return u16[(granule << 2) + 2]!;
}

/** Size in granules that the foot before `granule` says, if the block before it is free. */
export function footSizeBefore(granule: number): number {
  return u16[(granule << 2) - 1]!;
}

/** Whether head, foot and bounds agree that a free block may lie here. A live block can look so; no free one looks otherwise. */
export function looksFree(granule: number, size: number): boolean {
  if (size < 1 || granule < 1 || granule + size > endGranule()) return false;
  return headSize(granule) === size && footSizeBefore(granule + size) === size;
}

/**
 * The index in u16 of the link that leads to this free block; where it is not in the tree, of the empty link where it
 * would hang.
 */
export function linkFor(granule: number, size: number): number {
  const width = u16[WIDTH]!;
  let link = ROOT;
  let bit = width + width - 1;
  let node = u16[link]!;
  // loop: at most keyBits
  while (node !== granule && node !== 0 && bit >= 0 && node < endGranule()) {
    link = (node << 2) + ((bit >= width ? size >> (bit - width) : granule >> bit) & 1);
    node = u16[link]!;
    bit--;
  }
  return link;
}

/** Whether the tree holds this free block. */
export function inTree(granule: number, size: number): boolean {
  return u16[linkFor(granule, size)] === granule;
}

/** Writes head and foot of a free block and hangs it into the tree as a leaf. */
export function insertFree(granule: number, size: number): void {
  const head = granule << 2;
  u16[linkFor(granule, size)] = granule;
  u16[head] = 0;
  u16[head + 1] = 0;
  u16[head + 2] = size;
  u16[head + (size << 2) - 1] = size;
}

/**
 * Takes a free block out of the tree; false when it is not in it. A leaf below takes its place:
 *
 *        parent                    parent
 *          |                         |
 *        block         =>          leaf
 *        /   \                     /   \
 *      ...   ...                 ...   ...
 *        \
 *        leaf
 */
export function removeFree(granule: number, size: number): boolean {
  const link = linkFor(granule, size);
  if (u16[link] !== granule) return false;
  const head = granule << 2;
  let leafLink = link;
  let leaf = granule;
  let child = granule;
  // loop: at most keyBits
  for (let steps = u16[WIDTH]! << 1; steps > 0 && child !== 0 && child < endGranule(); steps--) {
    leaf = child;
    const side = leaf << 2;
    child = u16[side]!;
    if (child !== 0) {
      leafLink = side;
    } else {
      child = u16[side + 1]!;
      if (child !== 0) leafLink = side + 1;
    }
  }
  u16[leafLink] = 0;
  if (leaf !== granule) {
    u16[leaf << 2] = u16[head]!;
    u16[(leaf << 2) + 1] = u16[head + 1]!;
    u16[link] = leaf;
  }
  return true;
}

/** The smallest free block of at least `need` granules, the lowest of equals; 0 when there is none. */
export function findFree(need: number): number {
  const width = u16[WIDTH]!;
  let best = 0;
  let bestSize = 0x10000;
  let higher = 0;
  let bit = width + width - 1;
  let node = u16[ROOT]!;
  // loop: at most searchSteps
  for (let steps = width << 2; steps > 0 && node !== 0 && node < endGranule(); steps--) {
    const head = node << 2;
    const left = u16[head]!;
    const right = u16[head + 1]!;
    const size = u16[head + 2]!;
    if (size >= need && (size < bestSize || (size === bestSize && node < best))) {
      best = node;
      bestSize = size;
    }
    // The key searched for is (need, 0): beyond the size, its bits are 0.
    if (bit >= width && ((need >> (bit - width)) & 1) !== 0) {
      node = right;
    } else if (bit < 0) {
      node = left === 0 ? right : left;
    } else {
      if (right !== 0) higher = right;
      node = left;
    }
    bit--;
    if (node === 0) {
      // All of the deepest right turn not taken is high enough; its lowest is on its leftmost path.
      node = higher;
      higher = 0;
      bit = -1;
    }
  }
  if (best === 0) return 0;
  // A head damaged by a stale pointer must not become a block that overlaps another.
  return looksFree(best, bestSize) && isStart(best) && isStart(best + bestSize) ? best : 0;
}
