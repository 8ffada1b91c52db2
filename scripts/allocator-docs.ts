// Writes docs/allocators.md, docs/allocators.svg and docs/policies/*.md: figures from the bench, drawings from the sources.
//
//   npx tsx scripts/allocator-docs.ts
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../boards/root.ts';
import { type PolicyName, policies, policyNames } from '../firmware/src/policies/index.ts';
import { type BenchRow, benchRow, geometricMean } from '../host/bench/bench.ts';
import { benchTable, summaryTable } from '../host/bench/bench-table.ts';
import { cycleMeter } from '../host/bench/meters.ts';
import { ASSEMBLYSCRIPT, DLMALLOC, LOOP_ALONE, type RaceResult, race } from '../host/bench/race.ts';
import { readTrace } from '../host/trace/trace.ts';
import { readTraces } from '../host/trace/traces.ts';
import { chartOfPage } from './allocator-chart.ts';
import { drawing, unseenSection, worstSection } from './allocator-sections.ts';

const BOARD = 'kaluma-pico';
/** Small enough for a quarter of the board, and of different kinds: many small blocks, and few. */
const CYCLE_TRACES = ['expat-config', 'mqtt-sub'];

const whenToChoose: Record<string, string> = {
  'first-fit': 'The reference: simple, predictable, good where few blocks are free at once.',
  'next-fit': 'Searches are short on a heap with room. Fragments more than its sisters; for comparison mostly.',
  'best-fit': 'The smallest footprint among policies with a header; no limit on the arena short of 128 MB.',
  tlsf: 'Constant time in every call, the classic choice where a deadline counts.',
  'trie-fit':
    'The default: the smallest footprint without moving blocks, every call bounded. Slower than the rest when interpreted.',
  compact: 'Long-running programs that must not fragment, and can hold handles. A call may move everything.',
  segregated:
    'The fastest when interpreted: a list for each small size in front. For programs that free as they allocate.',
  slab: 'Many small blocks of few sizes: fast, steadier than `segregated`, and bookkeeping that no write past a payload reaches.',
  percore:
    'The only one that interrupt handlers may share, and fast: a malloc from a cache is ten loads and stores. Wants memory to spare.',
  buddy: 'Power-of-two blocks, for requests that are powers of two; alignment inside any block.',
};

/** Drawings of files that a policy is made of besides its own. */
const blocks: readonly [string, string][] = [['The blocks', 'boundary-tags']];
const sharedDrawings: Partial<Record<PolicyName, readonly [string, string][]>> = {
  'first-fit': blocks,
  'next-fit': blocks,
  'best-fit': blocks,
  slab: [['The pages', 'page-runs']],
  compact: [
    ['The table', 'handle-table'],
    ['How blocks move', 'packing'],
  ],
};

/** What the issue of speed comes to, with the loop's time in and out of both. */
function raceSummary(results: readonly RaceResult[]): string {
  const nanoseconds = (name: string): number => 1000 / results.find((result) => result.name === name)!.megaOperations;
  const fastest = results.find(({ name }) => name !== LOOP_ALONE)!.name;
  const loop = nanoseconds(LOOP_ALONE);
  const ratio = (peer: string, less: number): string =>
    ((nanoseconds(peer) - less) / (nanoseconds(fastest) - less)).toFixed(1);
  return `\`${fastest}\` is ${ratio(ASSEMBLYSCRIPT, 0)} times AssemblyScript's
TLSF and ${ratio(DLMALLOC, 0)} times dlmalloc with the loop, ${ratio(ASSEMBLYSCRIPT, loop)} and ${ratio(DLMALLOC, loop)} times without it.`;
}

const docs = join(packageRoot, 'docs');
mkdirSync(join(docs, 'policies'), { recursive: true });
const traces = readTraces([]);
const rows: BenchRow[] = [];
for (const trace of traces) for (const policy of policyNames) rows.push(await benchRow(trace, policy, null));

const meter = await cycleMeter({ board: BOARD });
const metered: BenchRow[] = [];
for (const name of CYCLE_TRACES) {
  const trace = readTrace(join(packageRoot, 'test', 'fixtures', 'traces', `${name}.trace`));
  for (const policy of policyNames) metered.push(await benchRow(trace, policy, meter));
}
const recorded = new Set(traces.filter(({ header }) => header.recorder !== undefined).map(({ name }) => name));
const utilisationOf = (policy: PolicyName): number =>
  geometricMean(rows.filter((row) => row.policy === policy && recorded.has(row.trace)).map((row) => row.utilisation!));
