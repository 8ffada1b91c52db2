// Safe heaps over several regions: what is said of one arena holds in each region, and for blocks of pages.
// HEAPGLASS_FAULTS: faults a policy; HEAPGLASS_OPS: operations a policy and shape of heap.
import { beforeAll, describe, expect, test } from 'vitest';
import { policies, policyNames } from '../../firmware/src/policies/index.ts';
import { MISUSE_CORRUPT, MISUSE_NOT_LIVE, MISUSE_WILD } from '../../firmware/src/policy.ts';
import { createRegionHeap, type RegionOptions } from '../../firmware/src/regions/region-heap.ts';
import { createSafeHeap, type SafeRegionHeap } from '../../firmware/src/safety/create.ts';
import {
  FAULT_BOOKKEEPING,
  FAULT_DOUBLE_FREE,
  FAULT_OVERFLOW,
  FAULT_UNDERFLOW,
  FAULT_USE_AFTER_FREE,
  FAULT_WILD_FREE,
} from '../../firmware/src/safety/faults.ts';
import type { SafetyOptions } from '../../firmware/src/safety/safe-heap.ts';
import { faultNames, injectFaults } from '../allocator/faults.ts';
import { type Built, builtAllocator } from '../allocator/support/built.ts';
import { randomSource } from '../allocator/support/random.ts';

const faults = Number(process.env.HEAPGLASS_FAULTS ?? 2_000);
const operations = Number(process.env.HEAPGLASS_OPS ?? 1_500);
const seed = Number(process.env.HEAPGLASS_SEED ?? 20261123);
const names = policyNames.filter((name) => name !== 'compact');
const regions: RegionOptions[] = [{ bytes: 2048 }, { bytes: 2048 }, { bytes: 8192, large: true }];

const create = (options?: SafetyOptions, policy = policies['trie-fit']): SafeRegionHeap =>
  createSafeHeap(createRegionHeap({ regions, policy, largeFrom: 600 }), options)!;

/** Fills the first region, so that the block comes from the second. */
function inSecond(heap: SafeRegionHeap, size: number): number {
  for (;;) {
    const block = heap.malloc(size, 7);
    if (block === 0) throw new Error('no room');
    if (heap.regionOf(block) === 1) return block;
  }
}

const write = (heap: SafeRegionHeap, block: number, distance: number, value = 1): void => {
  heap.bytesOf(block)[heap.placeOf(block) + distance] = value;
};

const places: [string, (heap: SafeRegionHeap) => { block: number; size: number }][] = [
  ['first region', (heap) => ({ block: heap.malloc(20, 7), size: 20 })],
  ['second region', (heap) => ({ block: inSecond(heap, 20), size: 20 })],
  ['pages', (heap) => ({ block: heap.malloc(700, 7), size: 700 })],
];

describe.each(places)('a block of the %s', (_, place) => {
  test('overflow is named at free with its site and place', () => {
    const heap = create();
    const { block, size } = place(heap);
    write(heap, block, size);
    expect(heap.free(block)).toBe(MISUSE_CORRUPT);
    expect(heap.faults()).toEqual([{ kind: FAULT_OVERFLOW, block, site: 7, size, at: block + size }]);
  });

  test('underflow is named by check', () => {
    const heap = create();
    const { block, size } = place(heap);
    write(heap, block, -1);
    expect(heap.check()).toBe(FAULT_UNDERFLOW);
    expect(heap.faults()).toEqual([{ kind: FAULT_UNDERFLOW, block, site: 7, size, at: block - 1 }]);
  });

  test('double free and wild free are refused at once', () => {
    const heap = create();
    const { block } = place(heap);
    expect(heap.free(block)).toBe(0);
    expect(heap.free(block)).toBe(MISUSE_NOT_LIVE);
    expect(heap.free(block + 8)).toBe(MISUSE_NOT_LIVE);
    expect(heap.free(heap.bytes + 8)).toBe(MISUSE_WILD);
    expect(heap.faults().map(({ kind }) => kind)).toEqual([FAULT_DOUBLE_FREE, FAULT_WILD_FREE, FAULT_WILD_FREE]);
  });

  test('use after free is named by check, with the block', () => {
    const heap = create();
    const { block } = place(heap);
    heap.free(block);
    write(heap, block, 3);
    expect(heap.check()).toBe(FAULT_USE_AFTER_FREE);
    expect(heap.faults()[0]).toMatchObject({ block, at: block + 3 });
  });
});

