// The conformance suite over the whole registry. HEAPGLASS_OPS: random operations a policy (default 1,000,000);
// HEAPGLASS_SEED: where the seeds start; HEAPGLASS_DEPTH: length of the exhaustive sequences (default 7).
import { beforeAll, describe, expect, test } from 'vitest';
import { policyNames } from '../../firmware/src/policies/index.ts';
import { everySequence, randomOperations } from './conformance.ts';
import { type Built, builtAllocator } from './support/built.ts';
import { walkers } from './walkers/index.ts';

const operations = Number(process.env.HEAPGLASS_OPS ?? 1_000_000);
const firstSeed = Number(process.env.HEAPGLASS_SEED ?? 20_260_101);
const depth = Number(process.env.HEAPGLASS_DEPTH ?? 7);

/** The smallest round arena in which a policy with its control data can hold a few blocks. */
const tinyArenaBytes: Partial<Record<string, number>> = {};

let built: Built;
beforeAll(async () => {
  built = await builtAllocator();
});

describe.each(policyNames)('%s', (name) => {
  test(`${operations} random operations hold M1 to M10 (seeds from ${firstSeed})`, () => {
    let done = 0;
    for (let seed = firstSeed; done < operations; seed++) {
      done += randomOperations(built, name, seed, Math.min(100_000, operations - done), walkers[name]).done;
    }
    expect(done).toBe(operations);
  }, 600_000);

  test(`every sequence of up to ${depth} operations in a tiny arena`, () => {
    const arenaBytes = tinyArenaBytes[name] ?? smallestArena(name);
    const { states, steps } = everySequence(built, name, arenaBytes, depth);
    console.info(`${name}: ${arenaBytes} bytes, ${states} states, ${steps} operations`);
    expect(steps).toBeGreaterThan(1000);
  }, 600_000);
});

/** Where a request of 80 bytes is just served: room for two or three blocks of the alphabet. */
function smallestArena(name: string): number {
  const policy = built.policies[name as keyof Built['policies']];
  for (let bytes = 64; bytes < 8192; bytes += 8) {
    built.bindArena(new ArrayBuffer(bytes));
    if (policy.init(bytes) !== 0 && policy.malloc(80) !== 0) return bytes;
  }
  throw new Error(`${name} serves 80 bytes in no arena of 8 KB`);
}
