// `advise` and `budget`: the answer fits the board it names and completes the trace; a heap that grew fails.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { packageRoot } from '../../boards/root.ts';
import { type PolicyName, policies } from '../../firmware/src/policies/index.ts';
import { parseArguments } from '../../host/arguments.ts';
import { arenaLimitBytes, recommend } from '../../host/bench/advise.ts';
import { runTrace } from '../../host/bench/footprint.ts';
import type { Command } from '../../host/command.ts';
import { command as advise } from '../../host/commands/advise.ts';
import { command as budget } from '../../host/commands/budget.ts';
import { parseTrace, readTrace } from '../../host/trace/trace.ts';
import { captureIo } from '../support/io.ts';

async function run(command: Command, ...words: string[]): Promise<{ code: number; out: string }> {
  const { io, written } = captureIo();
  return { code: await command.run(parseArguments(command, words), io), out: written.out };
}

const fixture = (name: string): string => `${packageRoot}/test/fixtures/traces/${name}.trace`;

test('the recommended arena completes the trace and fits the board', async () => {
  for (const name of ['mqtt-sub', 'expat-config', 'bc-pi']) {
    const { code, out } = await run(advise, fixture(name), '--json');
    const { recommendation } = JSON.parse(out);
    expect(code).toBe(0);
    expect(recommendation.arenaBytes % 16).toBe(0);
    expect(recommendation.marginBytes).toBeGreaterThan(0);
    expect(recommendation.why).toContain(recommendation.policy);
    expect(arenaLimitBytes(loadBoard(recommendation.board))).toBeGreaterThanOrEqual(recommendation.arenaBytes);
    const policy = policies[recommendation.policy as PolicyName];
    expect(runTrace(policy, readTrace(fixture(name)), recommendation.arenaBytes)).toBe(-1);
  }
});

test('the margin is never an arena in which the trace fails', () => {
  const { buddy } = policies;
  const calls = 'a 0 131; r 0 66; f 0; a 1 118; a 2 45; r 1 179; a 3 160; r 2 21; f 1; r 2 31; r 3 195; f 3';
  const trace = parseTrace(`{"name":"not monotone"}\n${calls.replaceAll('; ', '\n')}\n`, 't');
  expect([736, 832].map((bytes) => runTrace(buddy, trace, bytes) === -1)).toEqual([true, false]);
  const { arenaBytes } = recommend(trace, [{ policy: 'buddy', footprintBytes: 736, movesBlocks: false }]);
  expect(arenaBytes).toBeGreaterThan(832);
  expect(runTrace(buddy, trace, arenaBytes)).toBe(-1);
});

test('a board that is too small is a Problem with its limit', async () => {
  await expect(run(advise, fixture('bc-pi'), '--board', 'microbit1')).rejects.toThrow('needs an arena of');
});

test('policies whose blocks move are proposed only on request', async () => {
  const { out } = await run(advise, fixture('lua-queens'), '--json');
  expect(out).not.toContain('compact');
  expect((await run(advise, fixture('lua-queens'), '--json', '--handles')).out).toContain('compact');
});

test('budget: stored, held, exceeded, missing', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'heapglass-')), 'budget.json');
  await expect(run(budget, fixture('mqtt-sub'), '--baseline', path)).rejects.toThrow('there is no baseline');
  expect((await run(budget, fixture('mqtt-sub'), '--baseline', path, '--update')).code).toBe(0);
  expect((await run(budget, fixture('mqtt-sub'), '--baseline', path)).code).toBe(0);
  expect((await run(budget, fixture('lua-queens'), '--baseline', path)).code).toBe(1);
  const stored = JSON.parse(readFileSync(path, 'utf8'));
  stored.footprintBytes['mqtt-sub'] -= 16;
  writeFileSync(path, JSON.stringify(stored));
  const { code, out } = await run(budget, fixture('mqtt-sub'), '--baseline', path);
  expect([code, out.startsWith('EXCEEDED')]).toEqual([1, true]);
  expect((await run(budget, fixture('mqtt-sub'), '--baseline', path, '--slack', '16')).code).toBe(0);
  writeFileSync(path, '{}');
  await expect(run(budget, fixture('mqtt-sub'), '--baseline', path)).rejects.toThrow('is no baseline');
});
