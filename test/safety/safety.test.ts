// The safe heap's answers one by one: what each fault is called, accounts, the post-mortem, and what it costs.
import { expect, test } from 'vitest';
import { createHeap } from '../../firmware/src/heap.ts';
import { type PolicyName, policies } from '../../firmware/src/policies/index.ts';
import { MISUSE_CORRUPT, MISUSE_NOT_LIVE, MISUSE_WILD } from '../../firmware/src/policy.ts';
import {
  FAULT_BOOKKEEPING,
  FAULT_DOUBLE_FREE,
  FAULT_OVERFLOW,
  FAULT_UNDERFLOW,
  FAULT_USE_AFTER_FREE,
  FAULT_WILD_FREE,
} from '../../firmware/src/safety/faults.ts';
import type { SafetyOptions } from '../../firmware/src/safety/safe-heap.ts';
import { createSafeHeap } from '../../firmware/src/safety/safety.ts';

const create = (options?: SafetyOptions, policy = policies['trie-fit']) =>
  createSafeHeap(createHeap({ bytes: 4096, policy }), options)!;

test('an overflow is named at free with its site and place', () => {
  const heap = create();
  const a = heap.malloc(20, 7);
  heap.u8[a + 20] = 1;
  expect(heap.free(a)).toBe(MISUSE_CORRUPT);
  expect(heap.faults()).toEqual([{ kind: FAULT_OVERFLOW, block: a, site: 7, size: 20, at: a + 20 }]);
});

test('an underflow is named by check', () => {
  const heap = create();
  const a = heap.malloc(20, 7);
  heap.u8[a - 1] = 0;
  expect(heap.check()).toBe(FAULT_UNDERFLOW);
  expect(heap.faults()[0]).toMatchObject({ kind: FAULT_UNDERFLOW, block: a, at: a - 1 });
});

test('double and wild free are refused at once', () => {
  const heap = create();
  const a = heap.malloc(20, 7);
  expect(heap.free(a)).toBe(0);
  expect(heap.free(a)).toBe(MISUSE_NOT_LIVE);
  expect(heap.free(a + 8)).toBe(MISUSE_NOT_LIVE);
  expect(heap.free(5000)).toBe(MISUSE_WILD);
  expect(heap.faults().map(({ kind }) => kind)).toEqual([FAULT_DOUBLE_FREE, FAULT_WILD_FREE, FAULT_WILD_FREE]);
});

test('a write after free is found in quarantine, and when the block leaves it', () => {
  const heap = create({ quarantineBlocks: 1 });
  const a = heap.malloc(20, 7);
  heap.free(a);
  heap.u8[a + 3] = 1;
  heap.free(heap.malloc(20));
  expect(heap.faults()).toMatchObject([{ kind: FAULT_USE_AFTER_FREE, block: a, at: a + 3 }]);
});

test('damaged bookkeeping stops the heap until it is sound again', () => {
  const heap = create({}, policies['first-fit']);
  const a = heap.malloc(20);
  const b = heap.malloc(20);
  const image = heap.u8.slice();
  heap.u8.fill(0x33, b - 12, b - 8);
  expect(heap.malloc(8)).toBe(0);
  expect(heap.free(a)).toBe(MISUSE_CORRUPT);
  expect(heap.damaged()).toBe(true);
  expect(heap.faults()[0]!.kind).toBe(FAULT_BOOKKEEPING);
  heap.u8.set(image);
  expect(heap.resume()).toBe(true);
  expect(heap.free(a)).toBe(0);
});

test('quarantined memory is given when there is no other', () => {
  const heap = create({ quarantineBlocks: 100 });
  for (let i = 0; i < 100; i++) expect(heap.free(heap.malloc(1000))).toBe(0);
});

test('calloc of a size that overflows, absurd sizes and size 0', () => {
  const heap = create();
  expect(heap.calloc(0x10000, 0x10000)).toBe(0);
  expect(heap.malloc(-1)).toBe(0);
  expect(heap.malloc(1 << 28)).toBe(0);
  const nothing = heap.malloc(0);
  expect(nothing).toBeGreaterThan(0);
  heap.u8[nothing] = 1;
  expect(heap.check()).toBe(FAULT_OVERFLOW);
});

test('accounts by site and by owner', () => {
  const heap = create();
  heap.malloc(10, 1);
  heap.setOwner(3);
  const b = heap.malloc(20, 1);
  heap.malloc(30, 2);
  expect(heap.bySite(1)).toEqual({ liveBlocks: 2, liveBytes: 30, mallocs: 2 });
  expect(heap.byOwner(3)).toEqual({ liveBlocks: 2, liveBytes: 50, mallocs: 2 });
  heap.free(b);
  expect(heap.byOwner(3)).toEqual({ liveBlocks: 1, liveBytes: 30, mallocs: 2 });
});

