/**
 * The server of `monitor --web`: the page, a WebSocket for its boards, and each board's recording to keep. Nothing else is
 * answered; who may ask is host/serve/guard.ts.
 *
 *   GET /                      the page
 *   GET /boards/N/recording    the recording as it is now, as a file
 *   GET /live                  the WebSocket (host/serve/protocol.ts)
 */
import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { WebSocketServer } from 'ws';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { PageClient } from './client.ts';
import { isHostAllowed, isOriginAllowed, safetyHeaders } from './guard.ts';
import { type ListenAddress, urlOf } from './listen-address.ts';
import { livePage } from './page.ts';
import type { ServerMessage } from './protocol.ts';
import type { WatchedBoard } from './watched-board.ts';

const MOST_CLIENTS = 32;
const MOST_MESSAGE_BYTES = 4096;
/** A page that answers no ping within this is gone. */
const PING_MS = 15_000;

export interface RunningServer {
  /** For a browser on this machine. */
  url: string;
  close(): Promise<void>;
}

/** Listens. A Problem when the address is taken or not this machine's. */
export async function startServer(boards: readonly WatchedBoard[], address: ListenAddress): Promise<RunningServer> {
  const page = livePage();
  const clients = new Set<PageClient>();
  const statuses = (): ServerMessage => ({ type: 'boards', boards: boards.map(({ status }) => status) });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MOST_MESSAGE_BYTES, perMessageDeflate: false });
  const server = createServer((request, response) => answer(request, response, boards, page, address.host));
  server.on('upgrade', (request, socket, head) => {
    const refusal = refusalOf(request, address.host, sockets.clients.size);
    if (refusal !== null) return refuse(socket, refusal);
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const client = new PageClient(webSocket, boards);
      clients.add(client);
      let isAlive = true;
      const pinging = setInterval(() => {
        if (!isAlive) return webSocket.terminate();
        isAlive = false;
        webSocket.ping();
      }, PING_MS);
      webSocket.on('pong', () => {
        isAlive = true;
      });
      webSocket.on('close', () => {
        clearInterval(pinging);
        clients.delete(client);
      });
      client.say(statuses());
    });
  });
  for (const board of boards) {
    board.onStatus = () => {
      for (const client of clients) client.say(statuses());
    };
  }
  const { port } = await listening(server, address);
  return {
    url: urlOf({ host: address.host, port }),
    close: async () => {
      for (const socket of sockets.clients) socket.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        setTimeout(() => {
          for (const socket of sockets.clients) socket.terminate();
          server.closeAllConnections();
        }, 200).unref();
      });
    },
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  boards: readonly WatchedBoard[],
  page: { html: string; policy: string },
  host: string,
): void {
  const say = (status: number, text: string, type = 'text/plain; charset=utf-8', more = {}): void => {
    response.writeHead(status, { ...safetyHeaders, 'Content-Type': type, ...more });
    response.end(request.method === 'HEAD' ? undefined : text);
  };
  const [, number] = /^\/boards\/(\d{1,3})\/recording$/.exec(request.url ?? '') ?? [];
  const board = number === undefined ? undefined : boards[Number(number)];
  if (!isHostAllowed(request.headers.host, host)) say(403, 'This server is not known by that name.\n');
  else if (request.method !== 'GET' && request.method !== 'HEAD') say(405, 'Only GET.\n', undefined, { Allow: 'GET' });
  else if (request.url === '/') {
    say(200, page.html, 'text/html; charset=utf-8', { 'Content-Security-Policy': page.policy });
  } else if (board !== undefined && request.method === 'GET') sendRecording(response, board, Number(number) + 1);
  else say(404, 'There is nothing here.\n');
}

function sendRecording(response: ServerResponse, { path, sizeBytes }: WatchedBoard, number: number): void {
  response.writeHead(200, {
    ...safetyHeaders,
    'Content-Type': 'application/octet-stream',
    'Content-Length': sizeBytes,
    'Content-Disposition': `attachment; filename="board-${number}.hgrec"`,
  });
  pipeline(createReadStream(path, { end: sizeBytes - 1 }), response).catch(() => response.destroy());
}

/** Why a WebSocket is not opened; null when it is. */
function refusalOf({ url, headers }: IncomingMessage, host: string, clients: number): string | null {
  if (!isHostAllowed(headers.host, host) || !isOriginAllowed(headers.origin, headers.host)) return '403 Forbidden';
  if (url !== '/live') return '404 Not Found';
  return clients >= MOST_CLIENTS ? '503 Service Unavailable' : null;
}

function refuse(socket: Duplex, status: string): void {
  socket.on('error', () => {});
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function listening(server: Server, { host, port }: ListenAddress): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new Problem(
          exitCodes.failed,
          `the page cannot be served at ${host}:${port}`,
          [error.message],
          error.code === 'EADDRINUSE'
            ? 'Give another one: `--web 0` takes any that is free.'
            : 'Give an address of this machine.',
        ),
      ),
    );
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}
