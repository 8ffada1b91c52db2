/**
 * Batches, for native code that is called from JavaScript, where the call costs more than the work: allocate n, free a
 * list. The list is n words at `list`, an offset like any other; native callers may pass the distance from the arena to
 * a buffer outside it. The native compiler puts the policy that it compiles in place of the bound one.
 */
import { u32 } from './arena.ts';
import { free, malloc, usableSize } from './bound-policy.ts';

/** Allocates `count` blocks of `size` bytes and stores their offsets. Returns how many it could. */
export function mallocMany(size: number, count: number, list: number): number {
  // loop: at most batch
  for (let n = 0; n < count; n = n + 1) {
    const offset = malloc(size);
    if (offset === 0) return n;
    u32[(list + (n << 2)) >> 2] = offset;
  }
  return count;
}

/** Frees the blocks of a list. Returns how many it could: it stops at the first that is not a live block. */
export function freeMany(count: number, list: number): number {
  // loop: at most batch
  for (let n = 0; n < count; n = n + 1) {
    if (free(u32[(list + (n << 2)) >> 2]!) !== 0) return n;
  }
  return count;
}

/** Usable bytes of the blocks of a list, those that are none left out. */
export function usableMany(count: number, list: number): number {
  let bytes = 0;
  // loop: at most batch
  for (let n = 0; n < count; n = n + 1) bytes = bytes + usableSize(u32[(list + (n << 2)) >> 2]!);
  return bytes;
}
