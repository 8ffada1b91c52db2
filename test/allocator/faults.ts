/**
 * Injected faults on a safe heap, one at a time. Each is found, or proved to have changed nothing, or counted as missed.
 *
 * After each fault the arena is put back as it was and the heap resumes; the program around it goes on allocating, so
 * that faults meet full, empty and fragmented heaps.
 */
import { BLOCK_LIVE } from '../../firmware/src/policy.ts';
import type { SafeHeap } from '../../firmware/src/safety.ts';
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

/** Injects `count` faults of all kinds in turn. */
export function injectFaults(
  built: Built,
  policyName: string,
  seed: number,
  count: number,
): Map<FaultName, FaultCount> {
  const random = randomSource(seed);
  const counts = new Map(faultNames.map((name) => [name, { injected: 0, found: 0, harmless: 0 }]));
  const policy = built.policies[policyName as keyof Built['policies']];
  let heap: SafeHeap | null = null;
  let held: Held[] = [];
  let gone: Held[] = [];
  let sinceFresh = 0;

  const free = (): void => {
    const [block] = held.splice(random(held.length), 1);
    if (heap!.free(block!.key) !== 0) throw new Error(`${policyName}: a sound block is refused`);
    gone.push(block!);
    if (gone.length > 8) gone.shift();
  };

  for (let n = 0; n < count; n++) {
    if (!heap || sinceFresh++ === 2000) {
      heap = built.createSafeHeap(built.createHeap({ bytes: 8192, policy }), { quarantineBlocks: 12 })!;
      held = [];
      gone = [];
      sinceFresh = 0;
    }
    // A few operations between two faults.
    for (let i = 0; i < 2 || held.length < 3; i++) {
      if (held.length < 14 && (held.length < 3 || random(2) === 0)) {
        const size = 1 + random(90);
        const key = heap.malloc(size, 1 + random(20));
        if (key === 0) free();
        else held.push({ key, size });
      } else {
        free();
      }
    }
    const name = faultNames[n % faultNames.length]!;
    const tally = counts.get(name)!;
    const image = heap.u8.slice();
    const before = heap.faultCount();
    const victim = held[random(held.length)]!;
    const outcome = inject(heap, name, victim, gone, random);
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
    heap.u8.set(image);
    if (!heap.resume()) throw new Error(`${policyName}: the heap does not resume after ${name}`);
  }
  return counts;
}

/** Does one fault and the check that must find it. Returns the block to be named, 0 for any, or that nothing was done. */
function inject(
  heap: SafeHeap,
  name: FaultName,
  victim: Held,
  gone: readonly Held[],
  random: (below: number) => number,
): number | 'none' | 'harmless' {
  const { u8 } = heap;
  const payload = heap.locate(victim.key);
  const scribble = (from: number, bytes: number, step: number): void => {
    for (let i = 0; i < bytes; i++) {
      const at = from + i * step;
      // A program's stray bytes; never the guard's own, which would be no change.
      if (at >= 0 && at < u8.length) u8[at] = (u8[at]! + 1 + random(200)) & 0xff;
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
      const key = random(u8.length + 256) - 64;
      if (heap.usableSize(key) !== 0 || key === 0) return 'none';
      heap.free(key);
      return key >>> 0;
    }
    case 'overflow 1..8':
    case 'overflow 9..64':
      scribble(payload + victim.size, name === 'overflow 1..8' ? 1 + random(8) : 9 + random(56), 1);
      break;
    case 'underflow 1..8':
    case 'underflow 9..64':
      scribble(payload - 1, name === 'underflow 1..8' ? 1 + random(8) : 9 + random(56), -1);
      break;
    case 'write after free': {
      const block = gone.at(-1 - random(Math.min(8, gone.length)));
      const at = block ? heap.locate(block.key) : 0;
      if (!block || at === 0 || heap.usableSize(block.key) !== 0) return 'none';
      scribble(at + random(block.size), 1, 1);
      heap.check();
      return block.key;
    }
    case 'bookkeeping': {
      const at = random(u8.length >> 2) << 2;
      const sound = heap.u8.slice();
      for (let i = 0; i < 1 + random(4); i++) u8[at + i] = random(256);
      if (u8.every((byte, i) => byte === sound[i])) return 'none';
      const found = heap.check() !== 0;
      return found || !changesAnswers(heap, sound) ? (found ? 0 : 'harmless') : -1;
    }
  }
  // What stays within the guards is found by the block's free or by check(), the rest by check().
  if (name.endsWith('1..8') && random(2) === 0) heap.free(victim.key);
  else heap.check();
  return victim.key;
}

/** Whether live blocks or the next answers differ with the damage: bytes of payloads and of free space do not matter. */
function changesAnswers(heap: SafeHeap, sound: Uint8Array): boolean {
  const { policy } = heap;
  const answers = (): string => {
    const list: number[] = [];
    for (let block = policy.firstBlock(), steps = 0; block !== 0 && steps < 5000; block = policy.nextBlock(block)) {
      // Where free space is cut does not matter: two dead blocks may as well be one.
      if (policy.blockKind(block) === BLOCK_LIVE) list.push(block);
      steps++;
    }
    // What the next requests would get, on a copy.
    const image = heap.u8.slice();
    for (const size of [8, 40, 200, 1000]) list.push(policy.malloc(size));
    heap.u8.set(image);
    return list.join();
  };
  const damaged = answers();
  const image = heap.u8.slice();
  heap.u8.set(sound);
  const intact = answers();
  heap.u8.set(image);
  return damaged !== intact;
}
