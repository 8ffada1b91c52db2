// The server of `monitor --web`: who may ask (W1 to W3), and that a page costs no more than it asks for (C1, C2).
import { request } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { command } from '../../host/commands/monitor.ts';
import { isHostAllowed, isOriginAllowed } from '../../host/serve/guard.ts';
import { defaultWebAddress, parseListen, urlOf } from '../../host/serve/listen-address.ts';
import { MOST_PIECE_BYTES, PIECE_HEAD_BYTES, type ServerMessage } from '../../host/serve/protocol.ts';
import { runCommand } from '../view/run-command.ts';
import { type Watched, watchedLines } from './watched.ts';

let open: Watched | null = null;
const sockets: WebSocket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await open?.close();
  open = null;
});

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

function get(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { headers, method }, (response) => {
      let body = '';
      response.setEncoding('latin1');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }));
    });
    asking.on('error', reject);
    asking.end();
  });
}

const liveUrl = (url: string): string => `${url.replace('http', 'ws')}live`;

/** A page's socket; rejects with the status when it is refused. */
function connect(url: string, headers: Record<string, string>): Promise<WebSocket> {
  const socket = new WebSocket(liveUrl(url), { headers });
  sockets.push(socket);
  return new Promise((resolve, reject) => {
    socket.on('open', () => resolve(socket));
    socket.on('unexpected-response', (_, response) => reject(new Error(String(response.statusCode))));
    socket.on('error', reject);
  });
}

const pageOf = (url: string): Promise<WebSocket> => connect(url, { Origin: url.slice(0, -1) });

function read(socket: WebSocket, from: number, bytes: number, board = 0, id = 7): Promise<Buffer> {
  socket.send(JSON.stringify({ type: 'read', id, board, from, bytes }));
  return new Promise((resolve) => {
    const hear = (data: Buffer, isBinary: boolean) => {
      if (!isBinary || data.readUInt32LE(0) !== id) return;
      socket.off('message', hear);
      resolve(data.subarray(PIECE_HEAD_BYTES));
    };
    socket.on('message', hear);
  });
}

const closed = (socket: WebSocket): Promise<number> => new Promise((resolve) => socket.on('close', resolve));

describe('who may ask', () => {
  test('W1: an address, localhost, or the name it listens on; no foreign name', () => {
    for (const host of [
      '127.0.0.1:8137',
      'localhost:8137',
      'localhost',
      '[::1]:8137',
      '192.168.1.7:80',
      'pi.lan:8137',
    ]) {
      expect(isHostAllowed(host, 'pi.lan'), host).toBe(true);
    }
    for (const host of [
      undefined,
      '',
      'evil.example:8137',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'a b',
      'x@y',
    ]) {
      expect(isHostAllowed(host, '127.0.0.1'), String(host)).toBe(false);
    }
  });

  test('W2: the very origin of the page, scheme and port included', () => {
    expect(isOriginAllowed('http://127.0.0.1:8137', '127.0.0.1:8137')).toBe(true);
    for (const origin of [undefined, 'null', 'https://127.0.0.1:8137', 'http://127.0.0.1:9', 'http://evil.example']) {
      expect(isOriginAllowed(origin, '127.0.0.1:8137'), String(origin)).toBe(false);
    }
  });

  test('W1, W2: the server refuses foreign hosts, and sockets of foreign pages', async () => {
    open = await watchedLines('board');
    const { url } = open.server;
    expect((await get(url, { Host: 'evil.example' })).status).toBe(403);
    await expect(connect(url, { Origin: 'http://evil.example' })).rejects.toThrow('403');
    await expect(connect(url, {})).rejects.toThrow('403');
    await expect(connect(url, { Origin: url.slice(0, -1), Host: 'evil.example' })).rejects.toThrow('403');
    await pageOf(url);
  });

  test('W3: the page with its policy; nothing else is there', async () => {
    open = await watchedLines('board');
    const { url } = open.server;
    const page = await get(url);
    expect(page.status).toBe(200);
    expect(page.body).toContain('data-live="yes"');
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*/);
    expect(page.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
    });
    for (const path of ['package.json', '../package.json', 'boards/7/recording', 'boards/0/..%2f..', 'live']) {
      expect((await get(url + path)).status, path).toBe(404);
    }
    expect((await get(url, {}, 'POST')).status).toBe(405);
  });
});

