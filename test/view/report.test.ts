// Reports and recordings: a run on a virtual board recorded by `monitor`, replayed, reported, compared, cut.
import { copyFileSync, mkdtempSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { exitCodes } from '../../boards/problem.ts';
import { packageRoot } from '../../boards/root.ts';
import { command as replay } from '../../host/commands/replay.ts';
import { command as report } from '../../host/commands/report.ts';
import { planReplay } from '../../host/demo/plan.ts';
import { bundlePlan } from '../../host/demo/program.ts';
import { RecordingWriter } from '../../host/recording/writer.ts';
import { loadReport } from '../../host/report/load.ts';
import { readTrace } from '../../host/trace/trace.ts';
import { openSim } from '../../host/transport/sim.ts';
import { reportHtml } from '../../host/view/report/report.ts';
import { createVirtualBoard } from '../../sim/board/create.ts';
import { runCommand } from './run-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'heapglass-'));
const queens = join(packageRoot, 'test/fixtures/traces/lua-queens.trace');
const expat = join(packageRoot, 'test/fixtures/traces/expat-config.trace');

test('a trace becomes one page with its key frames', async () => {
  const out = join(folder, 'queens.html');
  const ran = await runCommand(report, [queens, '--out', out, '--policy', 'best-fit']);
  expect(ran.code).toBe(exitCodes.done);
  expect(ran.out).toContain(out);
  const page = readFileSync(out, 'utf8');
  const data = JSON.parse(/id="data">(.*?)<\/script>/s.exec(page)![1]!);
  expect(data.keyFrames.length).toBeGreaterThan(50);
  expect(data.keyFrames.at(-1).cells).toMatch(/^[0-9c]+ *$/);
  expect(data).toMatchObject({ policy: 'best-fit', clock: 'operations' });
});

test('a hostile site name stays text, in the page and in its JSON', () => {
  const data = loadReport(queens, { policy: 'first-fit', arenaBytes: null });
  const name = '</script><script>alert(1)</script><img src=x onerror=alert(1)>\x1b[2J\u202e';
  const page = reportHtml({
    ...data,
    title: name,
    sites: [{ name, liveBytes: 1, liveBlocks: 1, mallocs: 1 }],
    summary: [name],
  });
  expect(page.match(/<script/g)!.length).toBe(2);
  expect(page.includes('<img')).toBe(false);
  expect(/[\x1b\u202e]/.test(page)).toBe(false);
});

test('diff says what changed, in words and as JSON', async () => {
  const { out } = await runCommand(report, ['diff', expat, queens]);
  expect(out).toMatch(/^peakLiveBytes +[\d.]+ KB +[\d.]+ KB +\+[\d.]+ KB$/m);
  const json = JSON.parse((await runCommand(report, ['diff', queens, queens, '--json'])).out);
  expect(json.differences.every(({ change }: { change: number }) => change === 0)).toBe(true);
});

test('bad input', async () => {
  const noise = join(folder, 'noise.bin');
  writeFileSync(noise, Buffer.from([1, 2, 3, 4]));
  for (const command of [report, replay]) {
    expect((await runCommand(command, [noise])).code).toBe(exitCodes.badInput);
    expect((await runCommand(command, [join(folder, 'none')])).code).toBe(exitCodes.badInput);
    expect((await runCommand(command, [])).code).toBe(exitCodes.usage);
  }
  expect((await runCommand(report, ['diff', queens])).code).toBe(exitCodes.usage);
});

const recorded = join(folder, 'run.hgrec');

beforeAll(async () => {
  const facts = loadBoard('kaluma-pico');
  const plan = planReplay(facts, readTrace(queens), { policy: 'first-fit', seconds: 12 });
  const { code } = await bundlePlan(plan);
  const transport = await openSim(facts.id, { board: createVirtualBoard(facts, { program: code }) });
  const writer = new RecordingWriter(recorded, {
    startedAt: '2026-01-01T00:00:00.000Z',
    source: 'sim:kaluma-pico',
    program: 'queens',
  });
  transport.onData((bytes) => writer.line(bytes, transport.clock.nowMs()));
  // The board decides the pace: long enough for all 1,145 operations at any.
  await transport.clock.sleep(30_000);
  await transport.close();
  writer.close();
});

test('a recording is replayed to the map that the board had, and reported', async () => {
  const ran = await runCommand(replay, [recorded, '--json']);
  expect(ran.code).toBe(exitCodes.done);
  expect(JSON.parse(ran.out)).toMatchObject({
    cutBytes: 0,
    lostFrames: 0,
    atEnd: { mallocs: 485, frees: 484, liveBlocks: 1 },
  });
  const lines = await runCommand(replay, [recorded]);
  expect(lines.out.split('\n').filter((line) => line.includes('live ')).length).toBeGreaterThan(3);
  const page = join(folder, 'run.html');
  expect((await runCommand(report, [recorded, '--out', page])).out).toContain('Nothing was lost');
  expect(readFileSync(page, 'utf8').includes('Recorded 2026-01-01')).toBe(true);
});

test('a recording cut anywhere is replayed as far as it is sound, and the cut is said', async () => {
  const { size } = statSync(recorded);
  const whole = JSON.parse((await runCommand(replay, [recorded, '--json'])).out).frames as number;
  for (let part = 1; part < 10; part++) {
    const path = join(folder, `cut-${part}.hgrec`);
    copyFileSync(recorded, path);
    truncateSync(path, Math.floor((size * part) / 10));
    const { code, out, err, problem } = await runCommand(replay, [path, '--json']);
    if (problem !== null) expect(code).toBe(exitCodes.badInput);
    else {
      const { frames, cutBytes, damagedBytes } = JSON.parse(out);
      expect(frames).toBeLessThanOrEqual(whole);
      expect(damagedBytes).toBeLessThan(300);
      if (cutBytes > 0) expect(err).toContain('the recording was cut');
    }
  }
});
