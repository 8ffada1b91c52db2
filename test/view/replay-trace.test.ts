// `replay` of traces in Node: the smallest footprint as `minimumFootprint` finds it, contents verified, bad input refused.
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exitCodes } from '../../boards/problem.ts';
import { packageRoot } from '../../boards/root.ts';
import { policies } from '../../firmware/src/policies/index.ts';
import { runTrace } from '../../host/bench/footprint.ts';
import { command } from '../../host/commands/replay.ts';
import { TraceRun } from '../../host/replay/trace-run.ts';
import { readTrace } from '../../host/trace/trace.ts';
import { runCommand } from './run-command.ts';

const fixtures = join(packageRoot, 'test/fixtures/traces');
const shared = join(packageRoot, '../shared/traces');
const queens = join(fixtures, 'lua-queens.trace');

function traces(): [name: string, path: string][] {
  if (!existsSync(shared)) console.warn(`${shared} is not there: replaying the traces of test/fixtures only`);
  const folder = existsSync(shared) ? shared : fixtures;
  return readdirSync(folder)
    .filter((name) => name.endsWith('.trace'))
    .map((name) => [name, join(folder, name)]);
}

test.each(traces())(
  '%s: --arena min --json is a footprint that completes, one step less does not',
  async (_name, path) => {
    const { code, out } = await runCommand(command, [path, '--policy', 'best-fit', '--arena', 'min', '--json']);
    const result = JSON.parse(out);
    const trace = readTrace(path);
    expect(code).toBe(exitCodes.done);
    expect(result).toMatchObject({ trace: trace.name, policy: 'best-fit', failures: 0, corruptedPayloads: 0 });
    expect(result.footprintBytes % 16).toBe(0);
    expect(result.utilisation).toBeCloseTo(trace.peakLiveBytes / result.footprintBytes, 12);
    expect(result.verifiedPayloads).toBeGreaterThan(0);
    expect(runTrace(policies['best-fit'], trace, result.footprintBytes)).toBe(-1);
    expect(runTrace(policies['best-fit'], trace, result.footprintBytes - 16)).not.toBe(-1);
  },
);

test('a request that fails is counted, told with its facts, and the exit code is 1', async () => {
  const { code, out } = await runCommand(command, [queens, '--arena', '20000']);
  expect(code).toBe(exitCodes.failed);
  expect(out).toMatch(/failed {11}\d+ requests, first at operation \d+: \d+ B asked, \d+ B free, largest \d+ B/);
});

test('a payload that changed under its holder is caught', () => {
  const run = new TraceRun(readTrace(queens), 'best-fit', 40_000);
  run.advance(200);
  // One byte of every live payload changes, as by a stray write.
  const { heap, offsets } = run as unknown as { heap: { u8: Uint8Array }; offsets: Int32Array };
  for (const offset of offsets) if (offset !== 0) heap.u8[offset]! ^= 1;
  run.advance();
  expect(run.corrupted.length).toBeGreaterThan(0);
});

test('a pipe gets some twenty lines of the same form and the summary', async () => {
  const { out } = await runCommand(command, [queens]);
  const lines = out.split('\n');
  const moments = lines.filter((line) => /^operation [\d ]+ {2}\[.{32}\] {2}live .* blocks \d+$/.test(line));
  expect(moments.length).toBeGreaterThanOrEqual(20);
  expect(moments.length).toBeLessThanOrEqual(23);
  expect(out).toContain('lua-queens: 1 145 operations with trie-fit');
  expect(out).not.toContain('\x1b');
});

test('on a terminal it draws frames in place and leaves the terminal as it was', async () => {
  const { out } = await runCommand(command, [queens, '--speed', '4000'], { isTerminal: true, color: true });
  expect(out.startsWith('\x1b[?1049h')).toBe(true);
  expect(out).toContain('\x1b[?1049l');
  expect(out.lastIndexOf('\x1b[?25h')).toBeGreaterThan(out.lastIndexOf('\x1b[?25l'));
  expect(out.match(/\x1b\[2J/g)!.length).toBeLessThanOrEqual(2);
});

test('bad input: a Problem with its own exit code', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'heapglass-'));
  const cut = join(folder, 'cut.trace');
  writeFileSync(cut, '{"name":"cut"}\na 0 10\nf');
  const cases: [string[], number, RegExp][] = [
    [[join(folder, 'none.trace')], exitCodes.badInput, /cannot be read/],
    [[cut], exitCodes.badInput, /cut\.trace:3: .*cut/],
    [[folder], exitCodes.badInput, /cannot be read/],
    [[], exitCodes.usage, /one file/],
    [[queens, queens], exitCodes.usage, /one file/],
    [[queens, '--policy', 'worst-fit'], exitCodes.usage, /no policy "worst-fit"/],
    [[queens, '--arena', 'huge'], exitCodes.usage, /--arena/],
    [[queens, '--arena', '99999999999'], exitCodes.usage, /an arena of/],
    [[queens, '--arena', '64'], exitCodes.usage, /cannot work in an arena of 64 bytes|--arena/],
  ];
  for (const [words, code, message] of cases) {
    const ran = await runCommand(command, words);
    if (ran.problem === null) expect(ran.code, words.join(' ')).toBe(exitCodes.failed);
    else {
      expect(ran.code, words.join(' ')).toBe(code);
      expect(ran.problem.message).toMatch(message);
    }
  }
});
