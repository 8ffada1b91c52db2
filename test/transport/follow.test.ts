// A port that comes back under another path: ttys of this machine, with what the system would enumerate put in.
import { afterEach, describe, expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { exitCodes } from '../../boards/problem.ts';
import { openFlasher } from '../../host/flash/open.ts';
import { watch } from '../../host/monitor/watch.ts';
import { listen } from '../../host/sim/listen.ts';
import { PortFollower } from '../../host/transport/follow.ts';
import { type PortInfo, platformBinding, type SerialBinding } from '../../host/transport/serial.ts';
import type { Transport } from '../../host/transport/transport.ts';
import { createVirtualBoard } from '../../sim/board/create.ts';
import { hasSocat, openTtyOfTcp, openTtyPair, type TtyPair } from '../support/tty.ts';

const pico = { vendorId: '2e8a', productId: '000a' };
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** The platform's binding with an enumeration of ours. */
async function enumerating(ports: () => PortInfo[]): Promise<SerialBinding> {
  const { open } = await platformBinding();
  return { list: async () => ports(), open };
}

async function ttys(): Promise<TtyPair> {
  const pair = await openTtyPair();
  closers.push(() => pair.close());
  return pair;
}

async function opened(opening: Promise<Transport>): Promise<Transport> {
  const transport = await opening;
  closers.push(() => transport.close());
  return transport;
}

describe.skipIf(!hasSocat)('a port that was lost', () => {
  test('is followed to another path by its serial number, past a like board on the old path', async () => {
    const [first, second, neighbour] = [await ttys(), await ttys(), await ttys()];
    let ports: PortInfo[] = [{ path: first.a, ...pico, serialNumber: 'E661' }];
    const follower = new PortFollower(first.a, { binding: await enumerating(() => ports) });
    const before = await opened(follower.open());
    expect(before.name).toBe(first.a);
    await before.close();
    // The board beside it was given its path.
    ports = [
      { path: first.a, ...pico, serialNumber: 'E662' },
      { path: neighbour.a, vendorId: '0403', productId: '6001', serialNumber: 'E661' },
      { path: second.a, ...pico, serialNumber: 'E661' },
    ];
    expect((await opened(follower.open())).name).toBe(second.a);
  });

  test('is waited for while it is away, and another board on its path is not taken for it', async () => {
    const first = await ttys();
    let ports: PortInfo[] = [{ path: first.a, ...pico, serialNumber: 'E661' }];
    const follower = new PortFollower(first.a, { binding: await enumerating(() => ports) });
    await (await follower.open()).close();
    ports = [{ path: first.a, ...pico, serialNumber: 'E662' }];
    const problem = await follower.open().catch((error) => error);
    expect(problem).toMatchObject({ exitCode: exitCodes.noBoard });
    expect(problem.facts.join()).toMatch(/another device has its path now \(USB 2e8a:000a, serial number E662\)/);
    ports = [{ path: first.a, ...pico, serialNumber: 'E661' }];
    expect((await opened(follower.open())).name).toBe(first.a);
  });

  test('without a serial number it is the only new port with its vendor and product', async () => {
    const [first, second, neighbour] = [await ttys(), await ttys(), await ttys()];
    const other: PortInfo = { path: neighbour.a, ...pico };
    let ports: PortInfo[] = [{ path: first.a, ...pico }, other];
    const follower = new PortFollower(first.a, { binding: await enumerating(() => ports) });
    await (await follower.open()).close();
    ports = [other, { path: second.a, vendorId: '2E8A', productId: '000A' }];
    expect((await opened(follower.open())).name).toBe(second.a);
  });

  test('a port that is not enumerated is opened by its path again', async () => {
    const first = await ttys();
    const follower = new PortFollower(first.a, { binding: await enumerating(() => []) });
    await (await follower.open()).close();
    expect((await opened(follower.open())).name).toBe(first.a);
  });

  test('a watch goes on with the same session where the board has come back', async () => {
    const [first, second] = [await ttys(), await ttys()];
    let ports: PortInfo[] = [{ path: first.a, ...pico, serialNumber: 'E661' }];
    const binding = await enumerating(() => ports);
    const follower = new PortFollower(first.a, { binding });
    const device = async (path: string) => opened(new PortFollower(path).open());
    let heard = '';
    const said: string[] = [];
    const stop = new AbortController();
    const say = async (path: string, text: string) => (await device(path)).write(new TextEncoder().encode(text));
    const until = async (text: string) => {
      for (let tries = 0; tries < 500 && !heard.includes(text); tries++)
        await new Promise((done) => setTimeout(done, 10));
      expect(heard).toContain(text);
    };
    const watching = watch({
      ...{ transport: await follower.open(), reopen: () => follower.open(), stepMs: 20, retryMs: 50, paced: false },
      onBytes: (bytes) => {
        heard += new TextDecoder().decode(bytes);
      },
      onLost: (reason) => said.push(reason),
      onBack: () => said.push('back'),
      onMoment: () => {},
      signal: stop.signal,
    });
    await say(first.b, 'before;');
    await until('before;');
    ports = [];
    first.close();
    await new Promise((done) => setTimeout(done, 200));
    ports = [{ path: second.a, ...pico, serialNumber: 'E661' }];
    await say(second.b, 'after;');
    await until('before;after;');
    stop.abort();
    await watching;
    expect(said.at(-1)).toBe('back');
    expect(said.length).toBeGreaterThan(1);
  });

  test('a board is flashed again where it has come back', { timeout: 20_000 }, async () => {
    const board = createVirtualBoard(loadBoard('kaluma-pico'), { seed: 1 });
    const listener = await listen(board, { host: '127.0.0.1', port: 0 }, { realTime: true });
    closers.push(() => listener.close());
    const first = await openTtyOfTcp(listener.port);
    let ports: PortInfo[] = [{ path: first.path, ...pico, serialNumber: 'E661' }];
    const follower = new PortFollower(first.path, { binding: await enumerating(() => ports) });
    const transport = await opened(follower.open());
    await (await openFlasher(transport)).flasher.upload(new TextEncoder().encode('print(1);\n'));
    const lost = new Promise((resolve) => transport.onClose(resolve));
    first.close();
    await lost;
    const second = await openTtyOfTcp(listener.port);
    closers.push(() => second.close());
    ports = [{ path: second.path, ...pico, serialNumber: 'E661' }];
    const { flasher } = await openFlasher(await opened(follower.open()));
    expect(new TextDecoder().decode(await flasher.read())).toBe('print(1);\n');
  });
});
