// The command line of `sim`: how long it runs, and what it refuses.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exitCodes } from '../../boards/problem.ts';
import { packageRoot } from '../../boards/root.ts';
import { parseArguments } from '../../host/arguments.ts';
import { command } from '../../host/commands/sim.ts';
import { captureIo } from '../support/io.ts';

async function sim(...words: string[]): Promise<{ out: string; err: string }> {
  const { io, written } = captureIo();
  expect(await command.run(parseArguments(command, words), io)).toBe(exitCodes.done);
  return written;
}

test.each([
  ['--seconds', '3'],
  ['--for', '3000'],
])('%s %s runs for three seconds of virtual time', async (option, value) => {
  const state = JSON.parse((await sim('--board', 'puckjs', option, value, '--json')).out) as { virtualMs: number };
  // The board has been on for less than one event's time more than asked.
  expect(Math.round(state.virtualMs / 100)).toBe(30);
});

test('--seconds and --for together are refused', async () => {
  await expect(sim('--seconds', '1', '--for', '1000')).rejects.toThrow('give one of them');
});

test('what a program prints is shown without the frames of its telemetry, with --raw with them', async () => {
  const program = join(packageRoot, 'examples/ring-logger.js');
  const shown = await sim(program, '--board', 'puckjs', '--seconds', '3');
  expect(shown.out).not.toMatch(/[\x00-\x09\x0b\x0c\x0e-\x1f]/);
  expect(shown.err).toMatch(/\d+ telemetry frames not shown; `heapglass monitor sim:puckjs --program .*ring-logger/);
  expect((await sim(program, '--board', 'puckjs', '--seconds', '3', '--raw')).out).toContain('\0');
});

const programOf = (code: string): string => {
  const path = join(mkdtempSync(join(tmpdir(), 'heapglass-sim-')), 'program.js');
  writeFileSync(path, code);
  return path;
};

test.each(['puckjs', 'kaluma-pico'])('%s: what a program prints in UTF-8 comes out as UTF-8', async (board) => {
  const program = programOf("console.log('23 \u00b0C, \u20ac 5');");
  for (const raw of [[], ['--raw']]) {
    expect((await sim(program, '--board', board, '--seconds', '1', ...raw)).out).toContain('23 \u00b0C, \u20ac 5');
  }
});

test('--listen with --seconds ends by itself; --link without --pty is refused', async () => {
  expect((await sim('--listen', 'tcp:0', '--for', '1')).err).toBe('');
  await expect(sim('--link', '/tmp/tty')).rejects.toThrow('--link is the path of --pty');
});

test('--call of what gives no value has one in its JSON all the same', async () => {
  const { out } = await sim(programOf('function run() {}'), '--call', 'run()', '--json');
  expect(JSON.parse(out)).toMatchObject({ value: null, load: {} });
});
