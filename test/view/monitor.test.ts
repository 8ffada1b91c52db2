// `monitor` without a terminal or a board: noise, silence, a lost line, keys, JSON; and a real program on a virtual board.
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { command } from '../../host/commands/monitor.ts';
import { Controls } from '../../host/monitor/controls.ts';
import { History } from '../../host/monitor/history.ts';
import { watch } from '../../host/monitor/watch.ts';
import type { Transport } from '../../host/transport/transport.ts';
import { runCommand } from './run-command.ts';
import { sampleScene } from './sample-scene.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A TCP "board" that does `serve` with each connection; its port's spec. */
async function board(serve: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    serve(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `tcp://127.0.0.1:${(server.address() as { port: number }).port}`;
}

test('pure noise is called noise, and ends with its own exit code', async () => {
  const noise = Uint8Array.from({ length: 4000 }, (_, at) => Math.imul(at + 1, 0x9e3779b1) >>> 17);
  const port = await board((socket) => socket.write(noise));
  const { code, problem, err } = await runCommand(command, ['--port', port, '--seconds', '1']);
  expect(code).toBe(exitCodes.noBoard);
  expect(problem!.message).toContain('no telemetry came');
  expect(err).toMatch(/came, none of it telemetry or text: another baud rate/);
});

test('text without telemetry is said to be that, its control characters harmless', async () => {
  const port = await board((socket) => socket.write('\x1b[31mhello\x1b]0;owned\x07 world\r\n'.repeat(40)));
  const { problem, err } = await runCommand(command, ['--port', port, '--seconds', '1']);
  expect(problem!.facts.join()).toContain('the program sends no telemetry');
  expect(err).toContain('hello');
  expect(err).not.toMatch(/[\x00-\x09\x0b-\x1f]/);
});

test('silence and a port that is not there', async () => {
  const port = await board(() => {});
  expect((await runCommand(command, ['--port', port, '--seconds', '1'])).problem!.facts).toContain('not one byte came');
  const none = await runCommand(command, ['--port', 'tcp://127.0.0.1:1', '--seconds', '1']);
  expect(none.problem!.exitCode).toBe(exitCodes.noBoard);
  expect(none.out).toBe('');
  expect((await runCommand(command, [])).code).toBe(exitCodes.usage);
  expect((await runCommand(command, ['--port', 'nonsense'])).code).toBe(exitCodes.usage);
});

/** A transport on a clock of its own, which the test ends when it likes. */
function scripted(loseAfterMs: number, bytes: Uint8Array): Transport {
  let nowMs = 0;
  let receive: (bytes: Uint8Array) => void = () => {};
  let lose: (reason: string) => void = () => {};
  return {
    name: 'scripted',
    clock: {
      nowMs: () => nowMs,
      sleep: async (ms) => {
        nowMs += ms;
        if (nowMs === 50) receive(bytes);
        if (nowMs >= loseAfterMs) lose('pulled');
      },
    },
    write: async () => {},
    onData: (receiver) => {
      receive = receiver;
    },
    onClose: (receiver) => {
      lose = receiver;
    },
    setSignals: async () => {},
    close: async () => {},
  };
}

test('a lost line is opened again, and what was heard before stays', async () => {
  const heard: number[] = [];
  const said: string[] = [];
  let opened = 0;
  const open = async () => {
    opened++;
    if (opened === 2) throw new Problem(exitCodes.noBoard, 'not there yet', [], '');
    return scripted(opened === 1 ? 200 : Number.POSITIVE_INFINITY, Uint8Array.of(opened));
  };
  await watch({
    transport: await open(),
    reopen: open,
    onBytes: (bytes) => heard.push(...bytes),
    onLost: (reason) => said.push(`lost: ${reason}`),
    onBack: () => said.push('back'),
    onMoment: () => {},
    ...{ stepMs: 50, signal: new AbortController().signal, forMs: 500, paced: false, retryMs: 1 },
  });
  expect(heard).toEqual([1, 3]);
  expect(said).toEqual(['lost: pulled', 'lost: not there yet', 'back']);
});

test('keys: pause holds the picture, arrows go through the past, / filters, q ends', () => {
  const history = new History();
  for (let at = 0; at < 10; at++) history.add(at * 100, () => ({ ...sampleScene, atMs: at * 100 }));
  let quits = 0;
  let marks = 0;
  const controls = new Controls(history, { quit: () => quits++, mark: () => marks++ });
  let now = 5000;
  const shown = () => controls.shown(() => ({ ...sampleScene, atMs: now }));

  expect(shown().state).toBe('live');
  controls.press('p');
  expect(shown()).toMatchObject({ state: 'paused', atMs: 5000 });
  now = 6000;
  expect(shown().atMs).toBe(5000);
  controls.press('p');
  expect(shown().atMs).toBe(6000);

  controls.press('\x1b[D');
  expect(shown()).toMatchObject({ state: 'past', atMs: 900 });
  controls.press('\x1b[D');
  expect(shown().atMs).toBe(800);
  controls.press('\x1b[H');
  expect(shown().atMs).toBe(0);
  controls.press('\x1b[F');
  expect(shown().state).toBe('live');

  for (const key of ['/', 'N', 'e', 'x', '\x7f', 't']) controls.press(key);
  expect(shown().message).toBe('filter: Net_');
  controls.press('\r');
  expect(shown().sites.map(({ name }) => name)).toEqual(['src/net.js:41']);

  for (const key of ['m', 'q', '\x03']) controls.press(key);
  expect([marks, quits]).toEqual([1, 2]);
});

test('a scene of the past keeps its blocks though the model goes on', () => {
  let blocks: [number, number, number][] = [[0, 64, 1]];
  const history = new History();
  history.add(0, () => ({ ...sampleScene, walk: (visit) => blocks.forEach((block) => void visit(...block)) }));
  blocks = [];
  const kept: number[] = [];
  history.at(0)!.walk((...block) => kept.push(...block));
  expect(kept).toEqual([0, 64, 1]);
});
