// The command as a process: what it does when its output, its files and its life are taken from it.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { exitCodes } from '../../boards/problem.ts';
import { packageRoot } from '../../boards/root.ts';

const heapglass = join(packageRoot, 'dist/heapglass.js');
const trace = join(packageRoot, 'test/fixtures/traces/mqtt-sub.trace');
const station = join(packageRoot, 'examples/weather-station.js');
const folder = mkdtempSync(join(tmpdir(), 'heapglass-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  out: string;
  err: string;
}

/** Runs a shell line in which `heapglass` is the built command; once it has written `until` it gets `signal`. */
function shell(line: string, until?: RegExp, signal: NodeJS.Signals = 'SIGINT'): Promise<Ended> {
  const command = `"${process.execPath}" "${heapglass}" `;
  const started = spawn('sh', [
    '-c',
    line.replace(/^heapglass /, `exec ${command}`).replace(/heapglass (?=[a-z])/, command),
  ]);
  const ended = { out: '', err: '' };
  let isSent = false;
  for (const name of ['out', 'err'] as const) {
    started[`std${name}`].on('data', (bytes) => {
      ended[name] += bytes;
      if (!isSent && until?.test(ended[name])) isSent = started.kill(signal);
    });
  }
  return new Promise((resolve) => started.on('close', (code, signal) => resolve({ code, signal, ...ended })));
}

describe.skipIf(!existsSync('/dev/full'))('a full disk', () => {
  test.each([
    ['boards', 'the output'],
    [`replay ${trace} --json`, 'the output'],
  ])('under the output of %s', async (words, what) => {
    const { code, err } = await shell(`heapglass ${words} > /dev/full`);
    expect(err).toContain(`heapglass: ${what} cannot be written\n  no space left on device\n`);
    expect(code).toBe(exitCodes.badInput);
  });

  test.each([
    `report ${trace} --out /dev/full`,
    `budget ${trace} --update --baseline /dev/full`,
    'demo --report /dev/full',
    'monitor --page /dev/full',
    `bundle ${station} --board puckjs --out /dev/full`,
    `monitor sim:kaluma-pico --program ${station} --seconds 1 --record /dev/full`,
  ])('under %s', async (words) => {
    const { code, err } = await shell(`heapglass ${words} > /dev/null`);
    expect(err).toMatch(/\/dev\/full cannot be written\n {2}no space left on device\n/);
    expect(err).not.toMatch(/^\s+at /m);
    expect(code).toBe(exitCodes.badInput);
  });

  test('under the progress stops no work', async () => {
    const { code, out } = await shell(`heapglass flash ${station} --board puckjs --dry-run --json 2> /dev/full`);
    expect(code).toBe(exitCodes.done);
    expect(JSON.parse(out).upload.isVerified).toBe(true);
  });
});

test.each([
  [`compile --out ${trace}/x`, 'a part of the path is a file, not a folder'],
  [`demo --report ${trace}/x/y`, 'a part of the path is a file, not a folder'],
  [`report ${trace} --out ${folder}`, 'it is a folder, not a file'],
  [`export ${folder} --format csv`, 'it is no regular file: records are read from any place of it'],
  [`calibrate --port sim:kaluma-pico --output ${folder}/no/where`, 'its folder does not exist'],
])('%s: %s', async (words, reason) => {
  const { code, err } = await shell(`heapglass ${words}`);
  expect(err).toContain(`\n  ${reason}\n`);
  expect(code).toBe(exitCodes.badInput);
});

test('a folder that cannot be made ends the search for one that can', async () => {
  if (!existsSync('/proc/self')) return console.warn('skipped: /proc is where Node itself never ends');
  const { code, err } = await shell('heapglass compile --out /proc/no/where');
  expect(err).toContain('cannot be written');
  expect(code).toBe(exitCodes.badInput);
});

test('a reader that has enough is no error, and ends what runs', async () => {
  const { out, err } = await shell(`( heapglass sim ${station} --seconds 3000 --raw; echo $? >&2 ) | head -c 10`);
  expect(out).toHaveLength(10);
  expect(err).toBe('0\n');
});

test('of several boards, a word that can never name a port is refused', async () => {
  const { code, err } = await shell('heapglass monitor sim:puckjs nonsense');
  expect(err).toContain('heapglass: "nonsense" names no port\n');
  expect(code).toBe(exitCodes.usage);
});

describe('signals', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s: the recording is complete', async (signal) => {
    const path = join(folder, `${signal}.hgrec`);
    const words = `monitor sim:kaluma-pico --program ${station} --record ${path}`;
    const { code, err } = await shell(`heapglass ${words}`, /telemetry comes/, signal);
    expect([code, err]).toEqual([exitCodes.done, expect.not.stringContaining('cut')]);
    const { code: replayed, err: cut } = await shell(`heapglass export ${path} --format csv`);
    expect([replayed, cut]).toEqual([exitCodes.done, '']);
    expect(readFileSync(path).length).toBeGreaterThan(200);
  });

  test('work that leaves nothing behind ends at once', async () => {
    const { signal } = await shell('heapglass bench --worst', /first-fit/);
    expect(signal).toBe('SIGINT');
  });
});
