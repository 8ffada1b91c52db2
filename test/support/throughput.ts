/**
 * How much of an upload's time the host adds to what the protocol and the line take anyway.
 *
 * All protocols here send and then wait for an answer, so an upload is a chain of exchanges:
 *
 *   host   write ........ write |                    | write ...
 *   line   [ bytes / rate      ]                     | [ ...
 *   board                       [ turn-around ][ans.]|
 *          <----------- ideal of an exchange ------->
 *
 * The ideal of an exchange is its bytes at the line's rate and the turn-around that the board took (from the last byte's
 * arrival to the answer's), so nothing but the host's own time makes an upload longer than the sum of its ideals.
 */
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPty } from '../../host/sim/pty.ts';
import { openTransport } from '../../host/transport/open.ts';
import type { Transport } from '../../host/transport/transport.ts';

const XON = 0x11;
const XOFF = 0x13;

export interface Exchange {
  bytes: number;
  /** On the transport's clock, in milliseconds. */
  startMs: number;
  /** When the line has carried the last byte, had it gone on without a gap since the writes. */
  carriedMs: number;
  answeredMs: number;
}

export interface Observed {
  transport: Transport;
  exchanges: Exchange[];
}

/** The transport, with every exchange on it written down. `bytesPerSecond`: what the line carries to the board. */
export function observe(inner: Transport, bytesPerSecond: number): Observed {
  const exchanges: Exchange[] = [];
  let wireFreeMs = 0;
  let isAnswered = true;
  const transport: Transport = {
    name: inner.name,
    clock: inner.clock,
    write: (bytes) => {
      const nowMs = inner.clock.nowMs();
      if (isAnswered) exchanges.push({ bytes: 0, startMs: nowMs, carriedMs: nowMs, answeredMs: nowMs });
      isAnswered = false;
      const exchange = exchanges.at(-1)!;
      wireFreeMs = Math.max(wireFreeMs, nowMs) + (bytes.length * 1000) / bytesPerSecond;
      exchange.bytes += bytes.length;
      exchange.carriedMs = wireFreeMs;
      return inner.write(bytes);
    },
    onData: (receiver) =>
      inner.onData((bytes) => {
        if (bytes.some((byte) => byte !== XON && byte !== XOFF)) {
          isAnswered = true;
          const exchange = exchanges.at(-1);
          if (exchange) exchange.answeredMs = inner.clock.nowMs();
        }
        receiver(bytes);
      }),
    onClose: (receiver) => inner.onClose(receiver),
    setSignals: (signals) => inner.setSignals(signals),
    close: () => inner.close(),
  };
  return { transport, exchanges };
}

/** The least that the exchanges could take on that line with that board. */
export function idealMs(exchanges: readonly Exchange[], bytesPerSecond: number): number {
  return exchanges.reduce(
    (sum, { bytes, carriedMs, answeredMs }) =>
      sum + (bytes * 1000) / bytesPerSecond + Math.max(0, answeredMs - carriedMs),
    0,
  );
}

/**
 * The same exchanges over a tty, on this machine and now, with somebody who knows no protocol: answers each with one byte
 * when the line and the board would have taken their time. Milliseconds in all; what is more than the ideal is the
 * machine's: its ttys, sockets, timers, and whoever else uses it.
 */
export async function bareMs(exchanges: readonly Exchange[], bytesPerSecond: number): Promise<number> {
  let current: { leftBytes: number; takesMs: number; startMs: number | null } | null = null;
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      if (!current) return;
      current.startMs ??= performance.now();
      current.leftBytes -= bytes.length;
      if (current.leftBytes > 0) return;
      setTimeout(() => socket.write('k'), Math.max(0, current.startMs + current.takesMs - performance.now()));
    });
  });
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  );
  const pty = await openPty(join(tmpdir(), `heapglass-bare-${process.pid}-${port}`), port);
  const transport = await openTransport(pty.path);
  const startMs = performance.now();
  for (const exchange of exchanges) {
    const answered = new Promise<void>((resolve) => transport.onData(() => resolve()));
    current = { leftBytes: exchange.bytes, takesMs: idealMs([exchange], bytesPerSecond), startMs: null };
    await transport.write(new Uint8Array(exchange.bytes));
    await answered;
  }
  const elapsedMs = performance.now() - startMs;
  await transport.close();
  await pty.close();
  server.close();
  return elapsedMs;
}
