// createHeap: the same calls for every policy, on small cases whose answers are known.
import { describe, expect, test } from 'vitest';
import { createHeap } from '../../firmware/src/heap.ts';
import { policies, policyNames } from '../../firmware/src/policies/index.ts';
import { MISUSE_NOT_LIVE, MISUSE_WILD } from '../../firmware/src/policy.ts';

describe.each(policyNames)('%s', (name) => {
  const create = (bytes = 4096) => createHeap({ bytes, policy: policies[name] })!;

  test('gives aligned blocks that do not overlap, and takes them back', () => {
    const heap = create();
    const a = heap.malloc(10);
    const b = heap.malloc(100);
    expect([heap.locate(a) % 8, heap.locate(b) % 8]).toEqual([0, 0]);
    expect(Math.abs(heap.locate(a) - heap.locate(b))).toBeGreaterThanOrEqual(16);
    expect(heap.stats()).toMatchObject({ liveBlocks: 2, mallocs: 2 });
    expect([heap.free(a), heap.free(b)]).toEqual([0, 0]);
    expect(heap.stats()).toMatchObject({ liveBlocks: 0, liveBytes: 0, frees: 2 });
    expect(heap.check()).toBe(0);
  });

  test('an arena that is too small is no heap, and a request that is too large is 0', () => {
    expect(createHeap({ bytes: 0, policy: policies[name] })).toBeNull();
    expect(createHeap({ bytes: 8, policy: policies[name] })).toBeNull();
    const heap = create();
    for (const size of [5000, 0x7ffffff, 0x7fffffff, -1, -8]) expect(heap.malloc(size)).toBe(0);
    expect(heap.calloc(0x10000, 0x10000)).toBe(0);
    expect(heap.stats().failures).toBe(6);
    expect(heap.check()).toBe(0);
  });

  test('an arena larger than the policy can use is one of which it uses what it can', () => {
    for (const bytes of [1 << 18, 300_000, 1 << 20]) {
      const heap = createHeap({ bytes, policy: policies[name] })!;
      const large = heap.malloc(100_000);
      const small = heap.malloc(10);
      expect(Math.min(large, small), String(bytes)).toBeGreaterThan(0);
      expect([heap.check(), heap.free(large), heap.free(small), heap.check()]).toEqual([0, 0, 0, 0]);
    }
  });

  test('calloc zeroes what a freed block left', () => {
    const heap = create();
    const a = heap.malloc(64);
    heap.u8.fill(0xff, heap.locate(a), heap.locate(a) + 64);
    heap.free(a);
    const b = heap.locate(heap.calloc(8, 8));
    expect([...heap.u8.subarray(b, b + 64)]).toEqual(Array(64).fill(0));
  });

  test('realloc keeps contents, and a failed one leaves the block as it was', () => {
    const heap = create();
    let a = heap.malloc(24);
    const wall = heap.malloc(8);
    for (let i = 0; i < 24; i++) heap.u8[heap.locate(a) + i] = i + 1;
    a = heap.realloc(a, 500);
    expect([...heap.u8.subarray(heap.locate(a), heap.locate(a) + 24)]).toEqual(
      Array.from({ length: 24 }, (_, i) => i + 1),
    );
    expect(heap.realloc(a, 100_000)).toBe(0);
    a = heap.realloc(a, 5);
    expect([...heap.u8.subarray(heap.locate(a), heap.locate(a) + 5)]).toEqual([1, 2, 3, 4, 5]);
    heap.free(a);
    heap.free(wall);
    expect(heap.check()).toBe(0);
    expect(heap.stats().liveBytes).toBe(0);
  });

  test('memalign aligns; an alignment that is not a power of two gets nothing', () => {
    const heap = create(16384);
    for (const alignment of [1, 2, 4, 8, 16, 64, 256]) {
      const offset = heap.memalign(alignment, 40);
      expect(offset).toBeGreaterThan(0);
      expect(heap.locate(offset) % Math.max(8, alignment)).toBe(0);
      expect(heap.usableSize(offset)).toBeGreaterThanOrEqual(40);
      expect(heap.check()).toBe(0);
    }
    for (const alignment of [0, 3, 24, -8]) expect(heap.memalign(alignment, 0)).toBe(0);
  });

  test('misuse is a code, is counted and changes nothing', () => {
    const heap = create();
    const a = heap.malloc(40);
    const before = new Uint8Array(heap.buffer.slice(0));
    expect(heap.free(a + 4)).not.toBe(0);
    expect(heap.free(1 << 20)).toBe(MISUSE_WILD);
    expect(heap.free(-8)).toBe(MISUSE_WILD);
    expect(new Uint8Array(heap.buffer)).toEqual(before);
    expect(heap.free(a)).toBe(0);
    expect(heap.free(a)).toBe(MISUSE_NOT_LIVE);
    expect(heap.realloc(a, 10)).toBe(0);
    expect(heap.stats().misuses).toBe(5);
    expect(heap.check()).toBe(0);
  });

  test('heaps do not share anything', () => {
    const one = create();
    const two = create();
    const a = one.malloc(16);
    const b = two.malloc(16);
    one.u8[one.locate(a)] = 1;
    two.u8[two.locate(b)] = 2;
    expect(one.u8[one.locate(a)]).toBe(1);
    one.free(a);
    expect(two.stats().liveBlocks).toBe(1);
    expect(one.stats().liveBlocks).toBe(0);
  });
});

test('buddy: an aligned request of nothing lies inside its block (it lay past its end)', () => {
  const heap = createHeap({ bytes: 2048, policy: policies.buddy })!;
  for (let i = 0; i < 40; i++) heap.memalign(32, 0);
  expect(heap.check()).toBe(0);
});
