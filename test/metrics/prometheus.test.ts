// A real Prometheus (Debian's package) scrapes `monitor --prometheus` on two virtual boards; its HTTP API has the values,
// every expression of the dashboard runs on it, and its promtool finds nothing to say about the text.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { packageRoot } from '../../boards/root.ts';
import { bundle } from '../../firmware/toolchain/bundle.ts';
import { command } from '../../host/commands/monitor.ts';
import { listen, parseListen } from '../../host/sim/listen.ts';
import { createVirtualBoard } from '../../sim/board/create.ts';
import { runCommand } from '../view/run-command.ts';
import { parseExposition } from './boards.ts';

const hasPrometheus = spawnSync('prometheus', ['--version']).status === 0;
if (!hasPrometheus) console.warn('skipped: a real Prometheus, because prometheus is not installed');

const boards = { kitchen: 'kaluma-pico', garden: 'puckjs' };
const folder = mkdtempSync(join(tmpdir(), 'heapglass-'));
const ends: (() => unknown)[] = [];
let api = '';
let metricsUrl = '';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

interface Result {
  metric: Record<string, string>;
  value: [number, string];
}

async function query(expression: string): Promise<Result[]> {
  const response = await fetch(`${api}/api/v1/query?query=${encodeURIComponent(expression)}`);
  const { status, data, error } = (await response.json()) as {
    status: string;
    data: { result: Result[] };
    error?: string;
  };
  expect(status, `${expression}: ${error}`).toBe('success');
  return data.result;
}

/** Until the query gives as many results. */
async function waitFor(expression: string, count: number): Promise<Result[]> {
  for (let tries = 0; ; tries++) {
    const found = await query(expression).catch((error: unknown) => {
      if (tries > 100) throw error;
      return [];
    });
    if (found.length >= count) return found;
    if (tries > 100) throw new Error(`${expression} has ${found.length} results`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

beforeAll(async () => {
  if (!hasPrometheus) return;
  const ports: string[] = [];
  for (const [name, id] of Object.entries(boards)) {
    const board = loadBoard(id);
    const entry = join(packageRoot, 'examples', 'leaky-sensor.js');
    const { code } = await bundle({ entry, board });
    const listener = await listen(createVirtualBoard(board, { program: code }), parseListen('tcp:0'), {
      realTime: true,
    });
    ends.push(listener.close);
    ports.push(`${name}=tcp://127.0.0.1:${listener.port}`);
  }
  const stop = new AbortController();
  const scrapePort = await freePort();
  metricsUrl = `http://127.0.0.1:${scrapePort}/metrics`;
  const watching = runCommand(command, [...ports, '--prometheus', `127.0.0.1:${scrapePort}`], { signal: stop.signal });
  ends.push(async () => {
    stop.abort();
    const { problem } = await watching;
    expect(problem).toBeNull();
  });

  const config = join(folder, 'prometheus.yml');
  writeFileSync(
    config,
    `global: { scrape_interval: 500ms }
scrape_configs:
  - job_name: heapglass
    static_configs: [{ targets: ['127.0.0.1:${scrapePort}'] }]
`,
  );
  const apiPort = await freePort();
  api = `http://127.0.0.1:${apiPort}`;
  const prometheus: ChildProcess = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${apiPort}`,
      '--log.level=error',
    ],
    { stdio: 'ignore' },
  );
  ends.push(async () => {
    const gone = new Promise((resolve) => prometheus.once('exit', resolve));
    prometheus.kill();
    await gone;
  });
  await waitFor('heapglass_live_blocks > 0', 2);
}, 30_000);

afterAll(async () => {
  for (const end of ends.reverse()) await end();
  rmSync(folder, { recursive: true, force: true });
});

test.skipIf(!hasPrometheus)('it has the values of both boards, under their names', async () => {
  for (const name of Object.keys(boards)) {
    const one = async (metric: string) =>
      Number((await waitFor(`heapglass_${metric}{board="${name}"}`, 1))[0]!.value[1]);
    expect(await one('up')).toBe(1);
    expect(await one('arena_bytes')).toBe(2048);
    expect(await one('telemetry_level')).toBe(3);
    const operations = async () =>
      parseExposition(await (await fetch(metricsUrl)).text()).samples.find(
        (sample) => sample.name === 'heapglass_operations_total' && sample.labels.board === name,
      )!.value;
    const before = await operations();
    await waitFor(`heapglass_operations_total{board="${name}"} >= ${before}`, 1);
    const scraped = await one('operations_total');
    expect(scraped).toBeGreaterThan(0);
    expect(await operations()).toBeGreaterThanOrEqual(scraped);
    expect(await query(`heapglass_lost_frames_total{board="${name}"} > 0`)).toEqual([]);
  }
  const [info] = await query('heapglass_board_info{board="kitchen"}');
  expect(info!.metric).toMatchObject({ job: 'heapglass', policy: 'trie-fit', clock_khz: '125000' });
});

test.skipIf(!hasPrometheus)('every expression of the dashboard runs on it', async () => {
  const dashboard = JSON.parse(readFileSync(join(packageRoot, 'docs', 'grafana-dashboard.json'), 'utf8'));
  let full = 0;
  for (const { targets } of dashboard.panels) {
    for (const { expr } of targets) full += (await query(expr.replaceAll('$board', '.*'))).length > 0 ? 1 : 0;
  }
  expect(full).toBeGreaterThan(10);
});

test.skipIf(!hasPrometheus)('promtool finds nothing wrong with the text', async () => {
  const text = await (await fetch(metricsUrl)).text();
  const { status, stderr, stdout } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  expect(`${stderr}${stdout}`).toBe('');
  expect(status).toBe(0);
});
