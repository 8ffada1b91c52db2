/**
 * A board behind a TCP socket: `tcp://HOST:PORT`, as `heapglass sim --listen`, `socat` and serial servers offer it.
 *
 * Bytes go through unchanged in both directions; there are no modem lines. `write` resolves when the kernel took the
 * bytes, and waits while the other end does not read (back-pressure).
 */
import { createConnection, type Socket } from 'node:net';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { lineLost, openProblem } from './problems.ts';
import type { Transport } from './transport.ts';
import { wallClock } from './wall-clock.ts';

export interface TcpAddress {
  host: string;
  port: number;
}

const connectTimeoutMs = 5_000;

/** Takes `tcp://HOST:PORT` apart (also `rfc2217://`, and IPv6 in brackets). A usage Problem otherwise. */
export function parseAddress(spec: string): TcpAddress {
  const match = /^[a-z0-9]+:\/\/(?:\[([0-9a-f:.]+)\]|([^:/[\]]+)):(\d+)\/?$/i.exec(spec);
  const port = Number(match?.[3]);
  if (!match || port < 1 || port > 65_535) {
    const scheme = spec.split(':')[0];
    throw new Problem(
      exitCodes.usage,
      `"${spec}" is no address`,
      [`the form is ${scheme}://HOST:PORT, with a port from 1 to 65535`],
      `For example ${scheme}://127.0.0.1:4000`,
    );
  }
  return { host: (match[1] ?? match[2])!, port };
}

/** Connects, or gives a Problem: nothing there, refused, no answer within 5 s. */
export function connect(name: string, { host, port }: TcpAddress): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port, noDelay: true, timeout: connectTimeoutMs });
    const fail = (error: NodeJS.ErrnoException) => {
      socket.destroy();
      const isAbsent = /ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT/.test(error.code ?? '');
      reject(
        isAbsent
          ? new Problem(
              exitCodes.noBoard,
              `nothing answers at ${name}`,
              [error.message],
              'Start the other end first (`heapglass sim --listen tcp:PORT`, or the serial server), and check the port.',
            )
          : openProblem(name, error),
      );
    };
    socket.once('error', fail);
    socket.once('timeout', () =>
      fail(Object.assign(new Error(`no connection within ${connectTimeoutMs / 1000} s`), { code: 'ETIMEDOUT' })),
    );
    socket.once('connect', () => {
      socket.off('error', fail);
      socket.removeAllListeners('timeout');
      socket.setTimeout(0);
      resolve(socket);
    });
  });
}

export async function openTcp(spec: string): Promise<Transport> {
  return new SocketTransport(spec, await connect(spec, parseAddress(spec)));
}

/** A transport over a connected socket. `rfc2217.ts` puts its coding between. */
export class SocketTransport implements Transport {
  readonly name: string;
  readonly clock = wallClock;
  readonly #socket: Socket;
  #receiver: (bytes: Uint8Array) => void = () => {};
  #closed: (reason: string) => void = () => {};
  #lostBecause: string | null = null;
  #isClosing = false;
  #isHeard = false;

  constructor(name: string, socket: Socket) {
    this.name = name;
    this.#socket = socket;
    socket.on('data', (bytes) => {
      this.#isHeard = true;
      this.#receiver(bytes);
    });
    socket.on('error', (error) => this.#lost(error.message));
    socket.on('end', () =>
      this.#lost(
        this.#isHeard
          ? 'the other end closed the connection'
          : 'the other end closed the connection before it sent anything: it may take one client at a time',
      ),
    );
    socket.on('close', () => this.#lost('the connection closed'));
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#lostBecause !== null) return reject(lineLost(this.name, this.#lostBecause));
      this.#socket.write(bytes, (error) =>
        error ? reject(lineLost(this.name, this.#lostBecause ?? error.message)) : resolve(),
      );
    });
  }

  onData(receiver: (bytes: Uint8Array) => void): void {
    this.#receiver = receiver;
  }

  onClose(receiver: (reason: string) => void): void {
    this.#closed = receiver;
  }

  async setSignals(): Promise<void> {}

  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#lostBecause ??= 'it was closed';
    await new Promise<void>((resolve) => {
      if (this.#socket.destroyed) return resolve();
      this.#socket.once('close', () => resolve());
      // Until the other end has closed too: it may take one client at a time, and the next one follows at once.
      this.#socket.end();
      // It may never do so, nor take what is still in the buffer.
      setTimeout(() => this.#socket.destroy(), 500).unref();
    });
  }

  #lost(reason: string): void {
    if (this.#lostBecause !== null) return;
    this.#lostBecause = reason;
    this.#socket.destroy();
    this.#closed(reason);
  }
}
