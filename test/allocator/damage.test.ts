// Damage to bare heaps, safety off: what each policy is held to after writes past, before and into its blocks. Seeds are
// the numbers of the cases: damageHeap(arenas[seed % 8], kind, seed) does one again.
// HEAPGLASS_DAMAGE: cases a policy and kind. docs/safety.md has the table of a longer run.
import { afterAll, expect, test } from 'vitest';
import { type PolicyName, policyNames } from '../../firmware/src/policies/index.ts';
import { type DamageKind, damageHeaps, damageKinds, guardedArenas, type Harm, harms } from './damage.ts';

const cases = Number(process.env.HEAPGLASS_DAMAGE ?? 500);

const everything = harms;
/** Where headers lie in the blocks: a block's own size is in one place only, so an overlap cannot be excluded. */
const escapes = ['hang', 'exception', 'load outside', 'store outside', 'walk'] as const;
const endless = ['hang', 'exception'] as const;
const inBlocks = { overflow: escapes, underflow: escapes, 'wild store': escapes };
const outside = { overflow: everything, underflow: everything, 'wild store': everything };
/** Harm that must not follow. */
const excluded: Partial<Record<PolicyName, Partial<Record<DamageKind, readonly Harm[]>>>> = {
  'first-fit': inBlocks,
  'next-fit': inBlocks,
  'best-fit': inBlocks,
  // Believes what it reads: it has no loop to hang in, but its stores go where damaged links lead.
  tlsf: { overflow: endless, underflow: endless, 'wild store': endless },
  segregated: inBlocks,
  // Bookkeeping outside the blocks; below them there is a gap, or not.
  'trie-fit': outside,
  compact: outside,
  slab: outside,
  buddy: { ...outside, below: everything },
  percore: { ...outside, below: everything },
};

const rows: string[] = [];

test.each(policyNames)('%s, safety off: what damage does, and what it does not', async (name) => {
  const arenas = await guardedArenas(name);
  for (const kind of damageKinds) {
    const { counts, seeds } = damageHeaps(arenas, kind, 1, cases);
    const found = harms
      .filter((harm) => counts[harm] > 0)
      .map((harm) => `${harm} ${counts[harm]} (seed ${seeds[harm]})`);
    rows.push(`${name.padEnd(11)} ${kind.padEnd(10)} ${found.join(', ') || 'nothing'}`);
    const broken = (excluded[name]?.[kind] ?? []).filter((harm) => counts[harm] > 0);
    expect(broken.map((harm) => `${kind}: ${harm} at seed ${seeds[harm]}`)).toEqual([]);
  }
});

afterAll(() => {
  console.info(`harm of ${cases} cases each, seeds 1 to ${cases}\n${rows.join('\n')}`);
});
