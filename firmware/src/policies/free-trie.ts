/**
 * The free blocks in a digital search tree ordered by size, then address. Its nodes are the free blocks themselves, so
 * it needs one control word, the root, and no other memory.
 *
 *   free block of one granule   [ size ][ left ][ right ][ up ]
 *   of more                     [ size ][ left ][ right ][ up ] ........ [ size ][ ][ ][ own ]     16-bit words, in granules
 *                                ^ first granule: the node                ^ last granule
 *
 * `up` is the node's parent, 0 for the root's node, and `own` the last granule itself; both are mixed with SEAL.
 *
 * The key is (size, granule). The child of a node at depth d is chosen by bit d of the key; so all nodes below share its
 * first d bits, and all keys in a left subtree are lower than those in the right one. The node itself may be anywhere in
 * that range (Knuth 3, 6.3; dlmalloc's treebins). Sizes below 32 are written in 5 bits, others in W, with a bit before
 * that says which: this keeps the order, and the keys of small blocks short. W is the width of END, 14 for 64 KB.
 *
 *   size 13   0 01101        size 200   1 00000011001000        and then the granule in W bits
 *
 * Keys differ, so no node is deeper than 2W + 1.
 *
 * A write past a payload can damage what lies in a free block, but not the table of starts. So nothing is believed that
 * does not fit together: a block is free if both of its ends say its size, both are starts, and its parent leads to it; a
 * step down a link is taken only to a node that names the parent it came from, so that no search runs in a circle. The
 * outer words are the first that a write from either side damages. What is no longer free has its last words wiped: stale
 * ones pass for nothing, and other data would have to hold two fitting words of 16 bits. Where the tree does not fit
 * together it is made anew from the table and the last granules of blocks (mend), each of which bears its own number: a
 * copy of a hole in another place is not taken for one. Holes of one granule, and those whose last one was overwritten, are
 * lost then; neighbours stay two until one of them is taken and freed.
 *
 * Bound: search makes at most 4W + 4 steps, insertFree 2W + 2, removeFree 2W + 4. mend visits every block once.
 */
import { u16 } from '../arena.ts';
import { endGranule, isStart, nextStart } from './starts.ts';

/** Indices in u16 of the control words. The root's link lies where granule 0, were it a node, would have its right one. */
const WIDTH = 0;
export const ROOT = 2;
/** What search returns instead of a link: a control word that is none. */
const BROKEN = 1;
/** Indices of a free block's words, from its granule times 4. */
const LEFT = 1;
const RIGHT = 2;
const UP = 3;
/** Makes a number of no parent of 0 and of what programs store most. An arena's granules stay below it: LAST_GRANULE. */
const SEAL = 0xfff5;
export const LAST_GRANULE = 0xfff0;
/** Bits of a short size. */
const SHORT_BITS = 5;

/** W: bits that hold any granule number up to END. */
export function initTrie(end: number): void {
  let width = 1;
  while (end >> width !== 0) width++;
  u16[WIDTH] = width;
  u16[ROOT] = 0;
}

/** Size in granules that the first granule of a free block says. */
export function headSize(granule: number): number {
  return u16[granule << 2]!;
}

/** The start of the free block that ends before `granule`, if one may; else `granule`. */
export function startBefore(granule: number): number {
  const size = headSize(granule - 1);
  return size < granule && headSize(granule - size) === size ? granule - size : granule;
}

/** The granule that a free block names as its parent. Most live blocks are told by their word there: END or more. */
export function parentOf(granule: number): number {
  return u16[(granule << 2) + UP]! ^ SEAL;
}

/** The link that leads to the free block that begins at `granule`, which is below END; 0 when none does. */
export function linkTo(granule: number): number {
  const up = parentOf(granule);
  if (up >= endGranule()) return 0;
  const size = headSize(granule);
  const next = granule + size;
  let link = (up << 2) + LEFT;
  if (u16[link] !== granule) link++;
  if (u16[link] !== granule || next > endGranule() || headSize(next - 1) !== size) return 0;
  return isStart(granule) && isStart(next) ? link : 0;
}

/** Whether a node that a link of `parent` leads to names it as its parent. */
function isChild(node: number, parent: number): boolean {
  return node < endGranule() && u16[(node << 2) + UP] === (parent ^ SEAL);
}

/** Writes the size at both ends, at the last one its own number, and the parent of the node that the first one is. */
function stamp(granule: number, size: number, parent: number): void {
  const last = granule + size - 1;
  u16[granule << 2] = size;
  u16[last << 2] = size;
  u16[(last << 2) + UP] = last ^ SEAL;
  u16[(granule << 2) + UP] = parent ^ SEAL;
}

function wipe(granule: number): void {
  u16[(granule << 2) + UP] = 0;
  u16[((granule + headSize(granule)) << 2) - 1] = 0;
}

