// Damage to bare heaps, safety off: what each policy is held to after writes past, before and into its blocks. Seeds are
// the numbers of the cases: damageHeap(arenas[seed % 8], kind, seed) does one again.
// HEAPGLASS_DAMAGE: cases a policy and kind. docs/safety.md has the table of a longer run.
import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { createHeap, unbindHeap } from '../../firmware/src/heap.ts';
import { type PolicyName, policyNames } from '../../firmware/src/policies/index.ts';
import type { Policy } from '../../firmware/src/policy.ts';
import { type DamageKind, damageHeaps, damageKinds, guardedArenas, type Harm, harms, strayBytes } from './damage.ts';
import { Hang } from './support/guarded.ts';
import { randomSource } from './support/random.ts';

const cases = Number(process.env.HEAPGLASS_DAMAGE ?? 500);

const everything = harms;
/** Where headers lie in the blocks: a block's own size is in one place only, so an overlap cannot be excluded. */
const escapes = ['hang', 'exception', 'load outside', 'store outside', 'walk'] as const;
const endless = ['hang', 'exception'] as const;
/** Whatever is overwritten, every call ends. */
const anywhere = { below: endless, 'wild word': endless, garbage: endless };
const inBlocks = { ...anywhere, overflow: escapes, underflow: escapes, 'wild store': escapes };
const outside = { ...anywhere, overflow: everything, underflow: everything, 'wild store': everything };
/** Harm that must not follow. */
const excluded: Partial<Record<PolicyName, Partial<Record<DamageKind, readonly Harm[]>>>> = {
  'first-fit': inBlocks,
  'next-fit': inBlocks,
  'best-fit': inBlocks,
  tlsf: inBlocks,
  segregated: inBlocks,
  // Bookkeeping outside the blocks; below them there is a gap, or not.
  'trie-fit': outside,
  compact: outside,
  slab: outside,
  buddy: { ...outside, below: everything },
  percore: { ...outside, below: everything },
};

const columns: readonly DamageKind[] = ['overflow', 'underflow', 'wild store', 'below', 'wild word', 'garbage'];
const document = readFileSync(`${packageRoot}/docs/safety.md`, 'utf8');

/** Overlaps in 4,000 heaps, seeds 1 to 4,000, as docs/safety.md has them. */
function documented(name: PolicyName, kind: DamageKind): number {
  const row = document.split('\n').find((line) => new RegExp(`^\\| ${name} (\\| \\d+ ){6}\\|$`).test(line));
  return Number(row?.split('|')[columns.indexOf(kind) + 2]);
}

const rows: string[] = [];

test.each(policyNames)('%s, safety off: what damage does, and what it does not', async (name) => {
  const arenas = await guardedArenas(name);
  const broken: string[] = [];
  for (const kind of damageKinds) {
    const { counts, seeds } = damageHeaps(arenas, kind, 1, cases);
    const found = harms
      .filter((harm) => counts[harm] > 0)
      .map((harm) => `${harm} ${counts[harm]} (seed ${seeds[harm]})`);
    rows.push(`${name.padEnd(11)} ${kind.padEnd(10)} ${found.join(', ') || 'nothing'}`);
    const most = documented(name, kind);
    if (cases <= 4000 && counts.overlap > most) broken.push(`${kind}: ${counts.overlap} overlaps, ${most} documented`);
    if (cases === 4000 && counts.overlap !== most)
      broken.push(`${kind}: ${counts.overlap} overlaps, ${most} documented`);
    for (const harm of excluded[name]?.[kind] ?? []) {
      if (counts[harm] > 0) broken.push(`${kind}: ${harm} at seed ${seeds[harm]}`);
    }
  }
  expect(broken).toEqual([]);
});

test.each(policyNames)('%s, safety off: every call of a heap over a damaged arena ends', async (name) => {
  const random = randomSource(77);
  for (const guarded of await guardedArenas(name)) {
    const { bytes, watch } = guarded;
    watch.mostSteps = guarded.policy.locate(8) !== 8 ? bytes.length ** 2 : bytes.length * 20;
    const policy: Policy = {
      ...guarded.policy,
      nextBlock(block) {
        if (++watch.steps > watch.mostSteps) throw new Hang('the walk goes round');
        return guarded.policy.nextBlock(block);
      },
    };
    const buffer = bytes.buffer as ArrayBuffer;
    for (let n = 0; n < cases / 10; n++) {
      bytes.fill(0);
      const heap = createHeap({ bytes: bytes.length, policy, buffer });
      if (!heap) break;
      const blocks: number[] = [];
      const calls = [
        () => blocks.push(heap.malloc(random(90))),
        () => heap.free(blocks[random(blocks.length)] ?? 0),
        () => blocks.push(heap.calloc(random(20), random(9))),
        () => heap.realloc(blocks[random(blocks.length)] ?? 0, random(200)),
        () => blocks.push(heap.memalign(1 << random(9), random(70))),
        () => heap.usableSize(random(bytes.length)),
        () => heap.check() + heap.checkOffset(),
        () => heap.stats().freeBytes,
        () => [heap.pin(blocks[random(blocks.length)] ?? 0), heap.unpin(blocks[random(blocks.length)] ?? 0)],
      ];
      const call = (): void => {
        watch.steps = 0;
        calls[random(calls.length)]!();
      };
      for (let i = 0; i < 40; i++) call();
      bytes.set(strayBytes(random, bytes.length, bytes.length));
      for (let i = 0; i < 40; i++) call();
    }
    unbindHeap();
  }
});

afterAll(() => {
  console.info(`harm of ${cases} cases each, seeds 1 to ${cases}\n${rows.join('\n')}`);
});
