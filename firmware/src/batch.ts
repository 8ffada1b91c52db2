/**
 * Many blocks in one call: worth it where the policy is native code, which costs more to call than to run.
 *
 *   const list = heap.malloc(4 * 32);
 *   const got = mallocMany(heap, 24, 32, list);      the offsets are heap.u32[(list >> 2) + 0 ... got - 1]
 *   freeMany(heap, got, list);
 *
 * With telemetry each block is told by itself, so a batch is as many single calls.
 */
import type { CountedHeap } from './heap.ts';
import { freeMany as freeBatch, mallocMany as mallocBatch, usableMany } from './native-batch.ts';
import { isObserving } from './telemetry/observer.ts';
import { whole } from './whole.ts';

/**
 * Allocates up to `count` blocks of `size` bytes and writes their offsets, 4 bytes each, into the block `list`. Returns
 * how many it could; 0 when the list is too short.
 */
export function mallocMany(heap: CountedHeap, size: number, count: number, list: number, site?: number): number {
  if (count <= 0 || heap.usableSize(list) < whole(count) * 4) return 0;
  if (isObserving) {
    for (let n = 0; n < count; n++) {
      const offset = heap.malloc(size, site);
      if (offset === 0) return n;
      heap.u32[(heap.locate(list) >> 2) + n] = offset;
    }
    return count;
  }
  heap.bind();
  const at = heap.locate(list);
  const got = mallocBatch(whole(size), count, at);
  heap.account(got, 0, got < count ? 1 : 0, usableMany(got, at));
  return got;
}

/** Frees the first `count` blocks of a list; stops at the first that is not a live block. Returns how many. */
export function freeMany(heap: CountedHeap, count: number, list: number, site?: number): number {
  if (count <= 0 || heap.usableSize(list) < whole(count) * 4) return 0;
  if (isObserving) {
    for (let n = 0; n < count; n++) {
      if (heap.free(heap.u32[(heap.locate(list) >> 2) + n]!, site) !== 0) return n;
    }
    return count;
  }
  heap.bind();
  const at = heap.locate(list);
  const held = usableMany(count, at);
  const freed = freeBatch(count, at);
  heap.account(0, freed, 0, usableMany(count - freed, at + freed * 4) - held);
  return freed;
}
