// The scrape's text: its grammar, its counters over restarts and reconnects (T1), many boards, hostile names.
import { afterEach, expect, test, vi } from 'vitest';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { exposition } from '../../host/metrics/exposition.ts';
import { prometheusName } from '../../host/metrics/metric.ts';
import { metrics, readBoard } from '../../host/metrics/metrics.ts';
import { serveMetrics } from '../../host/metrics/serve.ts';
import { OTHER_SITES } from '../../host/monitor/totals.ts';
import { parseListen } from '../../host/serve/listen-address.ts';
import { parseExposition, type TestBoard, testBoard } from './boards.ts';

vi.mock('../../firmware/src/telemetry/observer.ts', () => import('../../firmware/src/telemetry/recorder.ts'));

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const scrape = (...boards: TestBoard[]) => parseExposition(exposition(metrics, boards.map(readBoard)));
const sampled = (board: TestBoard, name: string) =>
  scrape(board).samples.find((sample) => sample.name === `heapglass_${name}`)?.value;
const counters = metrics.filter(({ type }) => type === 'counter').map(prometheusName);

test('a board that said nothing is up, and nothing else of it is made up', () => {
  const board = testBoard('silent');
  const names = scrape(board).samples.map(({ name }) => name);
  expect(names).toContain('heapglass_up');
  expect(names).not.toContain('heapglass_live_bytes');
  expect(names).not.toContain('heapglass_map_exact');
});

test('the values are those of the session', () => {
  const board = testBoard('one');
  board.work(90);
  const { model } = board.session;
  expect(sampled(board, 'live_bytes')).toBe(model.liveBytes);
  expect(sampled(board, 'live_blocks')).toBe(board.live);
  expect(sampled(board, 'largest_free_bytes')).toBe(model.metrics().largestFreeBytes);
  expect(sampled(board, 'arena_bytes')).toBe(16384);
  expect(sampled(board, 'operations_total')).toBe(model.operations);
  expect(sampled(board, 'mallocs_total')).toBe(90);
  expect(sampled(board, 'failed_requests_total')).toBe(1);
  expect(sampled(board, 'misuses_total')).toBe(1);
  expect(sampled(board, 'marks_total')).toBe(1);
  expect(sampled(board, 'map_exact')).toBe(1);
  expect(sampled(board, 'telemetry_level')).toBe(3);
  expect(sampled(board, 'board_info')).toBe(1);
  const { samples } = scrape(board);
  const live = samples.filter(({ name }) => name === 'heapglass_site_live_blocks');
  expect(live.reduce((sum, { value }) => sum + value, 0)).toBe(board.live);
});

test('T1: no counter falls when the board restarts, heard or unheard, or the line is opened again', () => {
  const board = testBoard('one');
  const last = new Map<string, number>();
  const rises = new Map<string, number>();
  const look = (): void => {
    for (const { name, labels, value } of scrape(board).samples) {
      if (!counters.includes(name)) continue;
      const key = `${name} ${labels.site ?? ''}`;
      expect(value, key).toBeGreaterThanOrEqual(last.get(key) ?? 0);
      if (value > (last.get(key) ?? 0)) rises.set(name, (rises.get(name) ?? 0) + 1);
      last.set(key, value);
    }
  };
  board.work(120);
  look();
  board.work(30);
  look();
  expect(sampled(board, 'mallocs_total')).toBe(150);
  expect(sampled(board, 'failed_requests_total')).toBe(2);
  expect(sampled(board, 'board_restarts_total')).toBe(1);
  board.isOpen = false;
  look();
  board.isOpen = true;
  board.reconnects++;
  look();
  // A restart whose hello the line lost: the board's own counters fall.
  const { hear } = board;
  board.hear = (frames) => hear(frames.slice(1));
  board.work(12);
  look();
  board.hear = hear;
  board.work(60);
  look();
  expect(rises.get('heapglass_operations_total')).toBeGreaterThanOrEqual(3);
  expect(rises.get('heapglass_line_reconnects_total')).toBe(1);
  expect(rises.get('heapglass_lost_frames_total')).toBeGreaterThanOrEqual(1);
});

