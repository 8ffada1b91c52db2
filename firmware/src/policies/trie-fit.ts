/**
 * Trie fit, the default policy: best fit with bookkeeping of one bit a granule. Blocks carry no header.
 *
 *   offset 0                          8                    first * 8                  END * 8
 *          [ W | END | root | check ] [ table of starts ] [ blocks, granules of 8 ]
 *
 *   live   [ payload .................................. ]     its size: the distance to the next start (starts.ts)
 *   free   [ size ][ left ][ right ][ up ] .. [ size ][ ][ ][ own ]   a node of the tree of free blocks (free-trie.ts)
 *
 * Placement: the smallest hole that is large enough, the lowest of equals. Requests of up to 16 bytes take the hole's
 * low end, larger ones its high end, so that small blocks gather and do not stand between the large ones. realloc
 * places anew, as if the block had been freed first, because the best hole for the new size is seldom where the block
 * is: this is what keeps string-building programs compact. It stays where it is when the size in granules is the same,
 * and when the chosen hole begins with the block itself.
 *
 * Bound: malloc 8W + 10 steps: 4W + 4 to find, 2W + 4 to take out, 2W + 2 to put the rest back. free 6W + 10: 2W + 4
 * to take out each neighbour, 2W + 2 to put the whole back. realloc 14W + 20 and a copy of the payload. free and realloc
 * also load one word for every 128 bytes of the block given. W = 14 for 64 KB, 13 below. A step is a child link followed.
 * A call that finds the tree damaged makes it anew: a visit of every block, and 2W + 2 steps for each free one. Control: 8
 * bytes and 1/64 of the arena, of which at most 512 KB are used.
 *
 * Invariants (check() returns the number)
 *   1  the table has no start below the first granule or above END, and has those two
 *   2  the root and each child link lead to a free block: its ends say the distance to the next start, and it names its parent
 *   3  each such link is the one that the block's own key leads to
 *   4  no two free blocks are neighbours (until the tree is made anew)
 */
import { u16 } from '../arena.ts';
import { moveBytes } from '../copy.ts';
import { BLOCK_FREE, BLOCK_LIVE, MISUSE_NOT_LIVE, MISUSE_WILD } from '../policy.ts';
import {
  findFree,
  headSize,
  initTrie,
  insertFree,
  LAST_GRANULE,
  linkByKey,
  linkTo,
  moveFree,
  parentOf,
  ROOT,
  removeFree,
  startBefore,
} from './free-trie.ts';
import { clearStart, endGranule, firstGranule, initStarts, isStart, nextStart, setStart } from './starts.ts';

export { locate, pin, unpin } from './in-place.ts';

/** Index in u16: the granule where check() found a violated invariant. */
const CHECK = 3;
/** Requests of up to so many granules take a hole's low end. */
const SMALL_GRANULES = 2;

export function init(arenaBytes: number): number {
  const end = initStarts(Math.min(arenaBytes, LAST_GRANULE << 3));
  if (end === 0) return 0;
  initTrie(end);
  const first = firstGranule();
  setStart(first);
  insertFree(first, end - first);
  return (end - first) << 3;
}

/** More than any hole has where the size is negative or huge: no call asks for that apart. */
function granulesFor(size: number): number {
  return size === 0 ? 1 : ((size - 1) >>> 3) + 1;
}

/** 0 when `offset` is a live block's payload, else the MISUSE_ code. No content of any payload changes the answer. */
function misuseOf(offset: number): number {
  const granule = offset >> 3;
  if ((offset & 7) !== 0 || offset >>> 3 >= endGranule()) return MISUSE_WILD;
  return isStart(granule) && (parentOf(granule) >= endGranule() || linkTo(granule) === 0) ? 0 : MISUSE_NOT_LIVE;
}

/**
 * Makes `need` granules of the hole that a link leads to live, and returns where. What is left over stays free.
 *
 *   small   [ hole ............ ]  =>  [ live ][ free ....... ]
 *   large   [ hole ............ ]  =>  [ free ....... ][ live ]
 */
function take(link: number, need: number): number {
  const hole = u16[link]!;
  const rest = headSize(hole) - need;
  if (rest === 0) {
    removeFree(link);
    return hole;
  }
  if (need <= SMALL_GRANULES) {
    setStart(hole + need);
    moveFree(link, hole + need, rest);
    return hole;
  }
  setStart(hole + rest);
  moveFree(link, hole, rest);
  return hole + rest;
}

export function malloc(size: number): number {
  const need = granulesFor(size);
  const link = findFree(need);
  return link === 0 ? 0 : take(link, need) << 3;
}

/** Takes the free block that begins at `granule`, if one does, out of the tree. Returns its size, else 0. */
function takeFreeAt(granule: number): number {
  const link = granule < endGranule() ? linkTo(granule) : 0;
  if (link === 0) return 0;
  const size = headSize(granule);
  removeFree(link);
  return size;
}

/** The same for the free block that ends before `granule`. */
function takeFreeBefore(granule: number): number {
  return takeFreeAt(startBefore(granule));
}

/** Turns a live block into free space, joined with free neighbours.
 *
 *   [ free ][ block ][ free ]  =>  [ free ................ ]
 */