test('the post-mortem says what was asked, what was free, what came before and who pins the holes', () => {
  const heap = create({ quarantineBlocks: 0 });
  const blocks = Array.from({ length: 6 }, (_, i) => heap.malloc(500, 10 + i));
  for (const i of [1, 3]) heap.free(blocks[i]!);
  expect(heap.postMortem()).toBeNull();
  expect(heap.malloc(900, 99)).toBe(0);
  const report = heap.postMortem()!;
  expect(report).toMatchObject({ sizeBytes: 900, site: 99 });
  expect(report.largestFreeBytes).toBeGreaterThanOrEqual(516);
  expect(report.freeBytes).toBeGreaterThanOrEqual(2 * 516);
  expect(report.lastOperations.at(-1)).toEqual({ kind: 'malloc', value: 900, site: 99 });
  expect(report.lastOperations.at(-2)).toMatchObject({ kind: 'free', value: blocks[3] });
  expect(report.holes.length).toBeGreaterThanOrEqual(2);
  expect(report.holes.map(({ site }) => site).filter((site) => site >= 10 && site <= 15).length).toBeGreaterThan(0);
});

test('with safety off, no write past a payload reaches the bookkeeping outside the blocks', () => {
  const heap = createHeap({ bytes: 2048, policy: policies['trie-fit'] })!;
  const live: number[] = [];
  for (let offset = heap.malloc(24); offset !== 0; offset = heap.malloc(24)) live.push(offset);
  const table = heap.u8.slice(0, heap.policy.firstBlock());
  for (const offset of live) {
    const end = offset + heap.usableSize(offset);
    heap.u8.fill(0x5a, end, end + 64);
    expect(heap.u8.slice(0, table.length)).toEqual(table);
  }
  expect(heap.check()).toBe(0);
  for (const offset of live) expect(heap.free(offset)).toBe(0);
  expect(heap.check()).toBe(0);
  expect(heap.stats().freeBlocks).toBe(1);
});

/** A heap with live blocks and holes, and a write of up to 64 bytes past one live payload. Deterministic for a seed. */
function overflowedHeap(name: PolicyName, seed: number) {
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % below;
  };
  const heap = createHeap({ bytes: 4096, policy: policies[name] })!;
  const live: number[] = [];
  for (let i = 0; i < 60; i++) {
    const block = heap.malloc(8 + random(80));
    if (block !== 0) live.push(block);
  }
  for (const block of live.filter(() => random(3) === 0)) {
    heap.free(block);
    live.splice(live.indexOf(block), 1);
  }
  const below = heap.u8.slice(0, heap.policy.firstBlock());
  const victim = live[random(live.length)]!;
  const end = victim + heap.usableSize(victim);
  for (let at = end; at < Math.min(4096, end + 1 + random(64)); at++) heap.u8[at] = random(256);
  return { heap, live, below, random };
}

test.each(['trie-fit', 'buddy', 'percore', 'slab'] as const)(
  '%s, safety off: no write past a payload changes what is kept below the blocks, holes or not',
  (name) => {
    for (let seed = 1; seed <= 500; seed++) {
      const { heap, live, below } = overflowedHeap(name, seed);
      expect(heap.u8.slice(0, below.length), `seed ${seed}`).toEqual(below);
      for (const block of live) expect(heap.usableSize(block), `seed ${seed}`).toBeGreaterThan(0);
    }
  },
);

test('slab, safety off: after a write past a payload it goes on as if nothing had been', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const { heap, live, random } = overflowedHeap('slab', seed);
    const held = new Map(live.map((block) => [block, heap.usableSize(block)]));
    for (let i = 0; i < 200; i++) {
      if (random(2) === 0 && held.size > 0) {
        const block = [...held.keys()][random(held.size)]!;
        expect(heap.free(block), `seed ${seed}`).toBe(0);
        held.delete(block);
        continue;
      }
      const block = heap.malloc(8 + random(80));
      if (block === 0) continue;
      const usable = heap.usableSize(block);
      for (const [other, bytes] of held)
        expect(block + usable <= other || other + bytes <= block, `seed ${seed}`).toBe(true);
      held.set(block, usable);
    }
    expect(heap.check(), `seed ${seed}`).toBe(0);
  }
});
