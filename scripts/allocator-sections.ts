// The sections of docs/allocators.md that are the same on every machine: work that no policy was tuned to, and the worst
// sequences. scripts/allocator-docs.ts writes the whole page; this writes these sections, and the drawings of the
// policies' pages, and leaves the race as it is:
//
//   npx tsx scripts/allocator-sections.ts
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../boards/root.ts';
import { policies, policyNames } from '../firmware/src/policies/index.ts';
import { geometricMean } from '../host/bench/bench.ts';
import { textTable, WORST_TRIES } from '../host/bench/bench-table.ts';
import { minimumFootprint } from '../host/bench/footprint.ts';
import { peerFootprints } from '../host/bench/peers.ts';
import { syntheticTraces } from '../host/bench/synthetic.ts';
import { WORST_ARENA_BYTES, WORST_BOARDS, worstOf } from '../host/bench/worst.ts';
import { readTrace, type Trace } from '../host/trace/trace.ts';
import { chartOfPage } from './allocator-chart.ts';

/** The policies, and what measures them over the same arena; tests give them bundled, which is faster there. */
interface Allocator {
  policies: typeof policies;
  minimumFootprint: typeof minimumFootprint;
}

const UNSEEN = 'On work it was not tuned to';
const WORST = 'The worst sequences';
const SEED = 1;

/** The comment that a source in policies/ begins with. */
export function drawing(name: string): string {
  const source = readFileSync(join(packageRoot, 'firmware', 'src', 'policies', `${name}.ts`), 'utf8');
  return source
    .slice(source.indexOf('/**') + 4, source.indexOf('*/'))
    .split('\n')
    .map((line) => line.replace(/^ \* ?/, '').trimEnd())
    .join('\n')
    .trim();
}

/** Utilisation of each policy for each trace, and the geometric means; beside them the best peer, where all traces have one. */
function utilisationTable(traces: readonly Trace[], { policies, minimumFootprint }: Allocator): string {
  const shares = traces.map((trace) =>
    policyNames.map((policy) => minimumFootprint(policies[policy], trace)?.utilisation ?? null),
  );
  const percent = (share: number | null): string => (share === null ? '-' : (share * 100).toFixed(1));
  // Made-up traces have no peers' figures.
  const best = traces.flatMap(({ name, peakLiveBytes }) =>
    peerFootprints(name, peakLiveBytes)
      .slice(0, 1)
      .map(({ peer, footprintBytes }) => ({ peer, share: peakLiveBytes / footprintBytes })),
  );
  const means = policyNames.map((_, i) => {
    const column = shares.map((row) => row[i]!);
    return column.includes(null as never) ? null : geometricMean(column as number[]);
  });
  return textTable([
    ['utilisation, %', 'peak live', ...policyNames, ...(best.length === 0 ? [] : ['best peer'])],
    ...traces.map((trace, i) => [
      trace.name,
      String(trace.peakLiveBytes),
      ...shares[i]!.map(percent),
      ...best.slice(i, i + 1).map(({ peer, share }) => `${percent(share)} ${peer}`),
    ]),
    ['geometric mean', '', ...means.map(percent), ...(best.length === 0 ? [] : [''])],
  ]);
}

