/**
 * The scrape endpoint: `GET /metrics`, on loopback unless told otherwise. Reads only, answers nothing else, and gives no
 * other origin's page a way to read it: no CORS header, and no Host but an address or a name of this machine.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { isHostAllowed } from '../serve/guard.ts';
import type { ListenAddress } from '../serve/listen-address.ts';
import { expositionType } from './exposition.ts';

/** The port that OpenTelemetry's own Prometheus exporter takes. */
export const defaultScrapeAddress = '127.0.0.1:9464';
export interface MetricsServer {
  /** `http://127.0.0.1:9464/metrics`. */
  url: string;
  close(): Promise<void>;
}

/** Listens; a Problem when the address is taken or not this machine's. `body` is called for each scrape. */
export async function serveMetrics({ host, port }: ListenAddress, body: () => string): Promise<MetricsServer> {
  const server = createServer((request, response) => answer(request, response, host, body));
  await listening(server, host, port);
  const address = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(request: IncomingMessage, response: ServerResponse, name: string, body: () => string): void {
  const say = (status: number, type: string, text: string): void => {
    response.writeHead(status, {
      'Content-Type': type,
      'Content-Length': Buffer.byteLength(text),
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'no-store',
    });
    response.end(request.method === 'HEAD' ? '' : text);
  };
  const plain = 'text/plain; charset=utf-8';
  const path = (request.url ?? '/').split('?')[0];
  if (!isHostAllowed(request.headers.host, name)) say(403, plain, 'this is another host\n');
  else if (request.method !== 'GET' && request.method !== 'HEAD') say(405, plain, 'only GET\n');
  else if (path === '/metrics') say(200, expositionType, body());
  else if (path === '/') say(200, plain, 'Heapglass: the metrics are at /metrics\n');
  else say(404, plain, 'the metrics are at /metrics\n');
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const advice =
        error.code === 'EADDRINUSE'
          ? 'Another program has the port: give another one.'
          : 'Give an address of this machine.';
      reject(new Problem(exitCodes.failed, `cannot listen on ${host}:${port}`, [error.code ?? error.message], advice));
    });
    server.listen({ host, port }, resolve);
  });
}
