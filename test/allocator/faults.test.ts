// Faults injected into safe heaps of every policy: nothing hangs or throws, and every fault is found and named.
// HEAPGLASS_FAULTS: how many a policy. The default keeps the suite short; docs/safety.md has the table of a million.
import { beforeAll, expect, test } from 'vitest';
import { policyNames } from '../../firmware/src/policies/index.ts';
import { type FaultCount, type FaultName, faultNames, injectFaults } from './faults.ts';
import { type Built, builtAllocator } from './support/built.ts';

const faults = Number(process.env.HEAPGLASS_FAULTS ?? 4_000);

let built: Built;
beforeAll(async () => {
  built = await builtAllocator();
});

const table = new Map<string, Map<FaultName, FaultCount>>();

test.each(policyNames)(
  '%s: every fault is found',
  (name) => {
    const counts = injectFaults(built, name, 7, faults);
    table.set(name, counts);
    const missed = [...counts].filter(([, { injected, found, harmless }]) => found + harmless !== injected);
    const text = faultNames.map((fault) => {
      const { injected, found, harmless } = counts.get(fault)!;
      return `${fault} ${found}/${injected}${harmless > 0 ? ` (${harmless} harmless)` : ''}`;
    });
    process.stdout.write(`${name}: ${text.join(', ')}\n`);
    expect(missed).toEqual([]);
    for (const { injected } of counts.values()) expect(injected).toBeGreaterThan(faults / 100);
  },
  300_000,
);
