// The main job end to end, on boards of both engines: bundle, flash protocol, paced line, decoder, model, report.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { exitCodes } from '../../boards/problem.ts';
import { packageRoot } from '../../boards/root.ts';
import { command } from '../../host/commands/demo.ts';
import { runOnBoard } from '../../host/demo/board-run.ts';
import { planReplay } from '../../host/demo/plan.ts';
import { readTrace } from '../../host/trace/trace.ts';
import { runCommand } from './run-command.ts';

const queens = join(packageRoot, 'test/fixtures/traces/lua-queens.trace');
const folder = mkdtempSync(join(tmpdir(), 'heapglass-'));
const report = join(folder, 'report.html');

describe.each([
  ['kaluma-pico', 1145],
  ['puckjs', 167],
])('demo --board %s', (board, ops) => {
  test('flashes, runs all operations, and the host has the board’s own map at the end', async () => {
    const { code, out } = await runCommand(command, ['--board', board, '--json', '--report', report]);
    expect(JSON.parse(out)).toMatchObject({
      ...{ board, ops, failures: 0, damagedPayloads: 0, framesLost: 0, framesBad: 0, eventsDropped: 0 },
      ...{ hostAgreesWithBoard: true, flash: { isVerified: true, attempts: 1 }, report },
    });
    expect(code).toBe(exitCodes.done);
  });
});

test('a pipe gets progress on err, moments and the summary on out, no escape sequence', async () => {
  const { code, out, err } = await runCommand(command, ['--report', report]);
  expect(code).toBe(exitCodes.done);
  expect(err).toContain('all 1 145 operations of lua-queens');
  expect(err).toMatch(/sending {6}\[#{24}\]/);
  expect(err).toMatch(/reading back \[#{24}\]/);
  expect(out.match(/^ +\d+\.\d s {2}\[.{32}\] {2}live /gm)!.length).toBeGreaterThan(8);
  expect(out).toContain('agree on every byte of the map');
  expect(out).toContain(report);
  expect(out + err).not.toContain('\x1b');
});

test('the same seed gives the same bytes', async () => {
  const plan = planReplay(loadBoard('kaluma-pico'), readTrace(queens), { policy: 'first-fit', seconds: 3 });
  const runs = [await runOnBoard(plan, 7), await runOnBoard(plan, 7)];
  const [first, second] = runs.map(({ session, boardSeconds, report }) => ({
    statistics: session.decoder.statistics,
    boardSeconds,
    report,
  }));
  expect(second).toEqual(first);
});

test('the report is one whole file: nothing to load, every figure as text, data that cannot leave its element', () => {
  const page = readFileSync(report, 'utf8');
  expect(page.includes("default-src 'none'")).toBe(true);
  expect(/(?:src|href)\s*=\s*["']?(?:https?:)?\/\//i.test(page)).toBe(false);
  expect(page.match(/<\/script/g)!.length).toBe(2);
  for (const words of ['What it means', 'largest free block', 'lua-queens', 'Call sites'])
    expect(page).toContain(words);
});

test('bad input: a Problem with its own exit code', async () => {
  const cases: [string[], number, RegExp][] = [
    [['--board', 'pukjs'], exitCodes.usage, /no board "pukjs"/],
    [['--board', 'microbit1'], exitCodes.tooBig, /no useful part of the trace/],
    [['--board', 'puckjs', '--arena', '90000'], exitCodes.tooBig, /larger than the heap of puckjs/],
    [['--trace', join(folder, 'none.trace')], exitCodes.badInput, /cannot be read/],
    [['--policy', 'worst'], exitCodes.usage, /no policy "worst"/],
    [['file'], exitCodes.usage, /takes no file/],
  ];
  for (const [words, code, message] of cases) {
    const { problem } = await runCommand(command, words);
    expect(problem?.message, words.join(' ')).toMatch(message);
    expect(problem?.exitCode).toBe(code);
  }
});
