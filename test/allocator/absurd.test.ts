// What no program should ask: every call of every heap, with numbers that are no sizes and no blocks, and with no numbers
// at all. Nothing throws, hangs, gives a block that is too small, or touches another.
import { expect, test } from 'vitest';
import {
  createHeap,
  createRegionHeap,
  createSafeHeap,
  freeMany,
  type Heap,
  mallocMany,
} from '../../firmware/src/index.ts';
import { policyNames } from '../../firmware/src/policies/index.ts';

/** What is no whole number of 32 bits: refused wherever it stands. */
const never: unknown[] = [Number.NaN, 0.5, 1.5, -8.7, 1e-300, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  .concat([2 ** 31, 2 ** 32, 2 ** 32 + 8, 2 ** 53, 1e300])
  .concat(['8', 'x', '', undefined, null, true, {}, [8], () => 1] as never[]);
/** What is one, and still no size. */
const absurd: unknown[] = [-1, -8, -(2 ** 31), 2 ** 31 - 1, 2 ** 27, 2 ** 27 - 8, ...never];

const heaps: Record<string, (policy: (typeof policyNames)[number]) => Heap | null> = {
  bare: (policy) => createHeap({ bytes: 4096, policy }),
  safe: (policy) => createSafeHeap(createHeap({ bytes: 4096, policy })),
  regions: (policy) => createRegionHeap({ regions: [{ bytes: 4096 }, { bytes: 4096 }], policy }),
};

const cases = Object.keys(heaps).flatMap((kind) => policyNames.map((policy) => [kind, policy] as const));

test.each(cases)('%s, %s', (kind, policy) => {
  const heap = heaps[kind]!(policy);
  // Blocks of `compact` move within one arena.
  if (heap === null) return expect([kind, policy]).toEqual(['regions', 'compact']);
  const kept = [20, 100, 7].map((size) => heap.malloc(size));
  heap.free(heap.malloc(50));
  const held = () => [heap.stats().liveBlocks, ...kept.map((block) => heap.usableSize(block))];
  const before = held();
  const calls: Record<string, (value: never) => number | boolean> = {
    malloc: (value) => heap.malloc(value),
    'calloc, size': (value) => heap.calloc(4, value),
    'realloc of 0': (value) => heap.realloc(0, value),
    'realloc, size': (value) => heap.realloc(kept[1]!, value),
    'memalign, size': (value) => heap.memalign(16, value),
    'memalign, alignment': (value) => heap.memalign(value, 24),
  };
  const ofBlocks: typeof calls = {
    'realloc, block': (value) => heap.realloc(value, 24),
    usableSize: (value) => heap.usableSize(value),
    pin: (value) => {
      heap.unpin(value);
      return 0;
    },
  };
  for (const value of absurd as never[]) {
    for (const [name, call] of Object.entries(calls)) {
      // Four times a half is a size; so is what JavaScript makes a number of.
      if (name.startsWith('calloc') && [0, 2, 4, 6, 32].includes(value * 4)) continue;
      expect([name, value, call(value)]).toEqual([name, value, 0]);
    }
  }
  const wrapped = [kept[1]! + 0.5, kept[1]! + 2 ** 32, String(kept[1])];
  for (const value of [...never, ...wrapped] as never[]) {
    for (const [name, call] of Object.entries(ofBlocks)) {
      expect([name, value, call(value)]).toEqual([name, value, 0]);
    }
    expect([value, heap.free(value) > 0]).toEqual([value, true]);
  }
  expect(held()).toEqual(before);
  expect(heap.check()).toBe(0);
  for (let n = 0; n < 100; n++) heap.free(heap.malloc((n * 37) % 90));
  for (const block of kept) expect(heap.free(block)).toBe(0);
  expect(Object.values(heap.stats()).filter((count) => typeof count === 'number' && !Number.isInteger(count))).toEqual(
    [],
  );
});

test('batches', () => {
  const heap = createHeap({ bytes: 4096, policy: 'trie-fit' })!;
  const list = heap.malloc(40);
  for (const value of never as never[]) {
    expect([value, mallocMany(heap, value, 4, list), mallocMany(heap, 8, value, list)]).toEqual([value, 0, 0]);
    expect([value, freeMany(heap, value, list)]).toEqual([value, 0]);
  }
  expect([heap.check(), heap.stats().liveBlocks]).toEqual([0, 1]);
});

test('an arena of 2^32 bytes and more is none, whatever is left of the number in 32 bits', () => {
  for (const bytes of [2 ** 27, 2 ** 32 + 4096, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, -4096]) {
    expect([bytes, createHeap({ bytes })]).toEqual([bytes, null]);
  }
});
