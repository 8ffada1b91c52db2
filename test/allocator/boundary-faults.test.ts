// Faults at the edges of what faults.test.ts does at random: in full arenas, on the lowest and the highest block, blocks
// of 0 and 1 byte, aligned ones, ones that were resized, and with a quarantine that is full. One byte each; every one is
// named with its block. HEAPGLASS_BOUNDARIES: heaps a policy (default 6).
import { beforeAll, expect, test } from 'vitest';
import { policyNames } from '../../firmware/src/policies/index.ts';
import type { SafeHeap } from '../../firmware/src/safety/safe-heap.ts';
import { type Built, builtAllocator } from './support/built.ts';
import { randomSource } from './support/random.ts';

const heaps = Number(process.env.HEAPGLASS_BOUNDARIES ?? 6);
const QUARANTINE_BLOCKS = 4;

let built: Built;
beforeAll(async () => {
  built = await builtAllocator();
});

interface Held {
  key: number;
  size: number;
}

interface World {
  heap: SafeHeap;
  live: Held[];
  /** Freed last to first; the first four are in quarantine. */
  gone: Held[];
}

/** A full arena with a block of every shape, some freed again. */
function fullHeap(policyName: string, seed: number): World {
  const random = randomSource(seed);
  const policy = built.policies[policyName as keyof Built['policies']];
  const bytes = [6144, 8192, 12288][seed % 3]!;
  const heap = built.createSafeHeap(built.createHeap({ bytes, policy }), { quarantineBlocks: QUARANTINE_BLOCKS })!;
  const live: Held[] = [];
  const keep = (key: number, size: number): void => {
    if (key !== 0) live.push({ key, size });
  };
  for (const size of [0, 1, 7, 8, 9]) keep(heap.malloc(size), size);
  for (const alignment of [16, 32, 64]) keep(heap.memalign(alignment, 20), 20);
  const shrunk = heap.malloc(90);
  keep(heap.realloc(shrunk, 12), 12);
  const grown = heap.malloc(12);
  keep(heap.realloc(grown, 90), 90);
  keep(heap.calloc(3, 11), 33);
  for (let size = 1 + random(60), key = heap.malloc(size); key !== 0; size = 1 + random(60), key = heap.malloc(size)) {
    live.push({ key, size });
  }
  const gone: Held[] = [];
  for (let i = 0; i < QUARANTINE_BLOCKS + 3; i++) {
    const [block] = live.splice(11 + random(live.length - 11), 1);
    expect(heap.free(block!.key)).toBe(0);
    gone.unshift(block!);
  }
  return { heap, live, gone };
}

/** The lowest and the highest block, those of every shape, and a few more. */
function victims({ heap, live }: World): Held[] {
  const byPlace = [...live].sort((a, b) => heap.locate(a.key) - heap.locate(b.key));
  return [...new Set([byPlace[0]!, byPlace.at(-1)!, ...live.slice(0, 11), live.at(-1)!])];
}

/** Changes one byte and looks; the byte is put back. */
function isNamed(world: World, at: number, key: number): boolean {
  const { heap } = world;
  const before = heap.u8[at]!;
  const count = heap.faultCount();
  heap.u8[at] = before ^ 0x5b;
  const found = heap.check() !== 0;
  heap.u8[at] = before;
  const named = heap.faults().slice(-Math.min(32, heap.faultCount() - count));
  if (!heap.resume()) throw new Error(`the heap does not resume after byte ${at}`);
  return found && named.some(({ block }) => block === key);
}

test.each(policyNames)('%s: every byte over an edge is named with its block', (name) => {
  const missed: string[] = [];
  let injected = 0;
  const expectNamed = (what: string, seed: number, truth: boolean): void => {
    injected++;
    if (!truth) missed.push(`seed ${seed}: ${what}`);
  };
  for (let seed = 1; seed <= heaps; seed++) {
    const world = fullHeap(name, seed);
    const { heap, live, gone } = world;
    const named = (key: number): boolean => heap.faults().at(-1)?.block === key >>> 0;
    for (const { key, size } of victims(world)) {
      const from = heap.locate(key);
      for (const distance of [0, 1, 7]) {
        const after = from + size + distance;
        if (after < heap.u8.length) {
          expectNamed(`${distance + 1} past ${size} bytes`, seed, isNamed(world, after, key));
        }
        expectNamed(`${distance + 1} before ${size} bytes`, seed, isNamed(world, from - 1 - distance, key));
      }
      // Places inside and beside a block are none of its own.
      for (const wild of [key + 8, key - 8, key + 1]) {
        if (wild === 0 || live.some((block) => block.key === wild)) continue;
        const count = heap.faultCount();
        expectNamed(
          `free of ${wild}, ${wild - key} beside a block`,
          seed,
          heap.free(wild) !== 0 && heap.faultCount() > count && named(wild),
        );
      }
    }
    for (const { key, size } of gone.slice(0, QUARANTINE_BLOCKS)) {
      const from = heap.locate(key);
      if (from === 0) continue;
      for (const at of size === 0 ? [] : [0, size - 1]) {
        expectNamed(`write to byte ${at} of ${size} freed`, seed, isNamed(world, from + at, key));
      }
    }
    for (const { key } of gone) {
      if (live.some((block) => block.key === key)) continue;
      expectNamed('a second free', seed, heap.free(key) !== 0 && named(key));
    }
    for (const wild of [-8, 8, heap.u8.length, heap.u8.length + 8, 0x7ffffff8]) {
      if (heap.usableSize(wild) !== 0) continue;
      expectNamed(`free of ${wild}`, seed, heap.free(wild) !== 0 && named(wild));
    }
    // What free finds itself: a byte past the block that it is about. The block goes with its guards.
    for (const victim of victims(world)) {
      const at = heap.locate(victim.key) + victim.size;
      heap.u8[at] = heap.u8[at]! ^ 1;
      const refused = heap.free(victim.key) !== 0;
      expectNamed(`free of ${victim.size} bytes with one past them`, seed, refused && named(victim.key));
      live.splice(live.indexOf(victim), 1);
    }
    for (const { key } of live) expect(heap.free(key)).toBe(0);
    expect(heap.check()).toBe(0);
  }
  console.info(`${name}: ${injected} faults at edges`);
  expect(missed).toEqual([]);
});