function release(granule: number, size: number): void {
  const next = granule + size;
  const after = takeFreeAt(next);
  if (after !== 0) clearStart(next);
  const before = startBefore(granule);
  const link = before === granule ? 0 : linkTo(before);
  if (link === 0) {
    insertFree(granule, size + after);
  } else {
    clearStart(granule);
    moveFree(link, before, next + after - before);
  }
}

/**
 * The program break as the start of a live block that no one holds: the table, made for the whole, stays where it is.
 *
 *   [ table ][ ... ][ free ][ held back, to END ]    up: its low end is released; down: it takes the top of the free block
 */
export function moveEnd(fromBytes: number, toBytes: number): number {
  const last = endGranule();
  const from = Math.min(fromBytes >> 3, last);
  const to = Math.min(toBytes >> 3, last);
  if (to > from) {
    setStart(to);
    release(from, to - from);
    return to << 3;
  }
  const size = takeFreeBefore(from);
  if (size === 0) return fromBytes;
  const start = from - size;
  const end = Math.max(to, start);
  if (from !== last) clearStart(from);
  setStart(end);
  if (end !== start) insertFree(start, end - start);
  return end << 3;
}

export function free(offset: number): number {
  const misuse = misuseOf(offset);
  if (misuse !== 0) return misuse;
  const granule = offset >> 3;
  release(granule, nextStart(granule) - granule);
  return 0;
}

export function realloc(offset: number, size: number): number {
  if (offset === 0) return malloc(size);
  const need = granulesFor(size);
  if (misuseOf(offset) !== 0) return 0;
  const granule = offset >> 3;
  const held = nextStart(granule) - granule;
  if (need === held) return offset;

  // [ before: free ][ held: the block ][ after: free ] is one hole of `total` granules; is another one tighter?
  const next = granule + held;
  const after = takeFreeAt(next);
  const before = takeFreeBefore(granule);
  const start = granule - before;
  const total = before + held + after;
  const link = findFree(need);
  const other = u16[link]!;
  const otherSize = link === 0 ? 0x10000 : headSize(other);
  if (link === 0 && total < need) {
    if (after !== 0) insertFree(next, after);
    if (before !== 0) insertFree(start, before);
    return 0;
  }
  if (after !== 0) clearStart(next);
  if (before !== 0) clearStart(granule);
  let target = start;
  let hole = start;
  let rest = total;
  if (total < need || otherSize < total || (otherSize === total && other < start)) {
    target = take(link, need);
  } else {
    rest = total - need;
    if (before === 0 || need <= SMALL_GRANULES) {
      hole = start + need;
      setStart(hole);
    } else {
      target = start + rest;
      setStart(target);
    }
  }
  if (target !== granule) moveBytes(target << 3, offset, Math.min(need, held) << 3);
  if (rest !== 0) insertFree(hole, rest);
  return target << 3;
}

/** [ hole .................... ]  =>  [ free ][ live, aligned ][ free ] */
export function memalign(alignment: number, size: number): number {
  const need = granulesFor(size);
  if (alignment <= 0 || (alignment & (alignment - 1)) !== 0) return 0;
  if (alignment <= 8) return malloc(size);
  const step = alignment >> 3;
  const link = findFree(need + step - 1);
  if (link === 0) return 0;
  const hole = u16[link]!;
  const held = headSize(hole);
  removeFree(link);
  const target = (hole + step - 1) & ~(step - 1);
  const after = hole + held - target - need;
  if (target !== hole) {
    setStart(target);
    insertFree(hole, target - hole);
  }
  if (after !== 0) {
    setStart(target + need);
    insertFree(target + need, after);
  }
  return target << 3;
}

export function usableSize(offset: number): number {
  if (misuseOf(offset) !== 0) return 0;
  return (nextStart(offset >> 3) << 3) - offset;
}

export function firstBlock(): number {
  return nextStart(0) << 3;
}

export function nextBlock(block: number): number {
  const next = nextStart(block >> 3);
  return next === endGranule() ? 0 : next << 3;
}

export function blockKind(block: number): number {
  return linkTo(block >> 3) === 0 ? BLOCK_LIVE : BLOCK_FREE;
}

export function blockPayload(block: number): number {
  return block;
}

function violated(invariant: number, granule: number): number {
  u16[CHECK] = granule;
  return invariant;
}

/** The invariant that the block a link leads to violates, 0 when none. */
function checkLink(link: number): number {
  const node = u16[link]!;
  if (node === 0) return 0;
  if (node >= endGranule() || linkTo(node) !== link || headSize(node) !== nextStart(node) - node)
    return violated(2, link >> 2);
  return linkByKey(node) === link ? 0 : violated(3, node);
}

export function check(): number {
  const end = endGranule();
  const first = firstGranule();
  if (nextStart(0) !== first || isStart(0) || !isStart(end)) return violated(1, first);
  for (let beyond = end + 1; (beyond & 15) !== 0; beyond++) if (isStart(beyond)) return violated(1, end);
  let wrong = checkLink(ROOT);
  if (wrong !== 0) return wrong;
  let previousFree = false;
  for (let granule = first; granule < end; granule = nextStart(granule)) {
    const free = linkTo(granule) !== 0;
    if (free) {
      if (previousFree) return violated(4, granule);
      wrong = checkLink((granule << 2) + 1);
      if (wrong === 0) wrong = checkLink((granule << 2) + 2);
      if (wrong !== 0) return wrong;
    }
    previousFree = free;
  }
  return 0;
}

export function checkOffset(): number {
  return u16[CHECK]! << 3;
}
