// docs/allocators.md and docs/policies: the utilisations are what the bench gives, the drawings are the sources'.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { policies, policyNames } from '../../firmware/src/policies/index.ts';
import { WORST_TRIES } from '../../host/bench/bench-table.ts';
import { minimumFootprint } from '../../host/bench/footprint.ts';
import { worstOf } from '../../host/bench/worst.ts';
import { readTrace } from '../../host/trace/trace.ts';
import { chartOfPage } from '../../scripts/allocator-chart.ts';
import { unseenSection } from '../../scripts/allocator-sections.ts';
import { builtAllocator } from './support/built.ts';

const page = readFileSync(join(packageRoot, 'docs', 'allocators.md'), 'utf8');
const header = page
  .match(/^utilisation, %.*$/m)![0]
  .split(/\s{2,}/)
  .slice(2, -1);

test.each(['expat-config', 'lua-queens', 'mqtt-sub'])('%s: the table of docs/allocators.md', (name) => {
  const trace = readTrace(join(packageRoot, 'test', 'fixtures', 'traces', `${name}.trace`));
  const cells = page.match(new RegExp(`^${name} .*$`, 'm'))![0].split(/\s{2,}/);
  for (const [i, policy] of header.entries()) {
    const utilisation = minimumFootprint(policies[policy as keyof typeof policies], trace)!.utilisation;
    expect(`${policy} ${cells[i + 2]}`).toBe(`${policy} ${(utilisation * 100).toFixed(1)}`);
  }
});

test('the chart shows what the page says, every policy and every recorded peer', () => {
  const chart = readFileSync(join(packageRoot, 'docs', 'allocators.svg'), 'utf8');
  expect(chart).toBe(chartOfPage(page));
  for (const policy of policyNames) expect(chart).toContain(`>${policy}</text>`);
  for (const [, peer] of page.matchAll(/^(\S+ \(C\)) /gm)) expect(chart).toContain(`>${peer} `);
});

// Cycles are the cost tables' and no matter of this page's tests: they move with the tables.
test.each(policyNames)('%s: the bound and the worst steps of docs/allocators.md', async (policy) => {
  const { bound, steps } = await worstOf(policy, WORST_TRIES, []);
  const found = Object.values(steps).map((of) => `${Math.max(of.steps, 0)} of ${of.bound}`);
  expect(page).toContain(`| [${policy}](policies/${policy}.md) | ${bound} | ${found.join('; ')} |`);
});

test('the tables of work that no policy was tuned to', async () => {
  expect(page).toContain(unseenSection(await builtAllocator()));
});

test.each(policyNames)('docs/policies/%s.md draws what the source draws', (policy) => {
  const path = join(packageRoot, 'docs', 'policies', `${policy}.md`);
  if (!existsSync(path)) {
    console.warn(`there is no page of ${policy} yet: run npx tsx scripts/allocator-docs.ts`);
    return;
  }
  const text = readFileSync(path, 'utf8');
  const source = readFileSync(join(packageRoot, 'firmware', 'src', 'policies', `${policy}.ts`), 'utf8');
  const comment = source
    .slice(source.indexOf('/**') + 3, source.indexOf('*/'))
    .split('\n')
    .slice(1, -1);
  for (const line of comment) expect(text).toContain(line.replace(/^ \* ?/, '').trimEnd());
});