export function unseenSection(allocator: Allocator = { policies, minimumFootprint }): string {
  const folder = join(packageRoot, 'test', 'fixtures', 'traces-unseen');
  const recorded = readdirSync(folder)
    .filter((name) => name.endsWith('.trace'))
    .sort()
    .map((name) => readTrace(join(folder, name)));
  return `## ${UNSEEN}

Made-up work from named distributions of sizes and lifetimes (\`host/bench/synthetic.ts\`): \`heapglass bench --synthetic ${SEED}\`.
Another number is another draw; no rule was chosen by looking at any.

\`\`\`
${utilisationTable(syntheticTraces(SEED), allocator)}\`\`\`

Sixteen small ones of more than a hundred programs recorded after the rules were fixed:
\`heapglass bench test/fixtures/traces-unseen\`. The peers were measured on them by the method of the recorded ones
(\`host/bench/measured-peers.json\` says how). Over 105 recordings of up to 250 KB, measured once and too large to keep here:
trie-fit has 91.3 % in the mean and 70.8 % at worst; compact 93.1 and 66.2 %, and one that its 256 KB do not hold; umm 88.4,
zephyr 87.5, tlsf_tuned 85.9 and dlmalloc 85.7 % in the mean. Below 74 % are three with compact, where most blocks have 12 or
13 bytes, and three with trie-fit: two of those, and appended-strings. On two the best peer needs 0.1 % less than the best policy, on the others not less.

- appended-strings: 60 strings, each resized at each append. Ten other rules of realloc and ten of placement were tried: what
  does better on one half of the recordings, or here, does worse on the other half, or on random work.
- expat-tree: blocks of 13 bytes on average. Rounding to 8 leaves 78.8 % at best; 2 bytes a handle are much of what remains.
- make-rules, xmllint-format: rounding to 8 costs what headers at 4-byte alignment cost. Here a peer is ahead, by 0.1 %.
- lua-fleet: a table is doubled to 4 KB just after a garbage collection has left holes of up to 1.5 KB everywhere. mawk-strings
  has buffers of 2 KB, and the same. Blocks that move close such holes.

\`\`\`
${utilisationTable(recorded, allocator)}\`\`\`
`;
}

export async function worstSection(): Promise<string> {
  const rows: string[] = [];
  for (const policy of policyNames) {
    const { bound, steps, cycles } = await worstOf(policy, WORST_TRIES);
    const found = Object.values(steps).map((of) => `${Math.max(of.steps, 0)} of ${of.bound}`);
    const thousands = WORST_BOARDS.map((board) => {
      const of = cycles[board];
      return of ? Object.values(of).map((count) => (count / 1000).toFixed(0)) : ['-'];
    });
    rows.push(
      `| [${policy}](policies/${policy}.md) | ${bound} | ${found.join('; ')} | ${thousands.map((of) => of.join('; ')).join(' | ')} |`,
    );
  }
  return `## ${WORST}

Loop steps that no call exceeds, as stated in \`host/bench/steps.ts\`; the most that any known sequence makes a call take in an
arena of ${WORST_ARENA_BYTES} bytes, and what the bound was for that very call; and the cycles of the slowest call, in thousands, interpreted,
by the cost tables of the day this was written.
Each cell is malloc; free; realloc. L: live blocks, n: bytes of the arena, h: bytes of the block freed or resized. A step
is one run of a loop's body; the bytes that realloc moves are steps only where the policy copies them itself, but are in
the cycles. \`heapglass bench --worst\` constructs the sequences and prints this; \`test/allocator/steps.test.ts\` holds every
call of traces, of these sequences and of a search to the same bounds.

| policy | bound, steps | found, of the bound there | ${WORST_BOARDS.join(' | ')} |
|---|---|---|${WORST_BOARDS.map(() => '---').join('|')}|
${rows.join('\n')}
`;
}

/** The page with the section of this heading, up to the next one, replaced. */
function replaced(page: string, heading: string, section: string): string {
  const from = page.indexOf(`## ${heading}\n`);
  if (from < 0)
    throw new Error(`docs/allocators.md has no section "${heading}": run npx tsx scripts/allocator-docs.ts`);
  const to = page.indexOf('\n## ', from + 1);
  return page.slice(0, from) + section + (to < 0 ? '' : page.slice(to));
}

if (process.argv[1]?.endsWith('allocator-sections.ts')) {
  const path = join(packageRoot, 'docs', 'allocators.md');
  const unseen = replaced(readFileSync(path, 'utf8'), UNSEEN, unseenSection());
  const page = replaced(unseen, WORST, await worstSection());
  writeFileSync(path, page);
  writeFileSync(join(packageRoot, 'docs', 'allocators.svg'), chartOfPage(page));
  for (const policy of policyNames) {
    const file = join(packageRoot, 'docs', 'policies', `${policy}.md`);
    const text = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      text.replace(/```\n[\s\S]*?\n```/, () => `\`\`\`\n${drawing(policy)}\n\`\`\``),
    );
  }
}
