// What telemetry costs: each level costs more than the one below it, the program's own line carries it, the document
// has the figures.
import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { exitCodes } from '../../boards/problem.ts';
import { command } from '../../host/commands/budget.ts';
import type { ProbeCost } from '../../host/probe/probe-cost.ts';
import { documentBoards, documentPath } from '../../scripts/probe-doc.ts';
import { runCommand } from '../view/run-command.ts';

let measured: { board: string; clockHz: number; levels: ProbeCost[] }[];
beforeAll(async () => {
  const { code, out } = await runCommand(command, ['--probe', '--json']);
  expect(code).toBe(exitCodes.done);
  measured = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}, 60_000);

test('all levels exist on both engines, none drops anything under this load', () => {
  expect(measured.map(({ board }) => board)).toEqual(documentBoards);
  for (const { levels } of measured) {
    expect(levels.map(({ level }) => level)).toEqual(['off', 'counters', 'sampled', 'events']);
    for (const { dropped } of levels) expect(dropped).toBe(0);
  }
});

test('off costs nothing, and a level never less than the one below it', () => {
  for (const { board, levels } of measured) {
    const [off, counters, sampled, events] = levels as [ProbeCost, ProbeCost, ProbeCost, ProbeCost];
    expect([off.lineBytes, off.idlePart, off.idleLineBytesPerSecond], board).toEqual([0, 0, 0]);
    expect(counters.addedCallCycles, board).toBeGreaterThan(0);
    expect(sampled.addedCallCycles, board).toBeGreaterThan(counters.addedCallCycles);
    expect(events.addedCallCycles, board).toBeGreaterThan(sampled.addedCallCycles);
    expect(events.lineBytes, board).toBeGreaterThan(sampled.lineBytes);
    expect(sampled.lineBytes, board).toBeGreaterThanOrEqual(counters.lineBytes);
    expect(counters.lineBytes, board).toBeLessThan(0.5);
    // An idle program is not slowed down by a quarter.
    expect(events.idlePart, board).toBeLessThan(0.25);
  }
});

test('docs/probe-cost.md is near what is measured (npx tsx scripts/probe-doc.ts writes it)', () => {
  const document = readFileSync(documentPath, 'utf8');
  const rows = [...document.matchAll(/^\| (off|counters|sampled|events) \| (.+) \|$/gm)];
  const levels = measured.flatMap(({ levels }) => levels);
  expect(rows).toHaveLength(levels.length);
  for (const [index, row] of rows.entries()) {
    const { callCycles, lineBytes } = levels[index]!;
    const cells = row[2]!.split(' | ').map((cell) => Number(cell.replaceAll(' ', '').replace('%', '')));
    expect(cells[0]! / callCycles, row[0]).toBeGreaterThan(0.8);
    expect(cells[0]! / callCycles, row[0]).toBeLessThan(1.25);
    expect(Math.abs(cells[4]! - lineBytes), row[0]).toBeLessThan(0.5);
  }
});

test('what is wrong is said', async () => {
  expect((await runCommand(command, ['--probe', 'some.trace'])).code).toBe(exitCodes.usage);
  expect((await runCommand(command, ['--probe', '--board', 'nonsense'])).code).toBe(exitCodes.usage);
});
