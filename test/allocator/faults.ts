/**
 * Injected faults on a safe heap, one at a time. Each is found, or proved to have changed nothing, or counted as missed.
 *
 * After each fault the arena is put back as it was and the heap resumes; the program around it goes on allocating, so
 * that faults meet full, empty and fragmented heaps.
 */

import type { PolicyName } from '../../firmware/src/policies/index.ts';
import { BLOCK_LIVE } from '../../firmware/src/policy.ts';
import type { RegionOptions } from '../../firmware/src/regions/region-heap.ts';
import type { SafeRegionHeap } from '../../firmware/src/safety/create.ts';
import type { SafeHeap } from '../../firmware/src/safety/safe-heap.ts';
import type { Built } from './support/built.ts';
import { randomSource } from './support/random.ts';

export const faultNames = [
  'double free',
  'wild free',
  'overflow 1..8',
  'overflow 9..64',
  'underflow 1..8',
  'underflow 9..64',
  'write after free',
  'bookkeeping',
] as const;
export type FaultName = (typeof faultNames)[number];

export interface FaultCount {
  injected: number;
  /** Found and named with its block; for bookkeeping, found. */
  found: number;
  /** Bytes that no one reads: the heap's answers afterwards were the same as without the fault. */
  harmless: number;
}

interface Held {
  key: number;
  size: number;
}

/** What faults are injected into: a safe heap, and the memory it lies in. */
interface Subject {
  heap: SafeHeap;
  /** Its arena, or its regions in the order of their offsets. */
  memory: Uint8Array[];
  /** One in so many requests is for a large block, of 600 to 1500 bytes; 0: none. */
  largeOneIn: number;
}

const ARENA_BYTES = 8192;
/** Two banks, and a region for large blocks. The first is a multiple of every alignment. */
const faultRegions: readonly RegionOptions[] = [{ bytes: 4096 }, { bytes: 2048 }, { bytes: 4096, large: true }];
const LARGE_FROM = 600;
/** Offset of the word in an arena (boundary-tags.ts). */
const NEXT_FIT_ROVER = 8;
const safety = { quarantineBlocks: 12 };

function arenaSubject(built: Built, name: PolicyName): Subject {
  const policy = built.policies[name];
  const heap = built.createSafeHeap(built.createHeap({ bytes: ARENA_BYTES, policy }), safety)!;
  return { heap, memory: [heap.u8], largeOneIn: 0 };
}

function regionSubject(built: Built, name: PolicyName): Subject {
  const policy = built.policies[name];
  const regions = built.createRegionHeap({ regions: [...faultRegions], policy, largeFrom: LARGE_FROM });
  const heap: SafeRegionHeap = built.createSafeHeap(regions, safety)!;
  const memory = faultRegions.map((_, region) => heap.bytesOf(heap.regionStats(region).baseOffset));
  return { heap, memory, largeOneIn: 8 };
}

/** The bytes that hold an offset, and its index in them. */
function placeOf(memory: readonly Uint8Array[], offset: number): { bytes: Uint8Array; at: number } {
  let at = offset;
  for (const bytes of memory) {
    if (at < bytes.length) return { bytes, at };
    at -= bytes.length;
  }
  throw new Error(`${offset} is in no region`);
}

const copyOf = (memory: readonly Uint8Array[]): Uint8Array[] => memory.map((bytes) => bytes.slice());
const restore = (memory: readonly Uint8Array[], from: readonly Uint8Array[]): void =>
  memory.forEach((bytes, i) => {
    bytes.set(from[i]!);
  });
const bytesIn = (memory: readonly Uint8Array[]): number => memory.reduce((sum, { length }) => sum + length, 0);

/** Injects `count` faults of all kinds in turn into heaps of one arena, or of several regions. */
export function injectFaults(
  built: Built,
  policyName: string,
  seed: number,
  count: number,
  shape: 'arena' | 'regions' = 'arena',
): Map<FaultName, FaultCount> {
  const random = randomSource(seed);
  const counts = new Map(faultNames.map((name) => [name, { injected: 0, found: 0, harmless: 0 }]));
  const name = policyName as PolicyName;
  const create = shape === 'regions' ? regionSubject : arenaSubject;
  let subject: Subject | null = null;
  let held: Held[] = [];
  let gone: Held[] = [];
  let sinceFresh = 0;

  const free = (): void => {
    const [block] = held.splice(random(held.length), 1);
    if (subject!.heap.free(block!.key) !== 0) throw new Error(`${policyName}: a sound block is refused`);
    gone.push(block!);
    if (gone.length > 8) gone.shift();
  };

  for (let n = 0; n < count; n++) {
    if (!subject || sinceFresh++ === 2000) {
      subject = create(built, name);
      held = [];
      gone = [];
      sinceFresh = 0;
    }
    const { heap, memory, largeOneIn } = subject;
    // A few operations between two faults.
    for (let i = 0; i < 2 || held.length < 3; i++) {
      if (held.length < 14 && (held.length < 3 || random(2) === 0)) {
        const isLarge = largeOneIn !== 0 && random(largeOneIn) === 0;
        const size = isLarge ? LARGE_FROM + random(900) : 1 + random(90);
        const key = heap.malloc(size, 1 + random(20));
        if (key === 0) free();
        else held.push({ key, size });
      } else {
        free();
      }
    }
    const fault = faultNames[n % faultNames.length]!;
    const tally = counts.get(fault)!;
    const image = copyOf(memory);
    const before = heap.faultCount();
    const victim = held[random(held.length)]!;
    const outcome = inject(built, name, subject, fault, victim, gone, random);
    if (outcome === 'none') continue;
    tally.injected++;
    const named = heap.faults().slice(-Math.min(32, heap.faultCount() - before));
    if (outcome === 'harmless') tally.harmless++;
    else if (named.length > 0 && (outcome === 0 || named.some(({ block }) => block === outcome))) tally.found++;
    if (heap.usableSize(victim.key) === 0) {
      // Freed and named: the damage was the guards' alone and left with the block.
      held.splice(held.indexOf(victim), 1);
      continue;
    }
    restore(memory, image);
    if (!heap.resume()) throw new Error(`${policyName}: the heap does not resume after ${fault}`);
  }
  return counts;
}