/** Makes a free block of these granules and hangs it into the tree as a leaf. What cannot be hung is left for mend. */
export function insertFree(granule: number, size: number): void {
  let more = u16[WIDTH]!;
  let left = SHORT_BITS + 1;
  let key = size;
  if (size >> SHORT_BITS !== 0) {
    left = more + 1;
    key = size + (1 << more);
  }
  let parent = 0;
  let link = ROOT;
  let node = u16[ROOT]!;
  // loop: at most keyBits
  while (node !== 0 && isChild(node, parent)) {
    left--;
    parent = node;
    link = (node << 2) + LEFT + ((key >> left) & 1);
    node = u16[link]!;
    if (left === 0) {
      key = granule;
      left = more;
      more = 0;
    }
  }
  const head = granule << 2;
  u16[head + LEFT] = 0;
  u16[head + RIGHT] = 0;
  stamp(granule, size, parent);
  if (node === 0) u16[link] = granule;
}

/** Makes the tree anew: a block is free if its last granule says its size and bears its own number. */
function mend(): void {
  u16[ROOT] = 0;
  let granule = nextStart(0);
  // loop: at most overwritten
  while (granule < endGranule()) {
    const next = nextStart(granule);
    const size = next - granule;
    if (headSize(next - 1) === size && u16[(next << 2) - 1] === ((next - 1) ^ SEAL)) insertFree(granule, size);
    granule = next;
  }
}

/**
 * Takes the free block that a link leads to out of the tree. A leaf below takes its place:
 *
 *        parent                    parent
 *          |                         |
 *        block         =>          leaf
 *        /   \                     /   \
 *      ...   ...                 ...   ...
 *        \
 *        leaf
 */
export function removeFree(link: number): void {
  const granule = u16[link]!;
  const head = granule << 2;
  let leaf = 0;
  let leafLink = 0;
  let side = link;
  let child = granule;
  // loop: at most keyBits
  do {
    leaf = child;
    leafLink = side;
    side = (child << 2) + LEFT;
    if (u16[side] === 0) side++;
    child = u16[side]!;
  } while (child !== 0 && isChild(child, leaf));
  wipe(granule);
  if (child !== 0) {
    // Wiped, the block is no free one.
    mend();
    return;
  }
  u16[leafLink] = 0;
  if (leaf === granule) return;
  const leafHead = leaf << 2;
  // loop: at most 2
  for (side = LEFT; side <= RIGHT; side++) {
    child = u16[head + side]!;
    u16[leafHead + side] = child;
    if (child !== 0 && isChild(child, granule)) u16[(child << 2) + UP] = leaf ^ SEAL;
  }
  u16[leafHead + UP] = (link >> 2) ^ SEAL;
  u16[link] = leaf;
}

/** Gives the free block that a link leads to other bounds. The root stays where it is if it can; others go out and in again. */
export function moveFree(link: number, to: number, toSize: number): void {
  if (link === ROOT && u16[ROOT] === to) {
    wipe(to);
    stamp(to, toSize, 0);
  } else {
    removeFree(link);
    insertFree(to, toSize);
  }
}

/**
 * The link to the smallest free block of at least `need` granules, the lowest of equals; 0 when there is none. BROKEN when
 * it came upon what is not believed.
 */
function search(need: number): number {
  let left = SHORT_BITS + 1;
  let key = need;
  if (need >> SHORT_BITS !== 0) {
    left = u16[WIDTH]! + 1;
    key = need + (1 << (left - 1));
  }
  let bestSize = 0x10000;
  let found = 0;
  let higher = 0;
  let parent = 0;
  let link = ROOT;
  // loop: at most searchSteps
  for (;;) {
    let node = u16[link]!;
    if (node === 0) {
      // All of the deepest right turn not taken is high enough; its lowest is on its leftmost path.
      if (higher === 0 || bestSize === need) break;
      link = higher;
      parent = link >> 2;
      node = u16[link]!;
      higher = 0;
      left = 0;
    }
    if (!isChild(node, parent)) return BROKEN;
    const size = headSize(node);
    if (size >= need && (size < bestSize || (size === bestSize && node < u16[found]!))) {
      bestSize = size;
      found = link;
    }
    parent = node;
    link = (node << 2) + LEFT;
    if (left === 0) {
      if (u16[link] === 0) link++;
    } else {
      left--;
      if (((key >> left) & 1) !== 0) link++;
      else if (u16[link + 1] !== 0) higher = link + 1;
    }
  }
  return found === 0 || linkTo(u16[found]!) === found ? found : BROKEN;
}

/** The link to the smallest free block of at least `need` granules, the lowest of equals; 0 when there is none. */
export function findFree(need: number): number {
  const link = search(need);
  if (link !== BROKEN) return link;
  mend();
  return search(need);
}

/** The link that the key of a free block leads to from the root; 0 when the path ends before it. For check alone. */
export function linkByKey(granule: number): number {
  let more = u16[WIDTH]!;
  let left = SHORT_BITS + 1;
  let key = headSize(granule);
  if (key >> SHORT_BITS !== 0) {
    left = more + 1;
    key = key + (1 << more);
  }
  let link = ROOT;
  // loop: at most keyBits
  while (u16[link] !== granule) {
    if (left === 0) {
      key = granule;
      left = more;
      more = 0;
    }
    if (left === 0 || !isChild(u16[link]!, link >> 2)) return 0;
    left--;
    link = (u16[link]! << 2) + LEFT + ((key >> left) & 1);
  }
  return link;
}