test('losses are counted: frames on the line, damage, and what the board dropped', () => {
  const board = testBoard('one');
  const { hear } = board;
  board.hear = (frames) => {
    hear(frames.slice(0, 1));
    board.session.push(frames[1]!.map((byte, at) => (at === 5 ? byte ^ 0x40 : byte)));
    hear(frames.slice(3));
  };
  board.work(400);
  expect(sampled(board, 'lost_frames_total')).toBe(2);
  expect(sampled(board, 'damaged_bytes_total')).toBeGreaterThan(0);
  expect(sampled(board, 'dropped_events_total')! + sampled(board, 'skipped_events_total')!).toBeGreaterThan(0);
});

test('many boards: each metric once, its boards side by side', () => {
  // One recorder: boards that are heard one after the other.
  const boards = Array.from({ length: 40 }, (_, i) => testBoard(`board${i}`));
  for (const [i, board] of boards.entries()) board.work(10 + i);
  const { samples, types } = scrape(...boards);
  const live = samples.filter(({ name }) => name === 'heapglass_live_blocks');
  expect(live.map(({ labels, value }) => [labels.board, value])).toEqual(boards.map(({ name, live }) => [name, live]));
  expect([...types.keys()].every((name) => name.startsWith('heapglass_'))).toBe(true);
});

test('a hostile name is one label value: no line, quote or series of its own, and alike names are one series', () => {
  const names = [
    'a"} 1\nheapglass_up{board="evil"',
    'back\\slash',
    'bidi\u202e',
    'bidi\u202d',
    '\ud800',
    'x'.repeat(9999),
  ];
  const board = testBoard('one', 'COM3"\n', (site) => names[site % names.length]!);
  board.work(60);
  const { samples } = scrape(board);
  const seen = samples.map(({ name, labels }) => JSON.stringify([name, labels]));
  expect(new Set(seen).size).toBe(seen.length);
  expect(samples.filter(({ name }) => name === 'heapglass_up')).toHaveLength(1);
  for (const { labels } of samples)
    for (const text of Object.values(labels)) expect(text.length).toBeLessThanOrEqual(200);
  expect(samples[0]!.labels.port).toBe('COM3"?');
});

test('a board that claims ever new sites does not fill the scrape', () => {
  const board = testBoard('one');
  board.work(6);
  for (let site = 100; site < 3000; site++) board.session.malloc(64 + 8 * (site % 100), 8, 8, site, 8);
  const sites = scrape(board).samples.filter(({ name }) => name === 'heapglass_site_made_blocks_total');
  expect(sites.length).toBeLessThanOrEqual(130);
  expect(sites.reduce((sum, { value }) => sum + value, 0)).toBe(6 + 2900);
  expect(sites.some(({ labels }) => labels.site === OTHER_SITES)).toBe(true);
});

test('the server: on loopback, only GET /metrics, no foreign name, a taken port is a Problem', async () => {
  const server = await serveMetrics(parseListen('0'), () => 'heapglass_up{} 1\n');
  ends.push(() => server.close());
  expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
  const response = await fetch(server.url);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(response.headers.get('access-control-allow-origin')).toBeNull();
  expect(await response.text()).toBe('heapglass_up{} 1\n');
  expect((await fetch(server.url, { method: 'POST' })).status).toBe(405);
  expect((await fetch(server.url.replace('/metrics', '/etc/passwd'))).status).toBe(404);
  const { port } = new URL(server.url);
  const { request } = await import('node:http');
  const status = await new Promise((resolve) => {
    request({ host: '127.0.0.1', port, path: '/metrics', headers: { Host: 'evil.example' } }, ({ statusCode }) =>
      resolve(statusCode),
    ).end();
  });
  expect(status).toBe(403);
  const taken = await serveMetrics(parseListen(port), () => '').catch((error: unknown) => error);
  expect(taken).toBeInstanceOf(Problem);
  expect((taken as Problem).exitCode).toBe(exitCodes.failed);
  expect(() => parseListen('nonsense')).toThrow(Problem);
  expect(() => parseListen('127.0.0.1:99999')).toThrow(Problem);
  expect(parseListen('[::1]:9464')).toEqual({ host: '::1', port: 9464 });
});