/** Does one fault and the check that must find it. Returns the block to be named, 0 for any, or that nothing was done. */
function inject(
  built: Built,
  policyName: PolicyName,
  { heap, memory }: Subject,
  name: FaultName,
  victim: Held,
  gone: readonly Held[],
  random: (below: number) => number,
): number | 'none' | 'harmless' {
  const payload = heap.locate(victim.key);
  /** Bytes `distance` away from a payload; a write beyond its region ends with the region. */
  const scribble = (of: number, distance: number, count: number, step: number): void => {
    const { bytes, at: place } = placeOf(memory, of);
    for (let i = 0; i < count; i++) {
      const at = place + distance + i * step;
      // A program's stray bytes; never the guard's own, which would be no change.
      if (at >= 0 && at < bytes.length) bytes[at] = (bytes[at]! + 1 + random(200)) & 0xff;
    }
  };
  switch (name) {
    case 'double free': {
      const block = gone[random(gone.length)];
      if (!block || heap.usableSize(block.key) !== 0) return 'none';
      heap.free(block.key);
      return block.key;
    }
    case 'wild free': {
      const key = random(bytesIn(memory) + 256) - 64;
      if (heap.usableSize(key) !== 0 || key === 0) return 'none';
      heap.free(key);
      return key >>> 0;
    }
    case 'overflow 1..8':
    case 'overflow 9..64':
      scribble(payload, victim.size, name === 'overflow 1..8' ? 1 + random(8) : 9 + random(56), 1);
      break;
    case 'underflow 1..8':
    case 'underflow 9..64':
      scribble(payload, -1, name === 'underflow 1..8' ? 1 + random(8) : 9 + random(56), -1);
      break;
    case 'write after free': {
      const block = gone.at(-1 - random(Math.min(8, gone.length)));
      const at = block ? heap.locate(block.key) : 0;
      if (!block || at === 0 || heap.usableSize(block.key) !== 0) return 'none';
      scribble(at, random(block.size), 1, 1);
      heap.check();
      return block.key;
    }
    case 'bookkeeping': {
      const { bytes, at } = placeOf(memory, random(bytesIn(memory) >> 2) << 2);
      const sound = copyOf(memory);
      for (let i = 0; i < 1 + random(4); i++) bytes[at + i] = random(256);
      if (memory.every((now, i) => now.every((byte, j) => byte === sound[i]![j]))) return 'none';
      const found = heap.check() !== 0;
      return found || !changesAnswers(built, policyName, memory, sound) ? (found ? 0 : 'harmless') : -1;
    }
  }
  // What stays within the guards is found by the block's free or by check(), the rest by check().
  if (name.endsWith('1..8') && random(2) === 0) heap.free(victim.key);
  else heap.check();
  return victim.key;
}

/**
 * Whether live blocks or the next answers differ with the damage: bytes of payloads and of free space do not matter. Asked
 * of the policy on copies of each arena. What a heap of regions keeps besides lies in none of them.
 */
function changesAnswers(
  built: Built,
  policyName: PolicyName,
  damaged: readonly Uint8Array[],
  sound: readonly Uint8Array[],
): boolean {
  const policy = built.policies[policyName];
  const answers = (memory: readonly Uint8Array[]): string => {
    const list: number[] = [];
    memory.forEach((bytes, region) => {
      if (memory.length > 1 && faultRegions[region]!.large) return;
      const copy = bytes.slice();
      // Where next-fit goes on searching is a hint, and a damaged one that reads as none is as good as none.
      if (policyName === 'next-fit') copy.fill(0, NEXT_FIT_ROVER, NEXT_FIT_ROVER + 4);
      built.bindArena(copy.buffer);
      for (let block = policy.firstBlock(), steps = 0; block !== 0 && steps < 5000; block = policy.nextBlock(block)) {
        // Where free space is cut does not matter: two dead blocks may as well be one.
        if (policy.blockKind(block) === BLOCK_LIVE) list.push(block);
        steps++;
      }
      for (const size of [8, 40, 200, 1000]) list.push(policy.malloc(size));
    });
    built.unbindHeap();
    return list.join();
  };
  return answers(damaged) !== answers(sound);
}
