/**
 * Batches for native code called from JavaScript, where the call costs more than the work: allocate n, free a list.
 * The list is n words at `list`, an offset like any other; native callers may pass the distance from the arena to a
 * buffer outside it. The toolchain puts the policy that is compiled in place of the one named here.
 */
import { u32 } from './arena.ts';
import { free, malloc } from './policies/segregated.ts';

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
