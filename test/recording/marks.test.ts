// Marks and site names of a recording: what was set while it was written is in the replay, the report, the exports and
// the comparison, and stays inside its field.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { recorderMark } from '../../firmware/src/telemetry/recorder.ts';
import { rememberBundle } from '../../host/bundle-store.ts';
import { command as exportCommand } from '../../host/commands/export.ts';
import { command as replayCommand } from '../../host/commands/replay.ts';
import { command as reportCommand } from '../../host/commands/report.ts';
import { Keeper } from '../../host/monitor/keeper.ts';
import { Session } from '../../host/monitor/session.ts';
import { Recording } from '../../host/recording/reader.ts';
import { RecordingWriter } from '../../host/recording/writer.ts';
import { loadReport } from '../../host/report/load.ts';
import { reportHtml } from '../../host/view/report/report.ts';
import { runCommand } from '../view/run-command.ts';
import { recordedHeap } from '../wire/device.ts';

vi.mock('../../firmware/src/telemetry/observer.ts', () => import('../../firmware/src/telemetry/recorder.ts'));

const folder = mkdtempSync(join(tmpdir(), 'heapglass-'));
const bundleId = 4711;
const hostile = '\u001b]0;owned\u0007<img src=x onerror=alert(1)>';
const path = join(folder, 'marked.hgrec');
const other = join(folder, 'other.hgrec');
const cacheBefore = process.env.XDG_CACHE_HOME;

/** Three phases of `blocks` each, a mark of who watches after each, one of the program in the middle. */
function record(to: string, blocks: number, texts: (string | undefined)[]): void {
  const { heap, clock, drain } = recordedHeap({ policy: 'best-fit', bytes: 8192, bundleId });
  const keeper = new Keeper(
    new Session({ source: 'test' }),
    new RecordingWriter(to, { startedAt: '2026-01-01T00:00:00Z', source: 'test' }),
  );
  const listen = (): void => {
    clock.ms += 200;
    for (const frame of drain()) keeper.hear(frame);
  };
  for (const text of texts) {
    for (let i = 0; i < blocks; i++) heap.malloc(32, 1);
    recorderMark(9);
    listen();
    keeper.mark(text);
  }
  keeper.close();
}

beforeAll(() => {
  process.env.XDG_CACHE_HOME = folder;
  rememberBundle(
    { id: bundleId, policy: 'best-fit', sites: [{ site: 1, file: 'net.js', line: 41, column: 3, call: 'malloc' }] },
    'net.js',
  );
  record(path, 10, ['ready', undefined, hostile]);
  record(other, 12, ['ready']);
  // Whoever opens the file has never seen the bundle.
  process.env.XDG_CACHE_HOME = join(folder, 'empty');
});
afterAll(() => {
  if (cacheBefore === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = cacheBefore;
  rmSync(folder, { recursive: true, force: true });
});

test('replay: the marks with what was live, sites by their source line', async () => {
  const { out } = await runCommand(replayCommand, [path, '--json']);
  const { marks } = JSON.parse(out);
  expect(marks.map(({ text, by, liveBlocks }: Record<string, unknown>) => [text, by, liveBlocks])).toEqual([
    ['mark 9', 'program', 10],
    ['ready', 'user', 10],
    ['mark 9', 'program', 20],
    ['my mark 1', 'user', 20],
    ['mark 9', 'program', 30],
    [hostile, 'user', 30],
  ]);
  const text = await runCommand(replayCommand, [path]);
  expect(text.out).toContain('ready: ');
  expect(text.out).not.toMatch(/[\x00-\x09\x0b-\x1f]/);
});

test('report: a table of them, the hostile one as text; the site by its line', () => {
  const data = loadReport(path, { policy: 'best-fit', arenaBytes: null });
  expect(data.sites[0]!.name).toBe('net.js:41');
  const page = reportHtml(data);
  expect(page).toContain('<td>my mark 1</td>');
  expect(page).toContain('&lt;img src=x');
  expect(page).not.toContain('<img src=x');
});

test('diff: live bytes at the marks that both have', async () => {
  const { out } = await runCommand(reportCommand, ['diff', path, other, '--json']);
  const at = JSON.parse(out).differences.filter(({ name }: { name: string }) => name.startsWith('live at'));
  expect(at.map(({ name }: { name: string }) => name)).toEqual(['live at mark 9', 'live at ready']);
  expect(at[0].change).toBeGreaterThan(0);
});

test('exports carry them', async () => {
  const run = async (format: string) => (await runCommand(exportCommand, [path, '--format', format])).out;
  expect(
    (await run('jsonl'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ event }) => event === 'userMark')
      .map(({ text }) => text),
  ).toEqual(['ready', 'my mark 1', hostile]);
  const { traceEvents } = JSON.parse(await run('chrome'));
  expect(traceEvents.filter(({ ph }: { ph: string }) => ph === 'i').map(({ name }: { name: string }) => name)).toEqual([
    'mark 9',
    'ready',
    'mark 9',
    'my mark 1',
    'mark 9',
    hostile,
  ]);
  expect((await run('csv')).trimEnd().split('\r\n').at(-1)).toMatch(/,true,5,,$/);
  expect(JSON.parse(await run('speedscope')).shared.frames).toContainEqual({ name: 'net.js:41' });
});

test('a file without marks and sites is read as before, and one cut inside a mark as far as it is whole', () => {
  const recording = new Recording(path);
  const kinds = [...recording.entries()].map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === 'mark')).toHaveLength(3);
  expect(recording.siteName(1, bundleId)).toBe('net.js:41');
  expect(recording.siteName(1, 1)).toBeUndefined();
  recording.close();
});
