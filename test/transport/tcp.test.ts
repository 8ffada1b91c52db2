// tcp:// and rfc2217:// against small servers on this machine.
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { openTransport } from '../../host/transport/open.ts';
import { escapeTelnet, TelnetDecoder } from '../../host/transport/rfc2217.ts';
import type { Transport } from '../../host/transport/transport.ts';

let server: Server | null = null;
let peer: Socket | null = null;
let transport: Transport | null = null;
afterEach(async () => {
  await transport?.close();
  peer?.destroy();
  server?.close();
});

function serve(onSocket: (socket: Socket) => void): Promise<number> {
  server = createServer((socket) => {
    peer = socket;
    socket.on('error', () => {});
    onSocket(socket);
  });
  return new Promise((resolve) =>
    server!.listen(0, '127.0.0.1', () => resolve((server!.address() as { port: number }).port)),
  );
}

const problem = (promise: Promise<unknown>): Promise<Problem> =>
  promise.then(
    () => Promise.reject(new Error('it succeeded')),
    (error) => (error instanceof Problem ? error : Promise.reject(error)),
  );

const everyByte = Uint8Array.from({ length: 256 }, (_, value) => value);

/** Collects until `count` bytes came. */
function collect(count: number): Promise<Uint8Array> {
  const bytes: number[] = [];
  return new Promise((resolve) =>
    transport!.onData((chunk) => {
      bytes.push(...chunk);
      if (bytes.length >= count) resolve(Uint8Array.from(bytes));
    }),
  );
}

describe('tcp://', () => {
  test('every byte value goes through both ways', async () => {
    const port = await serve((socket) => socket.pipe(socket));
    transport = await openTransport(`tcp://127.0.0.1:${port}`);
    const back = collect(256);
    await transport.write(everyByte);
    expect(await back).toEqual(everyByte);
  });

  test('nobody listens', async () => {
    const port = await serve(() => {});
    await new Promise((resolve) => server!.close(resolve));
    const found = await problem(openTransport(`tcp://127.0.0.1:${port}`));
    expect(found).toMatchObject({ exitCode: exitCodes.noBoard, message: `nothing answers at tcp://127.0.0.1:${port}` });
  });

  test('the other end closes: told once, writes fail as a lost line', async () => {
    const port = await serve((socket) => socket.end());
    transport = await openTransport(`tcp://127.0.0.1:${port}`);
    const reason = await new Promise<string>((resolve) => transport!.onClose(resolve));
    expect(reason).toMatch(/closed/);
    expect((await problem(transport.write(everyByte))).exitCode).toBe(exitCodes.lineLost);
  });
});

describe('rfc2217://', () => {
  const [IAC, SB, SE, WILL, DO, DONT] = [255, 250, 240, 251, 253, 254];

  test('sets the port up, and every byte value goes through both ways', async () => {
    const commands: string[] = [];
    const port = await serve((socket) => {
      const decoder = new TelnetDecoder({
        option: (verb, option) => {
          commands.push(`${verb} ${option}`);
          if (verb === WILL) socket.write(Uint8Array.of(IAC, DO, option));
        },
        subnegotiation: ([option, command, ...value]) => {
          commands.push(`sub ${option} ${command} ${value}`);
          socket.write(Uint8Array.of(IAC, SB, 44, command! + 100, ...value, IAC, SE));
        },
      });
      socket.on('data', (bytes) => {
        const data = decoder.push(bytes);
        if (data.length > 0) socket.write(escapeTelnet(data));
      });
    });
    transport = await openTransport(`rfc2217://127.0.0.1:${port}`, { baud: 9600 });
    const back = collect(256);
    await transport.write(everyByte);
    expect(await back).toEqual(everyByte);
    expect(commands).toEqual([
      ...['251 0', '253 0', '251 3', '253 3', '251 44'],
      ...['sub 44 1 0,0,37,128', 'sub 44 2 8', 'sub 44 3 1', 'sub 44 4 1', 'sub 44 5 8', 'sub 44 5 11'],
    ]);
  });

  test('a server that declines the option is told apart', async () => {
    const port = await serve((socket) => socket.write(Uint8Array.of(IAC, DONT, 44)));
    const found = await problem(openTransport(`rfc2217://127.0.0.1:${port}`));
    expect(found.message).toMatch(/is no RFC 2217 server/);
    expect(found.advice).toMatch(/tcp:\/\//);
  });

  test('the decoder gives the same for a stream cut anywhere', () => {
    const stream = [1, IAC, IAC, 2, IAC, WILL, 3, 4, IAC, SB, 44, 101, IAC, IAC, 7, IAC, SE, 5];
    for (let cut = 0; cut <= stream.length; cut++) {
      const seen: unknown[] = [];
      const decoder = new TelnetDecoder({
        option: (verb, option) => seen.push([verb, option]),
        subnegotiation: (bytes) => seen.push([...bytes]),
      });
      const data = [stream.slice(0, cut), stream.slice(cut)].flatMap((part) => [
        ...decoder.push(Uint8Array.from(part)),
      ]);
      expect(data).toEqual([1, 255, 2, 4, 5]);
      expect(seen).toEqual([
        [WILL, 3],
        [44, 101, 255, 7],
      ]);
    }
  });
});
