/**
 * First fit: the lowest free block that is large enough. Blocks and list are drawn in boundary-tags.ts.
 *
 * Bound: malloc, free and realloc visit each free block at most once; with F free blocks, F steps. Free blocks are
 * separated by live ones, so F <= live blocks + 1.
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

function find(bytes: number): number {
  const end = endBlock();
  let before = 0;
  let block = firstFree();
  // loop: at most blocks
  while (block > before && block < end) {
    if (blockBytes(block) >= bytes) return block;
    before = block;
    block = nextFree(block);
  }
  return 0;
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
