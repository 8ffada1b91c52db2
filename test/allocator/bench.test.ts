// `bench`: the JSON that others read, the peers beside it, and bad arguments.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { type PolicyName, policies, policyNames } from '../../firmware/src/policies/index.ts';
import { parseArguments } from '../../host/arguments.ts';
import { benchRow } from '../../host/bench/bench.ts';
import { summaryTable } from '../../host/bench/bench-table.ts';
import { minimumFootprint } from '../../host/bench/footprint.ts';
import { peerFootprints } from '../../host/bench/peers.ts';
import type { WorstRow } from '../../host/bench/worst.ts';
import { command } from '../../host/commands/bench.ts';
import { parseTrace, readTrace, type Trace } from '../../host/trace/trace.ts';
import { captureIo } from '../support/io.ts';

async function run(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const { io, written } = captureIo();
  return { code: await command.run(parseArguments(command, words), io), ...written };
}

const fixture = (name: string): string => `${packageRoot}/test/fixtures/traces/${name}.trace`;

test('--json has a row for each trace and policy, with the keys that are promised', async () => {
  const traces = ['mqtt-sub', 'lua-queens'];
  const { code, out } = await run('--traces', traces.map(fixture).join(','), '--policies', 'all', '--json');
  expect(code).toBe(0);
  const { results } = JSON.parse(out);
  expect(results.length).toBe(2 * policyNames.length);
  for (const row of results) {
    expect(Object.keys(row)).toEqual([
      'trace',
      'policy',
      'payloadAlignmentBytes',
      'movesBlocks',
      'peakLiveBytes',
      'footprintBytes',
      'utilisation',
      'cycles',
      'codeBytes',
    ]);
    expect(row.footprintBytes % 16).toBe(0);
    expect(row.utilisation).toBeCloseTo(row.peakLiveBytes / row.footprintBytes, 10);
    expect(row.movesBlocks).toBe(row.policy === 'compact');
  }
});

test('the best policy needs no more than the best recorded peer, on the traces of the package', async () => {
  const { out } = await run(...['bc-pi', 'expat-config', 'lua-queens', 'mqtt-sub'].map(fixture), '--json');
  const { results } = JSON.parse(out) as {
    results: { trace: string; peakLiveBytes: number; footprintBytes: number }[];
  };
  for (const trace of new Set(results.map((row) => row.trace))) {
    const rows = results.filter((row) => row.trace === trace);
    const peer = peerFootprints(trace, rows[0]!.peakLiveBytes)[0]!;
    expect(Math.min(...rows.map(({ footprintBytes }) => footprintBytes))).toBeLessThanOrEqual(peer.footprintBytes);
  }
});

test('a table names the best peer of a recorded trace', async () => {
  const { out } = await run(fixture('mqtt-sub'), '--policies', 'best-fit');
  expect(out).toContain('97.4 umm');
  expect(out).toMatch(/geomean %/);
});

test('a policy without an answer for a trace is in no mean, and that is said', () => {
  const header = '{"name":"large","recorder":"by hand"}';
  const large = parseTrace(`${header}\na 1 300000\n`, 'large.trace');
  const rows = (['compact', 'tlsf'] as const).map((policy) => ({
    ...{ trace: 'large', policy, peakLiveBytes: 300000, cycles: null, codeBytes: null, payloadAlignmentBytes: 8 },
    ...{ movesBlocks: policy === 'compact', footprintBytes: policy === 'compact' ? null : 301000 },
    utilisation: policy === 'compact' ? null : 300000 / 301000,
  }));
  const table = summaryTable(rows, [large]);
  expect(table).toContain('tlsf ');
  expect(table.trimEnd().split('\n').at(-1)).toBe('compact is in no mean: no arena that it can use completes large');
});

test('a policy or a trace that is not there is a Problem', async () => {
  await expect(run('--policies', 'worst-fit')).rejects.toThrow('there is no policy "worst-fit"');
  await expect(run('--traces', '/nonexistent')).rejects.toThrow('the trace /nonexistent cannot be read');
});

test('a folder stands for the traces in it; one without any is a Problem', async () => {
  const { out } = await run('--traces', `${packageRoot}/test/fixtures/traces`, '--policies', 'best-fit', '--json');
  const rows = (JSON.parse(out) as { results: { trace: string }[] }).results;
  expect(rows.map(({ trace }) => trace)).toEqual(['bc-pi', 'expat-config', 'lua-queens', 'mqtt-sub']);
  await expect(run(`${packageRoot}/test/fixtures`)).rejects.toThrow('has no traces');
});

