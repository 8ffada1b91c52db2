/**
 * Next fit: the search starts where the last one ended (the rover) and wraps around. Blocks and list are drawn in
 * boundary-tags.ts.
 *
 * Bound: malloc visits each free block at most once, F steps for F free blocks; on a heap with room it visits few.
 */
import {
  alignWithin,
  blockBytes,
  blockBytesFor,
  endBlock,
  firstFree,
  misuseOf,
  moveTo,
  nextFree,
  resizeInPlace,
  rover,
  setRover,
  sizeToAlign,
  take,
} from './boundary-tags.ts';

export {
  blockKind,
  blockPayload,
  check,
  checkOffset,
  firstBlock,
  free,
  init,
  moveEnd,
  nextBlock,
  usableSize,
} from './boundary-tags.ts';

export { locate, pin, unpin } from './in-place.ts';

/** The first block from `from` up to `to` that is large enough, 0 when there is none. */
function findBetween(from: number, to: number, bytes: number): number {
  let before = 0;
  let block = from;
  // loop: at most blocks
  while (block > before && block < to) {
    if (blockBytes(block) >= bytes) return block;
    before = block;
    block = nextFree(block);
  }
  return 0;
}

function find(bytes: number): number {
  const start = rover();
  let block = findBetween(start, endBlock(), bytes);
  if (block === 0) block = findBetween(firstFree(), start === 0 ? endBlock() : start, bytes);
  if (block !== 0) setRover(block);
  return block;
}

export function malloc(size: number): number {
  const bytes = blockBytesFor(size);
  if (bytes === 0) return 0;
  const block = find(bytes);
  return block === 0 ? 0 : take(block, bytes);
}

export function realloc(offset: number, size: number): number {
  if (offset === 0) return malloc(size);
  const bytes = blockBytesFor(size);
  if (bytes === 0 || misuseOf(offset) !== 0) return 0;
  if (resizeInPlace(offset, bytes)) return offset;
  const to = malloc(size);
  if (to !== 0) moveTo(to, offset);
  return to;
}

export function memalign(alignment: number, size: number): number {
  const ask = sizeToAlign(alignment, size);
  if (ask === 0) return 0;
  const offset = malloc(ask);
  return offset === 0 || alignment <= 8 ? offset : alignWithin(offset, alignment, blockBytesFor(size));
}
