// A hostile board: frames that claim anything, text with escapes and markup, names of sites that are programs of their
// own. Seeded; whatever it sends stays inside its field in the terminal, the lines, the report, the exports and the
// metrics, and takes bounded memory. HEAPGLASS_SEEDS tries more boards (30).
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { HEAD_BYTES, MAX_FRAME_BYTES, MAX_PAYLOAD_BYTES, WIRE_VERSION } from '../../firmware/wire/format.ts';
import { encodeFrame } from '../../firmware/wire/frame.ts';
import { exporters } from '../../host/export/export.ts';
import { exposition } from '../../host/metrics/exposition.ts';
import { metrics, readBoard } from '../../host/metrics/metrics.ts';
import { otlpRequest } from '../../host/metrics/otlp.ts';
import { Keeper } from '../../host/monitor/keeper.ts';
import { Session } from '../../host/monitor/session.ts';
import { Recording } from '../../host/recording/reader.ts';
import { RecordingWriter } from '../../host/recording/writer.ts';
import { loadReport } from '../../host/report/load.ts';
import { drawFrame } from '../../host/view/frame.ts';
import { momentLine } from '../../host/view/lines.ts';
import { reportHtml } from '../../host/view/report/report.ts';
import { parseExposition } from '../metrics/boards.ts';
import { liveMegabytes } from '../support/live-memory.ts';
import { below, type Random, random } from '../wire/random.ts';

const boards = Number(process.env.HEAPGLASS_SEEDS ?? 30);
const folder = mkdtempSync(join(tmpdir(), 'heapglass-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const weapons = [
  '\x1b[2J\x1b[31m',
  '\x1b]0;owned\x07',
  '\x1b]8;;http://evil\x07click',
  '\x9b31m',
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  '</title></script><svg onload=alert(1)>',
  `javascript:alert(1)`,
  '=cmd|"/c calc"!A1',
  '"} 1\nheapglass_up{board="evil"',
  '\u202e\u2066\u200f\ufeff',
  '\ud800',
  '\u0000\r\n\t\b',
  '__proto__',
  'constructor',
  '😀'.repeat(300),
  'x'.repeat(100_000),
];
const pick = (next: Random): string => weapons[below(next, weapons.length)]!;

/** A sound frame of any type with a body of chance: numbers that are large, small and senseless. */
function frame(next: Random, sequence: number): Uint8Array {
  const length = below(next, 4) === 0 ? MAX_PAYLOAD_BYTES : below(next, 60);
  const body = new Uint8Array(HEAD_BYTES + MAX_PAYLOAD_BYTES);
  body[0] = length;
  body[1] = (WIRE_VERSION << 5) | (below(next, 10) === 0 ? below(next, 32) : 1 + below(next, 6));
  body[2] = below(next, 5) === 0 ? below(next, 256) : sequence;
  const high = below(next, 3) === 0 ? 0xff : 0x7f;
  for (let i = 0; i < length; i++) body[HEAD_BYTES + i] = next() < 0.3 ? high : below(next, 256);
  const out = new Uint8Array(MAX_FRAME_BYTES);
  return out.slice(0, encodeFrame(body, 0, HEAD_BYTES + length, out));
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** One hostile board through every view. */
function face(seed: number): void {
  const next = random(seed);
  const names = Array.from({ length: 8 }, () => pick(next) + pick(next));
  const texts: string[] = [];
  const options = { source: pick(next), program: pick(next), onText: (line: string) => void texts.push(line) };
  const session = new Session({ ...options, siteName: (site) => names[site % names.length] });
  const path = join(folder, 'hostile.hgrec');
  const writer = new RecordingWriter(path, {
    startedAt: pick(next),
    source: pick(next),
    program: pick(next),
    sites: Object.fromEntries(names.map((name, site) => [site, name])),
  });
  const keeper = new Keeper(session, writer);
  for (let i = 0; i < 300; i++) {
    if (below(next, 6) === 0) keeper.hear(bytesOf(`${pick(next)}${below(next, 2) ? '\n' : ''}`));
    keeper.hear(frame(next, i & 0xff));
    if (below(next, 50) === 0) keeper.mark(pick(next));
  }
  keeper.close();

  const scene = session.scene('live');
  const shown = drawFrame(scene, { columns: 80, rows: 24, form: 'colour', keys: '' });
  const lines = [...shown.lines('ascii'), momentLine(scene, 'ascii'), momentLine(scene), ...texts];
  for (const line of lines) expect(line, `seed ${seed}`).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f]/);
  for (const line of shown.lines('ascii')) expect(line.length, `seed ${seed}`).toBeLessThanOrEqual(80);

  const page = reportHtml(loadReport(path, { policy: 'best-fit', arenaBytes: null }));
  // The page's own script is in it; what came from the board is not markup.
  for (const tag of ['<script>alert', '<img', '<svg', '</title></script>']) {
    expect(page.includes(tag), `seed ${seed}: ${tag}`).toBe(false);
  }
  expect(page.match(/<\/script>/g), `seed ${seed}`).toHaveLength(2);

  const recording = new Recording(path);
  const exported = (format: string): string => {
    const out: string[] = [];
    exporters[format]!.run(
      recording,
      (text) => out.push(text),
      (site) => names[site % names.length]!,
    );
    return out.join('');
  };
  for (const line of exported('jsonl').trimEnd().split('\n')) JSON.parse(line);
  JSON.parse(exported('chrome'));
  JSON.parse(exported('speedscope'));
  for (const row of exported('csv').trimEnd().split('\r\n').slice(1)) {
    expect(row, `seed ${seed}`).toMatch(/^(-?[\d.e+]*|true|false)(,(-?[\d.e+]*|true|false))*$/);
  }
  recording.close();

  const board = {
    name: pick(next),
    port: pick(next),
    session,
    isOpen: true,
    reconnects: 0,
    startedAtMs: 0,
    heardAtMs: 0,
  };
  const { samples } = parseExposition(exposition(metrics, [readBoard(board)]));
  const keys = samples.map(({ name, labels }) => JSON.stringify([name, labels]));
  expect(new Set(keys).size, `seed ${seed}: no series twice`).toBe(keys.length);
  expect(samples.length, `seed ${seed}`).toBeLessThan(700);
  const pushed = JSON.stringify(otlpRequest(metrics, [readBoard(board)], 0, '0'));
  expect(pushed).not.toMatch(/null|NaN|Infinity/);
}

test(`${boards} hostile boards change nothing outside their fields, and nothing of them stays in memory`, () => {
  const startMb = liveMegabytes();
  for (let seed = 1; seed <= boards; seed++) face(seed);
  expect(liveMegabytes() - startMb).toBeLessThan(30);
});

test('a line that never ends, and text that never does, take no memory', () => {
  const session = new Session({ source: 'test', onText: () => {} });
  const endless = new Uint8Array(1 << 16).fill(0x41);
  const startMb = liveMegabytes();
  for (let i = 0; i < 500; i++) session.push(endless);
  session.push(Uint8Array.of(0));
  for (let i = 0; i < 500; i++) session.push(endless);
  expect(liveMegabytes() - startMb).toBeLessThan(5);
  expect(session.decoder.statistics.bytes).toBe(1000 * endless.length + 1);
});