describe('a page', () => {
  test('reads what is there, waits for what is not, and hears of a line that is lost and back', async () => {
    const served = await watchedLines('sim:one', 'sim:two');
    open = served;
    const { server, lines, boards } = served;
    const socket = await pageOf(server.url);
    const heard: string[] = [];
    socket.on('message', (data, isBinary) => {
      if (!isBinary) heard.push(String(data));
    });
    const begin = await read(socket, 0, 64);
    expect(begin.toString('latin1')).toContain('HEAPGLAS');
    const at = boards[1]!.sizeBytes;
    const waiting = read(socket, at, 1000, 1);
    await new Promise((resolve) => setTimeout(resolve, 120));
    lines[1]!.send(new TextEncoder().encode('hello from two\n'));
    expect((await waiting).toString('latin1')).toContain('hello from two');
    lines[0]!.lose('pulled');
    const first = () => (JSON.parse(heard.at(-1)!) as ServerMessage).boards[0];
    await expect.poll(first).toMatchObject({ state: 'lost', reason: 'pulled' });
    await expect.poll(first, { timeout: 3000 }).toMatchObject({ state: 'live', reason: null });
    expect(lines[0]!.opened).toBe(2);
  });

  test('C1: a page that reads nothing costs nothing; a late one gets all of it from the beginning', async () => {
    const served = await watchedLines('board');
    open = served;
    const { server, lines, boards } = served;
    await pageOf(server.url);
    const noise = new Uint8Array(64 * 1024).fill(0x41);
    for (let i = 0; i < 64; i++) lines[0]!.send(noise);
    const late = await pageOf(server.url);
    let at = 0;
    while (at < 4 << 20) at += (await read(late, at, MOST_PIECE_BYTES)).length;
    expect(at).toBeGreaterThanOrEqual(4 << 20);
    expect(boards[0]!.sizeBytes).toBeGreaterThan(4 << 20);
    const saved = await get(`${server.url}boards/0/recording`);
    expect(saved.headers['content-disposition']).toContain('board-1.hgrec');
    expect(saved.body.startsWith('HEAPGLAS')).toBe(true);
  });

  test('C2: a page that says what is not understood is cut off', async () => {
    open = await watchedLines('board');
    const { url } = open.server;
    const wrong = [
      'not json',
      '{"type":"read"}',
      JSON.stringify({ type: 'read', id: 1, board: 9, from: 0, bytes: 10 }),
      JSON.stringify({ type: 'read', id: 1, board: 0, from: -1, bytes: 10 }),
      JSON.stringify({ type: 'read', id: 1, board: 0, from: 0, bytes: 1e9 }),
    ];
    for (const text of wrong) {
      const socket = await pageOf(url);
      const code = closed(socket);
      socket.send(text);
      expect(await code, text).toBe(1008);
    }
    const greedy = await pageOf(url);
    const code = closed(greedy);
    for (let id = 0; id < 20; id++) greedy.send(JSON.stringify({ type: 'read', id, board: 0, from: 1e6, bytes: 1 }));
    expect(await code).toBe(1008);
    const long = await pageOf(url);
    const ended = closed(long);
    long.send('x'.repeat(100_000));
    expect(await ended).toBe(1009);
  });
});

test('--web: a port, a host and a port; loopback unless told', () => {
  expect(parseListen(defaultWebAddress)).toEqual({ host: '127.0.0.1', port: 8137 });
  expect(parseListen('0')).toEqual({ host: '127.0.0.1', port: 0 });
  expect(parseListen('0.0.0.0:80')).toEqual({ host: '0.0.0.0', port: 80 });
  expect(parseListen('[::]:9000')).toEqual({ host: '::', port: 9000 });
  for (const wrong of ['', 'x', '70000', 'a:b', 'host:', '1:2:3']) expect(() => parseListen(wrong), wrong).toThrow();
  expect(urlOf({ host: '0.0.0.0', port: 80 })).toBe('http://127.0.0.1:80/');
});

test('an address that is taken is a Problem', async () => {
  open = await watchedLines('board');
  const { port } = new URL(open.server.url);
  const taken = await runCommand(command, ['sim:kaluma-pico', '--web', port]);
  expect(taken.problem?.message).toContain('cannot be served');
});