const worst = (policy: PolicyName, call: 'malloc' | 'free'): number =>
  Math.max(...metered.filter((row) => row.policy === policy).map((row) => row.cycles?.[call].max ?? 0));
const mean = (policy: PolicyName, call: 'malloc' | 'free'): number =>
  geometricMean(metered.filter((row) => row.policy === policy && row.cycles).map((row) => row.cycles![call].mean));
const thousands = (cycles: number): string => (cycles / 1000).toFixed(0);

const results = await race(traces, policyNames, (trace) => process.stderr.write(`racing on ${trace}\n`));
const text = `# Allocators

What each policy needs and costs. Written by \`npx tsx scripts/allocator-docs.ts\` from \`heapglass bench\`; each policy has
a page in [policies/](policies/).

![Footprint against worst-case work](allocators.svg)

## Footprint

The smallest arena, in steps of 16 bytes, in which a trace completes. Everything a policy keeps lies in the arena. The
answer is run once more with a pattern in every payload. Utilisation is peak live bytes over footprint. Payloads of all
policies are 8-byte aligned; those of umm, tlsf and zephyr are 4-byte aligned.

\`heapglass bench\` prints:

\`\`\`
${benchTable(rows)}
${summaryTable(rows, traces)}\`\`\`

Names with (C) are C allocators as they were recorded, by the same method.

${unseenSection()}
## Cycles, interpreted

Thousands of cycles on ${BOARD}, from \`heapglass bench --board ${BOARD}\` over the traces ${CYCLE_TRACES.join(' and ')} in an arena of three
times the peak and 4 KB. Mean is the geometric mean of the traces' means, worst the slowest call seen.

| policy | malloc mean | malloc worst | free mean | free worst |
|---|--:|--:|--:|--:|
${policyNames
  .map(
    (policy) =>
      `| [${policy}](policies/${policy}.md) | ${thousands(mean(policy, 'malloc'))} | ${thousands(worst(policy, 'malloc'))} | ${thousands(mean(policy, 'free'))} | ${thousands(worst(policy, 'free'))} |`,
  )
  .join('\n')}

${await worstSection()}
## Operations a second, in Node

Millions, geometric mean over the traces, all in one process and one run: \`heapglass bench --race\`. The figures are of the
machine that wrote this page; their order is what counts. Each is called from the same loop over decoded operations; the
loop with empty functions is in the table, because its time is part of everyone's. ${raceSummary(results)}

Each policy is one script over one arena, all names constant (host/bench/host-policy.ts), so that V8 compiles it into the
loop that calls it. In a process where any ArrayBuffer was ever detached, V8 tests at each access to a typed array whether
its buffer is still there: that takes about a fifth of the policies' speed. AssemblyScript's compiler does so to the process
it runs in; here it runs in one of its own.

| | millions a second |
|---|--:|
${results.map(({ name, megaOperations }) => `| ${name} | ${megaOperations.toFixed(1)} |`).join('\n')}
`;
writeFileSync(join(docs, 'allocators.md'), text);
writeFileSync(join(docs, 'allocators.svg'), chartOfPage(text));

for (const policy of policyNames) {
  writeFileSync(
    join(docs, 'policies', `${policy}.md`),
    `# ${policy}

${whenToChoose[policy] ?? ''}

Utilisation ${(100 * utilisationOf(policy)).toFixed(1)} % over the recorded traces; malloc ${thousands(mean(policy, 'malloc'))} thousand cycles and free ${thousands(mean(policy, 'free'))} thousand in the
mean, interpreted on ${BOARD} ([allocators](../allocators.md)).

\`\`\`
${drawing(policy)}
\`\`\`
${(sharedDrawings[policy] ?? []).map(([title, file]) => `\n${title}:\n\n\`\`\`\n${drawing(file)}\n\`\`\`\n`).join('')}`,
  );
}
if (Object.keys(policies).length !== policyNames.length) throw new Error('a policy is missing');
