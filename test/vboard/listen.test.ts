// A board as others reach it: over TCP on loopback, and as a serial device.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SerialPort } from 'serialport';
import { afterEach, expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { packageRoot } from '../../boards/root.ts';
import { listen, parseListen } from '../../host/sim/listen.ts';
import { openPty } from '../../host/sim/pty.ts';
import { createVirtualBoard } from '../../sim/board/create.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve(boardId: string): Promise<number> {
  const listener = await listen(createVirtualBoard(loadBoard(boardId)), parseListen('tcp:0'), { realTime: true });
  closing.push(listener.close);
  expect(listener.host).toBe('127.0.0.1');
  return listener.port;
}

/** What comes until it matches. */
async function expectFrom(stream: NodeJS.ReadableStream, pattern: RegExp): Promise<string> {
  let said = '';
  while (!pattern.test(said)) {
    const [chunk] = (await once(stream, 'data', { signal: AbortSignal.timeout(10_000) })) as [Buffer];
    said += chunk.toString('latin1');
  }
  return said;
}

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

test.each([
  ['tcp:4000', '127.0.0.1', 4000],
  ['4000', '127.0.0.1', 4000],
  ['tcp:0.0.0.0:4000', '0.0.0.0', 4000],
  ['tcp://[::1]:0', '::1', 0],
])('%s listens on %s', (spec, host, port) => {
  expect(parseListen(spec)).toEqual({ host, port });
});

test('a wrong address is a usage problem', () => {
  expect(() => parseListen('udp:1')).toThrow('no address');
});

test('a client talks to the board, leaves, and another finds its state', async () => {
  const port = await serve('pico_r1_3');
  const first = await dial(port);
  first.write('\x10var a=41\n\x05');
  await expectFrom(first, /Espruino 2v29\.277 PICO_R1_3/);
  const refused = await dial(port);
  await once(refused, 'close');
  first.destroy();
  await once(first, 'close');
  await new Promise((resolve) => setTimeout(resolve, 50));
  const second = await dial(port);
  second.write('a+1\n');
  await expectFrom(second, /=42\r\n>/);
  second.destroy();
});

const hasSocat = spawnSync('socat', ['-V']).status === 0;
if (!hasSocat) console.warn('skipped: the serial device of a virtual board, because socat is not installed');

test.skipIf(!hasSocat)('a serial device: opened, closed and opened again', async () => {
  const port = await serve('kaluma-pico');
  const path = join(tmpdir(), `heapglass-test-${process.pid}-${port}`);
  const pty = await openPty(path, port);
  closing.push(pty.close);
  for (let round = 0; round < 2; round++) {
    const serial = new SerialPort({ path, baudRate: 115200, autoOpen: false });
    await new Promise<void>((resolve, reject) => serial.open((error) => (error ? reject(error) : resolve())));
    serial.write('1+1\r');
    await expectFrom(serial, /\x1b\[95m2\x1b\[0m\r\n/);
    await new Promise<void>((resolve) => serial.close(() => resolve()));
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
});

/** Whether a process of this machine names `path`. */
const isNamed = (path: string): boolean =>
  spawnSync('ps', ['-A', '-o', 'args'], { encoding: 'utf8' })
    .stdout.split('\n')
    .some((line) => line.includes(`link=${path}`));

// The tests of a run share no path, so what is left is this test's.
test.skipIf(!hasSocat).each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const)(
  'sim --pty that ends by %s leaves no socat behind',
  async (signal) => {
    const path = join(tmpdir(), `heapglass-test-${process.pid}-${signal}`);
    const command = [join(packageRoot, 'dist', 'heapglass.js'), 'sim', '--board', 'puckjs', '--pty', '--link', path];
    const sim = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'ignore'] });
    const exit = once(sim, 'exit');
    await expectFrom(sim.stdout, /Puck\.js at/);
    expect(isNamed(path)).toBe(true);
    sim.kill(signal);
    await exit;
    await expect.poll(() => isNamed(path)).toBe(false);
  },
);