test('an underflow of the first byte of a region is named', () => {
  // Pages without a header begin with the region.
  const heap = create({}, policies.buddy);
  const live: number[] = [];
  for (let block = heap.malloc(700); block !== 0; block = heap.malloc(700)) live.push(block);
  const first = live.filter((block) => heap.regionOf(block) === 2).toSorted((a, b) => a - b)[0]!;
  const place = heap.placeOf(first);
  heap.bytesOf(first)[place - 8] = 0;
  expect(heap.check()).toBe(FAULT_UNDERFLOW);
  expect(heap.faults()[0]).toMatchObject({ block: first, at: first - 8 });
});

test('damaged bookkeeping of the second region stops the heap', () => {
  const heap = create({}, policies['first-fit']);
  const block = inSecond(heap, 20);
  heap.bytesOf(block).fill(0x33, heap.placeOf(block) - 16, heap.placeOf(block) - 8);
  expect(heap.malloc(8)).toBe(0);
  expect(heap.damaged()).toBe(true);
  expect(heap.faults()[0]!.kind).toBe(FAULT_BOOKKEEPING);
  expect(heap.trim(0)).toBe(0);
});

test('contents go along from the arena to pages and back', () => {
  const heap = create();
  const small = heap.malloc(100);
  heap.bytesOf(small).fill(0x5a, heap.placeOf(small), heap.placeOf(small) + 100);
  const large = heap.realloc(small, 900);
  expect(heap.regionOf(large)).toBe(2);
  const back = heap.realloc(large, 90);
  expect(heap.regionOf(back)).toBe(0);
  expect([...heap.bytesOf(back).subarray(heap.placeOf(back), heap.placeOf(back) + 90)]).toEqual(Array(90).fill(0x5a));
  expect(heap.check()).toBe(0);
  const zeroed = heap.calloc(10, 80);
  expect(heap.regionOf(zeroed)).toBe(2);
  expect(
    heap
      .bytesOf(zeroed)
      .subarray(heap.placeOf(zeroed), heap.placeOf(zeroed) + 800)
      .every((v) => v === 0),
  ).toBe(true);
});

test('a freed large block holds its pages in quarantine; they are given back when memory is asked for, and by trim', () => {
  const heap = create();
  const blocks = Array.from({ length: 5 }, () => heap.malloc(1400));
  const held = heap.regionStats(2).largeBytes;
  for (const block of blocks) expect(heap.free(block)).toBe(0);
  expect(heap.regionStats(2).largeBytes).toBe(held);
  expect(heap.malloc(7000)).toBeGreaterThan(0);
  const small = heap.malloc(300);
  heap.free(small);
  const before = heap.regionStats(0).breakBytes;
  expect(heap.trim(0)).toBeGreaterThan(0);
  expect(heap.regionStats(0).breakBytes).toBeLessThan(before - 300);
});

test('the post-mortem counts what lies beyond breaks, and holes end with their region', () => {
  const heap = createSafeHeap(
    createRegionHeap({
      regions: [{ bytes: 1024 }, { bytes: 1024, large: true }, { bytes: 1024, large: true }],
      policy: policies.tlsf,
      largeFrom: 500,
    }),
  )!;
  expect(heap.malloc(1100, 9)).toBe(0);
  const { largestFreeBytes, freeBytes, holes } = heap.postMortem()!;
  expect(freeBytes).toBeGreaterThan(2000);
  expect(largestFreeBytes).toBeLessThanOrEqual(1024);
  expect(holes.length).toBe(3);
});

