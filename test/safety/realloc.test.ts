// A block that was overflowed and is resized: realloc refuses and names it, whether or not there would have been room; until
// it is freed, check() says 4, the kind of the fault (no invariant of a policy). A refused realloc of a whole block leaves
// nothing to say.
import { expect, test } from 'vitest';
import { createHeap } from '../../firmware/src/heap.ts';
import { policies, policyNames } from '../../firmware/src/policies/index.ts';
import { createSafeHeap } from '../../firmware/src/safety/create.ts';

const OVERFLOW = 4;
const MISUSE_CORRUPT = 3;
const ABSURD = 900_000;

test.each(policyNames)('%s: realloc finds an overflow, and free names it', (name) => {
  for (const size of [0, 8, 24, 60, 400, ABSURD]) {
    const heap = createSafeHeap(createHeap({ bytes: 8192, policy: policies[name] })!, { guardBytes: 8 })!;
    const block = heap.malloc(24);
    heap.malloc(24);
    const past = heap.locate(block) + 24;
    heap.u8[past] = heap.u8[past]! ^ 1;
    expect([size, heap.realloc(block, size)]).toEqual([size, 0]);
    const told = heap.faults()[0]!;
    expect([told.kind, told.block, told.at]).toEqual([OVERFLOW, block, past]);
    expect(heap.check()).toBe(OVERFLOW);
    expect(heap.free(block)).toBe(MISUSE_CORRUPT);
    expect(heap.check()).toBe(0);
  }
});

test.each(policyNames)('%s: a refused realloc of a whole block leaves it as it was', (name) => {
  const heap = createSafeHeap(createHeap({ bytes: 8192, policy: policies[name] })!, { guardBytes: 8 })!;
  const block = heap.malloc(24);
  expect(heap.realloc(block, ABSURD)).toBe(0);
  expect([heap.check(), heap.faults().length, heap.free(block), heap.check()]).toEqual([0, 0, 0, 0]);
});
