// Fuzzing led by coverage: inputs that take a branch of the policy's text which none took before are kept and changed
// further. Each runs against the model (M1 to M10). The kept inputs are in test/fixtures/fuzz and run every time.
// HEAPGLASS_FUZZ: inputs tried a policy (default 400); HEAPGLASS_FUZZ_KEEP=1 writes what was kept.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { policyNames } from '../../firmware/src/policies/index.ts';
import { type CountedPolicy, countedPolicy } from '../../host/bench/steps.ts';
import { HeapModel, ModelFault } from './support/model.ts';
import { randomSource } from './support/random.ts';
import { walkers } from './walkers/index.ts';

const inputs = Number(process.env.HEAPGLASS_FUZZ ?? 400);
const SEED = 20_260_112;
const ARENA_BYTES = 4096;
const LONGEST = 512;
const directory = `${packageRoot}/test/fixtures/fuzz`;

/** Runs one input: four bytes an operation, [kind, which, size low, size high]. Throws a ModelFault. */
function run(counted: CountedPolicy, name: (typeof policyNames)[number], input: Uint8Array): void {
  // The first two bytes choose the arena: small ones have other branches.
  const arenaBytes = 512 + (((input[0]! | (input[1]! << 8)) % (ARENA_BYTES - 512)) & ~7);
  const bytes = counted.bytes.subarray(0, arenaBytes);
  bytes.fill(0);
  const model = new HeapModel(counted.policy, bytes, false);
  if (model.capacity === 0) return;
  for (let at = 2; at + 3 < input.length; at += 4) {
    const kind = input[at]! & 15;
    const which = input[at + 1]!;
    const size = (input[at + 2]! | (input[at + 3]! << 8)) & (kind % 3 === 0 ? 0xfff : 0x3f);
    const { live } = model;
    if (kind === 15) model.freeWild(size);
    else if (kind === 14) model.memalign(1 << (which & 7), size);
    else if (live.length === 0 || kind < 6) model.malloc(size);
    else if (kind < 10) model.free(which % live.length);
    else if (kind < 13) model.realloc(which % live.length, size);
    else model.togglePin(which % live.length);
  }
  model.audit();
  walkers[name](model.bytes, model);
}

/** A copy with a few bytes, operations or stretches changed. */
function changed(input: Uint8Array, other: Uint8Array, random: (below: number) => number): Uint8Array {
  const parts: number[] = [...input];
  for (let n = 1 + random(4); n > 0; n--) {
    const at = 2 + 4 * random(Math.max(1, (parts.length - 2) >> 2));
    const dice = random(5);
    if (dice === 0) parts[random(parts.length)] = random(256);
    else if (dice === 1) parts.splice(at, 4 * (1 + random(8)));
    else if (dice === 2) parts.splice(at, 0, ...parts.slice(at, at + 4 * (1 + random(16))));
    else if (dice === 3) parts.splice(at, 0, ...other.slice(2, 2 + 4 * (1 + random(32))));
    else for (let i = 0; i < 4; i++) parts.push(random(256));
  }
  while (parts.length < 6) parts.push(random(256));
  return Uint8Array.from(parts.slice(0, 2 + 4 * LONGEST));
}

test.each(policyNames)(
  `%s: ${inputs} inputs led by coverage (seed ${SEED})`,
  async (name) => {
    const counted = await countedPolicy(name, ARENA_BYTES);
    const random = randomSource(SEED);
    const path = `${directory}/${name}.json`;
    const kept: Uint8Array[] = [];
    const seen = new Set<number>();
    const attempt = (input: Uint8Array): void => {
      counted.marks.fill(0);
      try {
        run(counted, name, input);
      } catch (error) {
        const reason = error instanceof ModelFault ? error.message : String(error);
        throw new Error(`${name}: ${reason}; input ${Buffer.from(input).toString('base64')}`);
      }
      const before = seen.size;
      for (const [mark, ran] of counted.marks.entries()) if (ran === 1) seen.add(mark);
      if (seen.size > before) kept.push(input);
    };

    const stored: string[] = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : [];
    for (const text of stored) attempt(Uint8Array.from(Buffer.from(text, 'base64')));
    const ofStored = seen.size;
    attempt(Uint8Array.from({ length: 402 }, () => random(256)));
    for (let i = 0; i < inputs; i++) {
      const input = kept[random(kept.length)]!;
      attempt(changed(input, kept[random(kept.length)]!, random));
    }
    console.info(
      `${name}: ${seen.size} of ${counted.marks.length} branches, ${ofStored} by ${stored.length} stored inputs, ${kept.length} kept`,
    );
    if (process.env.HEAPGLASS_FUZZ_KEEP) {
      mkdirSync(directory, { recursive: true });
      writeFileSync(
        path,
        `${JSON.stringify(
          kept.map((input) => Buffer.from(input).toString('base64')),
          null,
          1,
        )}\n`,
      );
    }
    // The stored inputs take nearly every branch that is known to be taken; a changed policy may want a new campaign.
    if (stored.length > 0) expect(ofStored).toBeGreaterThan(seen.size * 0.8);
  },
  1_200_000,
);
