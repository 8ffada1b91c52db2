// Identifying what is on a line: virtual boards in each state that people leave theirs in.
import { describe, expect, test } from 'vitest';
import { exitCodes } from '../../boards/problem.ts';
import { boardOfIdentity, judgePorts, mayBeBoard } from '../../host/flash/boards.ts';
import { openFlasher } from '../../host/flash/open.ts';
import { openSim } from '../../host/transport/sim.ts';
import type { Transport } from '../../host/transport/transport.ts';

const text = (source: string) => new TextEncoder().encode(source);
const program = text('print("hello");\n');

async function left(boardId: string, ...typed: (string | number)[]): Promise<Transport> {
  const transport = await openSim(boardId);
  for (const step of typed) {
    if (typeof step === 'number') await transport.clock.sleep(step);
    else await transport.write(Uint8Array.from(step, (character) => character.charCodeAt(0)));
  }
  return transport;
}

describe('what answers is identified, and flashed, whatever state it was left in', () => {
  test.each([
    ['kaluma-pico', 'at its prompt', []],
    ['kaluma-pico', 'with a line half typed', ['print(']],
    ['kaluma-pico', 'with echo off', ['.echo off\r', 100]],
    ['kaluma-pico', 'in an abandoned YMODEM session', ['.flash -w\r', 2_500]],
    ['kaluma-pico', 'in a packet that broke off', ['.flash -w\r', 2_500, '\x02\x01\xfeabc', 200]],
    ['kaluma-pico', 'in an escape sequence that broke off', ['\x1b[12']],
    ['kaluma-pico', 'printing all the time', ['setInterval(function () { print("tick;"); }, 10)\r', 500]],
    ['kaluma-pico', 'in an endless loop', ['while (true) {}\r', 200]],
    ['puckjs', 'at its prompt', []],
    ['puckjs', 'with a line half typed', ['print(']],
    ['puckjs', 'with echo off', ['\x10echo(0)\n', 200]],
    ['puckjs', 'in a packet that broke off', ['\x10\x01\x80\xffabc', 200]],
    ['puckjs', 'in an escape sequence that broke off', ['\x1b[12']],
    ['puckjs', 'printing all the time', ['setInterval(function () { print("tick"); }, 50)\n', 500]],
    ['puckjs', 'in an endless loop', ['while (true) {}\n', 200]],
    ['puckjs', 'with its heap full', ['var a = []; while (true) a.push(a.length);\n', 3_000]],
  ] as const)('%s %s', async (boardId, _, typed) => {
    const transport = await left(boardId, ...typed);
    const { flasher, board } = await openFlasher(transport, { findBoard: boardOfIdentity });
    expect(board?.id).toBe(boardId);
    expect(flasher.identity.version).toMatch(boardId === 'puckjs' ? /^2v/ : /^1\.2/);
    expect(await flasher.upload(program)).toMatchObject({ isVerified: true });
    expect(await flasher.read()).toEqual(program);
    await transport.close();
  });

  test('a board of another engine than was asked for is refused', async () => {
    const transport = await openSim('kaluma-pico');
    const board = boardOfIdentity({ engine: 'espruino', version: '', board: 'PUCKJS' });
    const problem = await openFlasher(transport, { board }).catch((error) => error);
    expect(problem).toMatchObject({ exitCode: exitCodes.usage });
    expect(problem.facts[0]).toMatch(/Kaluma 1\.2\.1 on pico answers; puckjs runs espruino/);
    await transport.close();
  });

  test('a dead line is a Problem that explains GP22, within the time-outs', async () => {
    let nowMs = 0;
    const dead: Transport = {
      name: 'dead',
      // Time passes only while somebody waits.
      clock: {
        nowMs: () => nowMs,
        sleep: async (ms) => {
          nowMs += ms;
        },
      },
      write: async () => {},
      onData: () => {},
      onClose: () => {},
      setSignals: async () => {},
      close: async () => {},
    };
    const problem = await openFlasher(dead).catch((error) => error);
    expect(problem).toMatchObject({ exitCode: exitCodes.noBoard });
    expect(problem.advice).toMatch(/GP22/);
    expect(nowMs).toBeLessThan(15_000);
  });
});

describe('ports that look like boards', () => {
  test('by vendor and product, behind an adapter, or not', () => {
    const found = judgePorts([
      { path: '/dev/ttyACM0', vendorId: '2e8a', productId: '000a' },
      { path: '/dev/ttyACM1', vendorId: '0483', productId: '5740' },
      { path: '/dev/ttyUSB0', vendorId: '1A86', productId: '7523' },
      { path: '/dev/ttyACM2', vendorId: '2341', productId: '0043' },
      { path: '/dev/ttyS0' },
    ]);
    expect(found[0]!.boards).toContain('kaluma-pico');
    expect(found[0]!.boards).toContain('rp2040_pico');
    expect(found[1]!.boards).toContain('pico_r1_3');
    expect(found.map(mayBeBoard)).toEqual([true, true, true, false, false]);
    expect(found[2]!.why).toMatch(/CH34x/);
  });
});
