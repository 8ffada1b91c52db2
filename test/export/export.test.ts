// Exports of one recording: what each format says is what the heap did, hostile names stay inside their field.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { exitCodes } from '../../boards/problem.ts';
import { command } from '../../host/commands/export.ts';
import { TelemetryDecoder } from '../../host/model/decoder.ts';
import { HeapModel } from '../../host/model/heap-model.ts';
import { RecordingWriter } from '../../host/recording/writer.ts';
import { runCommand } from '../view/run-command.ts';
import { recordedHeap } from '../wire/device.ts';

vi.mock('../../firmware/src/telemetry/observer.ts', () => import('../../firmware/src/telemetry/recorder.ts'));

const folder = mkdtempSync(join(tmpdir(), 'heapglass-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'run.hgrec');
const hostile = '=cmd|"\u001b[31m</script>,\n';
let model: HeapModel;

beforeAll(() => {
  const { heap, clock, drain } = recordedHeap({ policy: 'best-fit', bytes: 8192 });
  const writer = new RecordingWriter(path, {
    startedAt: '',
    source: 'sim:pico',
    sites: { '1': 'app.js:4', '2': hostile },
  });
  model = new HeapModel();
  const decoder = new TelemetryDecoder(model);
  const live: number[] = [];
  for (let i = 0; i < 900; i++) {
    if (i % 3 === 2) heap.free(live.shift()!);
    else live.push(heap.malloc(8 + (i % 40), 1 + (i % 4 === 0 ? 2 : i % 2)));
    if (i === 500) heap.malloc(100_000, 2);
    clock.ms += 3;
    for (const frame of drain()) {
      writer.line(frame, clock.ms);
      decoder.push(frame);
    }
  }
  clock.ms += 200;
  for (const frame of drain()) {
    writer.line(frame, clock.ms);
    decoder.push(frame);
  }
  writer.close();
});

const exported = async (format: string): Promise<string> => {
  const { code, out } = await runCommand(command, [path, '--format', format]);
  expect(code).toBe(exitCodes.done);
  return out;
};

test('csv: numbers only, and the last row is the heap at the end', async () => {
  const rows = (await exported('csv')).trimEnd().split('\r\n');
  const names = rows[0]!.split(',');
  for (const row of rows.slice(1)) expect(row).toMatch(/^[\d.]+(,[\d.]+){12},(true|false),\d+,\d*,\d*$/);
  const last = Object.fromEntries(
    rows
      .at(-1)!
      .split(',')
      .map((value, index) => [names[index], value]),
  );
  expect(last).toMatchObject({
    operations: String(model.operations),
    live_bytes: String(model.liveBytes),
    exact: 'true',
  });
});

test('jsonl: an event a line, as many as were heard', async () => {
  const lines = (await exported('jsonl'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.filter(({ event }) => event === 'malloc')).toHaveLength(model.mallocs);
  expect(lines.filter(({ event }) => event === 'free')).toHaveLength(model.frees);
  expect(lines.find(({ event }) => event === 'failure')).toMatchObject({ size: 100_000, site: 2 });
});

test('chrome: valid trace events in order of time', async () => {
  const { traceEvents } = JSON.parse(await exported('chrome'));
  const counters = traceEvents.filter((event: { ph: string }) => event.ph === 'C');
  expect(counters.at(-3).args).toMatchObject({ live: model.liveBytes });
  const times = counters.map(({ ts }: { ts: number }) => ts);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  const failed = traceEvents.find((event: { name: string }) => event.name === 'request failed');
  expect(failed.args).toMatchObject({ size: 100_000, site: hostile });
});

test('speedscope: a frame a site, weights that add up', async () => {
  const { shared, profiles } = JSON.parse(await exported('speedscope'));
  expect(shared.frames.map(({ name }: { name: string }) => name).sort()).toEqual(
    [hostile, 'app.js:4', 'site 3'].sort(),
  );
  const [live] = profiles;
  expect(live.endValue).toBe(model.liveBytes);
  expect(live.weights.reduce((sum: number, bytes: number) => sum + bytes, 0)).toBe(live.endValue);
  expect(live.samples).toHaveLength(live.weights.length);
});

test('--out writes the same; what is wrong is said', async () => {
  const out = join(folder, 'run.csv');
  expect((await runCommand(command, [path, '--format', 'csv', '--out', out])).out).toBe('');
  expect(readFileSync(out, 'utf8')).toBe(await exported('csv'));
  expect((await runCommand(command, [path, '--format', 'xls'])).code).toBe(exitCodes.usage);
  expect((await runCommand(command, [join(folder, 'absent'), '--format', 'csv'])).code).toBe(exitCodes.badInput);
});