test('accounts cover all regions', () => {
  const heap = create();
  heap.malloc(10, 1);
  heap.setOwner(2);
  heap.malloc(1000, 1);
  expect(heap.bySite(1)).toEqual({ liveBlocks: 2, liveBytes: 1010, mallocs: 2 });
  expect(heap.byOwner(2)).toEqual({ liveBlocks: 1, liveBytes: 1000, mallocs: 1 });
});

interface Block {
  key: number;
  size: number;
  fill: number;
}

const payload = (heap: SafeRegionHeap, { key, size }: Block): Uint8Array =>
  heap.bytesOf(key).subarray(heap.placeOf(key), heap.placeOf(key) + size);

describe.each(names)(`%s: random operations without a fault find none (seed ${seed})`, (name) => {
  test.each([0, 3, 16])('%i blocks in quarantine', (quarantineBlocks) => {
    const heap = create({ quarantineBlocks, verify: quarantineBlocks === 3 }, policies[name]);
    const random = randomSource(seed + quarantineBlocks);
    const live: Block[] = [];
    let given = 0;
    const give = (key: number, size: number, alignment = 8): void => {
      if (key === 0) return;
      given++;
      expect(key % alignment).toBe(0);
      expect(heap.regionOf(key)).toBe(heap.regionOf(key + Math.max(0, size - 1)));
      const block = { key, size, fill: random(256) };
      payload(heap, block).fill(block.fill);
      live.push(block);
    };
    for (let n = 0; n < operations; n++) {
      const size = random(10) === 0 ? 300 + random(1500) : random(120);
      const dice = random(10);
      const at = random(live.length + 1);
      const block = live[at];
      if (dice < 4 || !block) give(heap.malloc(size), size);
      else if (dice === 4) {
        const alignment = 8 << random(4);
        give(heap.memalign(alignment, size), size, alignment);
      } else if (dice === 5) {
        const key = heap.realloc(block.key, size);
        if (key === 0) continue;
        live.splice(at, 1);
        const kept = payload(heap, { key, size: Math.min(size, block.size), fill: 0 });
        if (!kept.every((byte) => byte === block.fill)) throw new Error(`contents of ${block.key} are lost at ${key}`);
        give(key, size);
      } else if (dice === 6 && random(20) === 0) heap.trim(random(2) * random(400));
      else {
        if (!payload(heap, block).every((byte) => byte === block.fill))
          throw new Error(`${block.key} was written over`);
        expect(heap.free(block.key)).toBe(0);
        live.splice(at, 1);
      }
      if (n % 50 === 0) expect(heap.check(), JSON.stringify(heap.faults())).toBe(0);
    }
    expect(given).toBeGreaterThan(operations / 5);
    for (const { key } of live) expect(heap.free(key)).toBe(0);
    heap.trim(0);
    expect(heap.check()).toBe(0);
    expect(heap.faultCount()).toBe(0);
    expect(heap.regionStats(2).largeBytes).toBe(0);
  });
});

let built: Built;
beforeAll(async () => {
  built = await builtAllocator();
});

test.each(names)(
  '%s: every injected fault is found',
  (name) => {
    const counts = injectFaults(built, name, seed, faults, 'regions');
    const missed = [...counts].filter(([, { injected, found, harmless }]) => found + harmless !== injected);
    const text = faultNames.map((fault) => {
      const { injected, found, harmless } = counts.get(fault)!;
      return `${fault} ${found}/${injected}${harmless > 0 ? ` (${harmless} harmless)` : ''}`;
    });
    process.stdout.write(`regions, ${name}: ${text.join(', ')}\n`);
    expect(missed).toEqual([]);
    for (const { injected } of counts.values()) expect(injected).toBeGreaterThan(faults / 100);
  },
  300_000,
);
