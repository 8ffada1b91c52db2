// The unmodified npm clients against virtual boards: what they upload runs, and is on the board byte for byte.
import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { packageRoot } from '../../boards/root.ts';
import { listen, parseListen } from '../../host/sim/listen.ts';
import { openPty } from '../../host/sim/pty.ts';
import { createVirtualBoard } from '../../sim/board/create.ts';
import { programAreaOffset } from '../../sim/board/kaluma/program-area.ts';
import type { VirtualBoard } from '../../sim/board/virtual-board.ts';

const clients = join(packageRoot, 'test/clients');
const isInstalled = existsSync(join(clients, 'node_modules/espruino'));
const hasSocat = spawnSync('socat', ['-V']).status === 0;
if (!isInstalled) console.warn('skipped: the npm clients, because they are not installed (npm ci in test/clients)');
else if (!hasSocat) console.warn('skipped: the npm clients over a serial device, because socat is not installed');

const clientMs = 40_000;
const program = `var answer = 42;
function greet(name) {
  print("hello " + name);
}
setTimeout(function () { greet("world"); }, 100);
`;

let folder: string;
const closing: (() => Promise<void>)[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heapglass-clients-'));
  await writeFile(join(folder, 'program.js'), program);
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function serve(boardId: string): Promise<{ board: VirtualBoard; address: string; port: number }> {
  const board = createVirtualBoard(loadBoard(boardId));
  const listener = await listen(board, parseListen('tcp:0'), { realTime: true });
  closing.push(listener.close);
  return { board, address: `tcp://127.0.0.1:${listener.port}`, port: listener.port };
}

async function serveDevice(boardId: string): Promise<{ board: VirtualBoard; path: string }> {
  const { board, port } = await serve(boardId);
  const pty = await openPty(join(folder, `ttyACM${port}`), port);
  closing.push(pty.close);
  return { board, path: pty.path };
}

/**
 * The espruino client opens only serial ports that the system lists, and asks `udevadm` for them; a pseudo-terminal is
 * not among them. So the clients find a `udevadm` that lists this one.
 */
async function list(path: string): Promise<void> {
  const entry = `P: /devices/heapglass\nN: ${path.slice('/dev/'.length)}\nE: DEVNAME=${path}\n`;
  await writeFile(join(folder, 'udevadm'), `#!/bin/sh\ncat <<'END'\n${entry}END\n`, { mode: 0o755 });
}

/** Runs a client; its output when it ends well. */
function client(script: string, ...words: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      cwd: folder,
      timeout: clientMs,
      env: { ...process.env, NO_COLOR: '1', PATH: `${folder}:${process.env.PATH}` },
    };
    execFile(process.execPath, [join(clients, script), ...words], options, (error, out, err) =>
      error ? reject(new Error(`${error.message}\n${out}\n${err}`)) : resolve(out + err),
    );
  });
}

const espruinoCli = (port: string, ...words: string[]) =>
  client('node_modules/espruino/bin/espruino-cli.js', '--no-ble', '-p', port, ...words);
const kalumaCli = (...words: string[]) => client('node_modules/@kaluma/cli/bin/kaluma.js', ...words);

test.skipIf(!isInstalled)(
  'espruino: upload to RAM, then -e',
  async () => {
    const { address } = await serve('pico_r1_3');
    expect(await espruinoCli(address, 'program.js')).toMatch(/Upload Complete/);
    expect(await espruinoCli(address, '-e', 'greet(answer)')).toMatch(/hello 42/);
  },
  100_000,
);

test.skipIf(!isInstalled)(
  'espruino: save on send runs at each power-up',
  async () => {
    const { board, address } = await serve('pico_r1_3');
    expect(await espruinoCli(address, '--config', 'SAVE_ON_SEND=1', 'program.js')).toMatch(/hello world/);
    board.powerCycle();
    expect(await espruinoCli(address, '-e', 'greet(answer)')).toMatch(/hello 42/);
  },
  100_000,
);

test.skipIf(!isInstalled)(
  'espruino: a file to Storage',
  async () => {
    const { board, address } = await serve('pico_r1_3');
    const data = Uint8Array.from({ length: 3000 }, (_, i) => (i * 7) & 255);
    await writeFile(join(folder, 'data.bin'), data);
    await espruinoCli(address, '--storage', 'data.bin:data.bin', '-e', '1');
    expect(Buffer.from(board.flash.bytes).indexOf(Buffer.from(data))).toBeGreaterThan(0);
  },
  100_000,
);

test.skipIf(!isInstalled || !hasSocat)(
  'espruino: upload over a serial device',
  async () => {
    const { path } = await serveDevice('pico_r1_3');
    await list(path);
    expect(await espruinoCli(path, 'program.js')).toMatch(/Upload Complete/);
    expect(await espruinoCli(path, '-e', 'greet(answer)')).toMatch(/hello 42/);
  },
  100_000,
);

test.skipIf(!isInstalled || !hasSocat)(
  'espruino: packets over a serial device, plain and compressed, there and back',
  async () => {
    const { path } = await serveDevice('pico_r1_3');
    await list(path);
    const said = await client('packets.cjs', path);
    expect(JSON.parse(said.match(/^{"plain.*$/m)![0])).toEqual({ plain: true, packed: true, sum: [42, { a: 'b' }] });
  },
  100_000,
);

test.skipIf(!isInstalled || !hasSocat)(
  '@kaluma/cli: write, then erase, over a serial device',
  async () => {
    const { board, path } = await serveDevice('kaluma-pico');
    const stored = () => Buffer.from(board.flash.bytes.subarray(programAreaOffset, programAreaOffset + program.length));
    expect(await kalumaCli('write', join(folder, 'program.js'), '-p', path)).toMatch(/Done/);
    expect(stored().toString()).toBe(await readFile(join(folder, 'program.js'), 'utf8'));
    expect(await kalumaCli('erase', '-p', path)).toMatch(/Done/);
    expect(stored().every((byte) => byte === 0xff)).toBe(true);
  },
  100_000,
);
