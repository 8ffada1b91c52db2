// The walkers over raw bytes see what they are there to see: bits flipped in a sound heap. Most bits lie in payloads and
// do not matter; of those that do, the walkers must notice many, and a sound heap never.
import { beforeAll, expect, test } from 'vitest';
import { policyNames } from '../../firmware/src/policies/index.ts';
import { type Built, builtAllocator } from './support/built.ts';
import { HeapModel } from './support/model.ts';
import { randomSource } from './support/random.ts';
import { walkers } from './walkers/index.ts';

const ARENA_BYTES = 4096;
const FLIPS = 4000;
const SEED = 11;

let built: Built;
beforeAll(async () => {
  built = await builtAllocator();
});

test.each(policyNames)(
  `%s: of ${FLIPS} flipped bits (seed ${SEED}) the walker notices those in the bookkeeping`,
  (name) => {
    const random = randomSource(SEED);
    const buffer = new ArrayBuffer(ARENA_BYTES);
    built.bindArena(buffer);
    const model = new HeapModel(built.policies[name], new Uint8Array(buffer), false);
    for (let i = 0; i < 200; i++) {
      if (model.live.length < 24 && (model.live.length === 0 || random(2) === 0)) model.malloc(random(120));
      else model.free(random(model.live.length));
    }
    const walk = walkers[name];
    walk(model.bytes, model);
    let noticed = 0;
    let ofCheck = 0;
    for (let i = 0; i < FLIPS; i++) {
      const at = random(ARENA_BYTES);
      const sound = model.bytes[at]!;
      model.bytes[at] = sound ^ (1 << random(8));
      try {
        walk(model.bytes, model);
      } catch {
        noticed++;
      }
      if (built.policies[name].check() !== 0) ofCheck++;
      model.bytes[at] = sound;
    }
    console.info(`${name}: the walker notices ${noticed} of ${FLIPS} flips, check() ${ofCheck}`);
    expect(noticed).toBeGreaterThan(FLIPS / 200);
    expect(noticed).toBeGreaterThan(ofCheck / 2);
    walk(model.bytes, model);
  },
);