test('--worst with work or a target of the caller is refused', async () => {
  await expect(run('--worst', '--traces', fixture('mqtt-sub'))).rejects.toThrow('constructs its own sequences');
  await expect(run('--worst', '--board', 'puckjs')).rejects.toThrow('constructs its own sequences');
  await expect(run('--worst', fixture('mqtt-sub'))).rejects.toThrow('constructs its own sequences');
});

test('docs/traces.md shows the row that is printed', async () => {
  const page = readFileSync(`${packageRoot}/docs/traces.md`, 'utf8');
  const shown = JSON.parse(page.match(/```json\n(\{\n {2}"trace"[\s\S]*?)```/)![1]!);
  const { out } = await run(fixture('mqtt-sub'), '--policies', 'trie-fit', '--json');
  const [row] = JSON.parse(out).results;
  expect(Object.keys(shown)).toEqual(Object.keys(row));
  expect(shown).toEqual({ ...row, utilisation: Number(row.utilisation.toFixed(4)) });
});

// Sizes of 0, blocks never freed, a realloc of what is not there, CRLF, ids as large as addresses, nothing at all.
test.each([
  ['no operations', ''],
  ['sizes of 0', 'a 0 0\na 1 0\nr 0 0\nf 1\n'],
  ['realloc of no block', 'r 5 100\nr 5 0\nr 5 200\nf 5\n'],
  ['CRLF', 'a 0 10\r\nr 0 20\r\nf 0\r\n'],
  ['large ids', 'a 999999999999999 8\nf 999999999999999\na 999999999999998 8\n'],
])('every policy completes a trace of %s', (_, operations) => {
  const trace = parseTrace(`{"name":"odd"}\n${operations}`, 'odd');
  for (const policy of policyNames) expect(minimumFootprint(policies[policy], trace), policy).not.toBeNull();
});

test('a policy that needs more than the ample arena is metered in a larger one, and not given up', async () => {
  const trace = readTrace(`${packageRoot}/test/fixtures/traces/lua-queens.trace`);
  const arenas: number[] = [];
  const meter = async (_policy: PolicyName, _trace: Trace, arenaBytes: number) => {
    arenas.push(arenaBytes);
    return null;
  };
  const row = await benchRow(trace, 'segregated', meter);
  expect(row.cycles).toBeNull();
  expect(arenas).toEqual([(3 * trace.peakLiveBytes + 4096 + 15) & ~15, (2 * row.footprintBytes! + 15) & ~15]);
});

test.each(['kaluma-pico', 'puckjs'])(
  '%s, interpreted: segregated takes at most half the cycles of first-fit',
  async (board) => {
    const { out } = await run(fixture('mqtt-sub'), '--policies', 'first-fit,segregated', '--board', board, '--json');
    const { results } = JSON.parse(out);
    const [first, fast] = results.map(
      ({ cycles }: { cycles: { target: string; malloc: { mean: number }; free: { mean: number } } }) => {
        expect(cycles.target).toBe(board);
        return cycles.malloc.mean + cycles.free.mean;
      },
    );
    expect(fast).toBeLessThanOrEqual(first / 2);
  },
);

test('--worst has the bound, the steps found and the cycles on both boards', async () => {
  const { code, out } = await run('--worst', '--policies', 'trie-fit', '--json');
  expect(code).toBe(0);
  const [row] = (JSON.parse(out) as { worst: WorstRow[] }).worst;
  expect(row!.policy).toBe('trie-fit');
  expect(Object.keys(row!.cycles)).toEqual(['kaluma-pico', 'puckjs']);
  for (const { steps, bound, sequence } of Object.values(row!.steps)) {
    expect(steps).toBeGreaterThan(10);
    expect(steps).toBeLessThanOrEqual(bound);
    expect(sequence).not.toBe('');
  }
  for (const cycles of Object.values(row!.cycles)) expect(Math.min(...Object.values(cycles!))).toBeGreaterThan(10_000);
});

test('an arena that a board has no room for is said, with the sizes', async () => {
  const words = [fixture('expat-config'), '--policies', 'first-fit', '--board', 'puckjs'];
  const { code, out, err } = await run(...words);
  expect(code).toBe(0);
  expect(err).toContain(
    'expat-config, first-fit: no cycles on puckjs: they are counted in an arena of 35.6 KB, twice the footprint, and its engine has 33.4 KB in all',
  );
  expect(out).not.toContain('cycles on');
});

test('cycles on a board are a table of their own', async () => {
  const words = [fixture('mqtt-sub'), '--policies', 'segregated', '--board', 'kaluma-pico'];
  const { out } = await run(...words);
  expect(out).toMatch(/cycles on kaluma-pico: mean, most +malloc +free +realloc\nmqtt-sub +segregated +\d/);
});
