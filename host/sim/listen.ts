/**
 * A virtual board behind a TCP port: who connects has opened its line, who leaves has closed it. One at a time, as with
 * a serial port. Between clients the board's time goes on.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { exitCodes, Problem } from '../../boards/problem.ts';
import type { LineBoard } from '../../sim/board/line-board.ts';
import { nsPerMs } from '../../sim/board/time.ts';
import { openBoard, type SimTransport } from '../transport/sim.ts';

export interface Listener {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

export interface ListenOptions {
  /** Virtual time follows the wall clock; otherwise it runs as fast as it can. */
  realTime: boolean;
  /** Told when a client comes and goes, for people. */
  onClient?: (text: string) => void;
}

const loopback = '127.0.0.1';

/** Parses `tcp:4000`, `tcp:0.0.0.0:4000` or `4000`. A Problem otherwise. Without a host it is loopback. */
export function parseListen(spec: string): { host: string; port: number } {
  const [, host = loopback, port = ''] = /^(?:tcp:(?:\/\/)?(?:(\[[^\]]+\]|[^:/]+):)?)?(\d{1,5})$/.exec(spec) ?? [];
  const number = Number(port);
  if (port === '' || number > 65535) {
    throw new Problem(
      exitCodes.usage,
      `"${spec}" is no address to listen on`,
      ['the forms are tcp:PORT (this machine only) and tcp:HOST:PORT'],
      'Port 0 takes any free one.',
    );
  }
  return { host: host.replace(/^\[|\]$/g, ''), port: number };
}

/** Serves `board`. A Problem when the address is taken or not allowed. */
export async function listen(
  board: LineBoard,
  { host, port }: { host: string; port: number },
  { realTime, onClient = () => {} }: ListenOptions,
): Promise<Listener> {
  let current: { socket: Socket; transport: SimTransport<LineBoard> } | null = null;
  let leftAtMs = performance.now();

  const serve = (socket: Socket): void => {
    if (current) {
      // Read to its end, or the socket stays.
      socket
        .on('error', () => {})
        .resume()
        .end();
      onClient('refused a second client: the line is open already');
      return;
    }
    socket.setNoDelay(true);
    if (realTime) board.advanceTo(board.nowNs + Math.round((performance.now() - leftAtMs) * nsPerMs));
    const transport = openBoard(board, { realTime });
    current = { socket, transport };
    onClient('a client opened the line');
    const leave = (): void => {
      if (current?.socket !== socket) return;
      current = null;
      leftAtMs = performance.now();
      void transport.close();
      socket.destroy();
      onClient('the client closed the line');
    };
    transport.onData((bytes) => socket.write(bytes));
    transport.onClose(leave);
    socket.on('data', (bytes) => void transport.write(bytes).catch(leave));
    socket.on('close', leave);
    socket.on('error', leave);
  };

  const server: Server = createServer(serve);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new Problem(
          exitCodes.noBoard,
          `cannot listen on ${host}:${port}`,
          [error.code ?? error.message],
          'Choose another port, or tcp:0 for any free one.',
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return {
    host,
    port: typeof address === 'object' && address ? address.port : port,
    close: async () => {
      current?.socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
