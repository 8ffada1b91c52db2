/**
 * Best fit: the smallest free block that is large enough, the lowest of equals. Blocks and list are drawn in
 * boundary-tags.ts.
 *
 * Bound: malloc visits every free block unless one fits exactly; F steps for F free blocks, as in first-fit.
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
  let best = 0;
  let bestBytes = 0;
  // loop: at most blocks
  while (block > before && block < end) {
    const held = blockBytes(block);
    if (held === bytes) return block;
    if (held > bytes && (best === 0 || held < bestBytes)) {
      best = block;
      bestBytes = held;
    }
    before = block;
    block = nextFree(block);
  }
  return best;
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
