// `heapglass flash` in a real terminal: the question which board, its answers, and the progress line at 80 columns.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { exitCodes } from '../../boards/problem.ts';
import { packageRoot } from '../../boards/root.ts';
import { listen } from '../../host/sim/listen.ts';
import { progressText } from '../../host/view/progress.ts';
import { createVirtualBoard } from '../../sim/board/create.ts';
import { hasSocat, openTtyOfTcp } from '../support/tty.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const folder = mkdtempSync(join(tmpdir(), 'heapglass-terminal-'));
const program = join(folder, 'hello.js');
writeFileSync(program, 'print("hi");\n');

/** What udev would say of two boards; serialport asks it by running this. */
function udevOf(...boards: { path: string; vendorId: string; productId: string }[]): void {
  const devices = boards.map(
    ({ path, vendorId, productId }, index) =>
      `P: /devices/${index}\nN: ttyACM${index}\nE: DEVNAME=${path}\nE: ID_VENDOR_ID=${vendorId}\nE: ID_MODEL_ID=${productId}\n`,
  );
  writeFileSync(join(folder, 'udevadm'), `#!/bin/sh\ncat <<END\n${devices.join('\n')}\nEND\n`);
  chmodSync(join(folder, 'udevadm'), 0o755);
}

/** The command in a terminal of its own (socat makes it); keys are typed as they would be. */
function inTerminal(...words: string[]) {
  const script = join(folder, 'run.sh');
  writeFileSync(
    script,
    `#!/bin/sh\nstty cols 80 rows 24\nnode '${join(packageRoot, 'dist', 'heapglass.js')}' ${words.join(' ')}\necho "exit code $?"\n`,
  );
  chmodSync(script, 0o755);
  const terminal: ChildProcess = spawn('socat', ['-t5', '-', `EXEC:${script},pty,setsid,ctty,stderr`], {
    env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
  });
  closers.push(() => terminal.kill());
  let screen = '';
  let wake = () => {};
  terminal.stdout!.on('data', (bytes) => {
    screen += bytes;
    wake();
  });
  return {
    type: (keys: string) => void terminal.stdin!.write(keys),
    /** The text so far, once it holds `pattern`. */
    async until(pattern: RegExp): Promise<string> {
      while (!pattern.test(screen)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return screen;
    },
  };
}

describe.skipIf(!hasSocat || process.platform !== 'linux')('which board, asked in a terminal', () => {
  const absent = { path: '/dev/ttyHeapglassNone', vendorId: '0483', productId: '5740' };

  test('by its number; a number that there is not is asked again', async () => {
    const board = createVirtualBoard(loadBoard('pico_r1_3'), { seed: 1 });
    const listener = await listen(board, { host: '127.0.0.1', port: 0 }, { realTime: true });
    closers.push(() => listener.close());
    const tty = await openTtyOfTcp(listener.port);
    closers.push(() => tty.close());
    udevOf({ ...absent, vendorId: '2e8a', productId: '000a' }, { path: tty.path, vendorId: '0483', productId: '5740' });
    const terminal = inTerminal('flash', program);
    expect(await terminal.until(/Which one, 1 to 2\? /)).toContain(`2  ${tty.path}`);
    terminal.type('7\r');
    await terminal.until(/Which one[\s\S]*Which one, 1 to 2\? /);
    terminal.type('2\r');
    const screen = await terminal.until(/exit code \d+/);
    expect(screen).toContain(`exit code ${exitCodes.done}`);
    expect(screen).toContain('Espruino 2v');
    expect(screen).toMatch(/\r[^\n]*sending[^\n]*13 B of 13 B/);
  });

  test.each([
    ['Ctrl-C', '\x03', exitCodes.interrupted, /interrupted\s+no board was chosen, and nothing was sent/],
    ['the end of the input', '\x04', exitCodes.usage, /no board was chosen/],
  ])('%s instead of a number', async (_, keys, exitCode, message) => {
    udevOf(absent, { ...absent, path: '/dev/ttyHeapglassToo' });
    const terminal = inTerminal('flash', program);
    await terminal.until(/Which one, 1 to 2\? /);
    terminal.type(keys);
    const screen = await terminal.until(/exit code \d+/);
    expect(screen).toContain(`exit code ${exitCode}`);
    expect(screen).toMatch(message);
  });

  test('not at all where --board says it', async () => {
    udevOf({ ...absent, path: '/dev/ttyHeapglassToo', vendorId: '2e8a', productId: '000a' }, absent);
    const terminal = inTerminal('flash', program, '--board', 'pico_r1_3');
    const screen = await terminal.until(/exit code \d+/);
    expect(screen).toContain(`${absent.path} is not there`);
    expect(screen).toContain(`exit code ${exitCodes.noBoard}`);
  });
});

describe('the progress line', () => {
  const progress = { phase: 'backup', doneBytes: 109_000, totalBytes: 524_287, bytesPerSecond: 62_305 } as const;
  const line = (columns?: number) => progressText({ ...progress, remainingMs: 666_600, note: null }, columns);

  test.each([79, 60, 40, 20])('says all that it can in %i columns, never half a word of the time left', (columns) => {
    expect(line(columns).length).toBeLessThanOrEqual(columns);
    if (columns >= 60) expect(line(columns)).toMatch(/666\.6 s left$/);
  });

  test('is whole in a pipe', () => {
    expect(line()).toBe('saving       [#####...................] 106 KB of 512 KB  60.8 KB/s  666.6 s left');
  });
});
