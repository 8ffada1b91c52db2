// Each row of the table of answers (docs/flashing.md): one thing goes wrong at one place, and the flasher's reaction.
// The board is a virtual Pico; a transport between it and the flasher loses, damages or repeats exactly one thing.
import { describe, expect, test } from 'vitest';
import { exitCodes } from '../../boards/problem.ts';
import type { Progress } from '../../host/flash/flasher.ts';
import { KalumaFlasher } from '../../host/flash/kaluma.ts';
import { Link } from '../../host/flash/link.ts';
import { header, isWaitingForPackets, packet } from '../../host/flash/ymodem.ts';
import { openSim, type SimTransport } from '../../host/transport/sim.ts';
import type { Transport } from '../../host/transport/transport.ts';
import { createRandom } from '../../sim/board/random.ts';
import { holds, makeProgram } from '../support/flash-campaign.ts';

const identity = { engine: 'kaluma', version: '1.2.1', board: 'pico' } as const;
const ACK = 0x06;
const NAK = 0x15;

interface Tamper {
  /** Changes what goes to the board; `index` counts the writes since `.flash -w`, the header being 0. */
  toBoard?: (bytes: Uint8Array, index: number) => Uint8Array;
  /** Changes what comes from it; `acks` counts the ACKs since `.flash -w`, this one included. */
  toHost?: (byte: number, acks: number) => number[];
}

/** Lies between the flasher and the board; tampers with the first transfer only. */
function tampered(
  transport: SimTransport,
  { toBoard, toHost }: Tamper,
): { transport: Transport; transfers: () => number } {
  let transfers = 0;
  let writes = 0;
  let acks = 0;
  const isFirst = () => transfers === 1;
  return {
    transfers: () => transfers,
    transport: {
      ...{ name: transport.name, clock: transport.clock },
      write: (bytes) => {
        if (Buffer.from(bytes).toString() === '.flash -w\r') {
          transfers++;
          writes = 0;
          acks = 0;
          return transport.write(bytes);
        }
        return transport.write(isFirst() && toBoard ? toBoard(bytes, writes++) : bytes);
      },
      onData: (receiver) =>
        transport.onData((bytes) => {
          const changed = [...bytes].flatMap((byte) => {
            if (byte === ACK) acks++;
            return isFirst() && toHost ? toHost(byte, acks) : [byte];
          });
          if (changed.length > 0) receiver(Uint8Array.from(changed));
        }),
      onClose: (receiver) => transport.onClose(receiver),
      setSignals: (signals) => transport.setSignals(signals),
      close: () => transport.close(),
    },
  };
}

const program = makeProgram(5_000, createRandom(7));

async function flashWith(tamper: Tamper) {
  const board = await openSim('kaluma-pico');
  const { transport, transfers } = tampered(board, tamper);
  const notes: string[] = [];
  const onProgress = ({ note }: Progress) => {
    if (note !== null) notes.push(note);
  };
  const flashed = await new KalumaFlasher(new Link(transport), identity).upload(program, { onProgress });
  expect(holds(board.board, program)).toBe(true);
  await board.close();
  return { ...flashed, transfers: transfers(), notes };
}

const lose =
  (which: number) =>
  (byte: number, acks: number): number[] =>
    byte === ACK && acks === which ? [] : [byte];

describe('one thing goes wrong, and the program is stored all the same', () => {
  test('nothing goes wrong: one transfer, nothing sent again', async () => {
    expect(await flashWith({})).toMatchObject({ attempts: 1, resent: 0, transfers: 1 });
  });

  test("a damaged packet: the board answers 'C', the packet is sent again", async () => {
    const damage = (bytes: Uint8Array, index: number) => {
      const changed = bytes.slice();
      if (index === 2) changed[100]! ^= 0x80;
      return changed;
    };
    const { attempts, resent } = await flashWith({ toBoard: damage });
    // Left-over bytes of a damaged packet are none: its length was right.
    expect({ attempts, resent }).toEqual({ attempts: 1, resent: 1 });
  });

  // Header, five packets, the end of the file, the end of the session.
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('ACK %i of 8 is lost: no resend succeeds, and none is needed', async (which) => {
    const { attempts, resent } = await flashWith({ toHost: lose(which) });
    expect(attempts).toBe(1);
    // The session is over when its end was taken: nothing is sent again then.
    expect(resent).toBe(which === 8 ? 0 : 1);
  });

  test('the ACKs of three packets in a row are lost: each resend is refused (NAK), and each next packet follows', async () => {
    const toHost = (byte: number, acks: number) => (byte === ACK && acks >= 2 && acks <= 4 ? [] : [byte]);
    expect(await flashWith({ toHost })).toMatchObject({ attempts: 1, resent: 3 });
  });

  test('an ACK comes so late that the packet was sent again: the NAK to the copy is not about the next packet', async () => {
    let held = false;
    const toHost = (byte: number, acks: number) => {
      if (byte === ACK && acks === 3) return [];
      if (byte === NAK) {
        held = true;
        return [ACK];
      }
      if (!held || byte !== ACK) return [byte];
      held = false;
      return [NAK, ACK];
    };
    expect(await flashWith({ toHost })).toMatchObject({ attempts: 1, resent: 1 });
  });

  test("an ACK that was none ('C' damaged into it): the board refuses what follows; started over, with the cause", async () => {
    let isDone = false;
    const result = await flashWith({
      toBoard: (bytes, index) => (index === 2 ? bytes.map((byte, at) => (at === 100 ? byte ^ 0x80 : byte)) : bytes),
      toHost: (byte, acks) => {
        // The header's ACK has a 'C' behind it.
        if (isDone || byte !== 0x43 || acks < 2) return [byte];
        isDone = true;
        return [ACK];
      },
    });
    expect(result).toMatchObject({ attempts: 2, transfers: 2 });
    expect(result.notes[0]).toMatch(/the acknowledgement of what came before packet \d was lost/);
  });

  test('a byte of a packet is lost: the board waits, gives up, and the transfer is started over', async () => {
    const shorten = (bytes: Uint8Array, index: number) => (index === 2 ? bytes.slice(0, -300) : bytes);
    const result = await flashWith({ toBoard: shorten });
    expect(result.attempts).toBeLessThanOrEqual(2);
  });

  test('a packet is lost whole: it is sent again', async () => {
    const drop = (bytes: Uint8Array, index: number) => (index === 2 ? new Uint8Array(0) : bytes);
    expect(await flashWith({ toBoard: drop })).toMatchObject({ attempts: 1, resent: 1 });
  });

  test('"Done" is damaged on the way: what the board holds decides', async () => {
    let isDamaged = false;
    const damageDone = (byte: number, acks: number) => {
      if (isDamaged || acks < 8 || byte !== 0x44) return [byte];
      isDamaged = true;
      return [0x64];
    };
    expect(await flashWith({ toHost: damageDone })).toMatchObject({ attempts: 1 });
    expect(isDamaged).toBe(true);
  });
});

test('interrupted in the middle: the board is back at its prompt, and does not wait for packets', async () => {
  const board = await openSim('kaluma-pico');
  const control = new AbortController();
  const onProgress = ({ phase, doneBytes }: Progress) => {
    if (phase === 'upload' && doneBytes > 2_000) control.abort();
  };
  const flasher = new KalumaFlasher(new Link(board), identity);
  const problem = await flasher.upload(program, { onProgress, signal: control.signal }).catch((error) => error);
  expect(problem).toMatchObject({ exitCode: exitCodes.interrupted });
  let heard = '';
  board.onData((bytes) => {
    heard += String.fromCharCode(...bytes);
  });
  await board.clock.sleep(700);
  await board.write(new TextEncoder().encode('6*7\r'));
  await board.clock.sleep(1_500);
  expect(heard).toMatch(/42/);
  await board.close();
});

describe('what can not be stored', () => {
  test('a line that loses every third ACK: each attempt names its cause, and what the board holds now', async () => {
    const board = await openSim('kaluma-pico', { faults: 'drop=0.01' });
    const problem = await new KalumaFlasher(new Link(board), identity).upload(program).catch((error) => error);
    expect([exitCodes.notVerified, exitCodes.noBoard]).toContain(problem.exitCode);
    expect(problem.facts.length).toBeGreaterThan(0);
    await board.close();
  });

  test.each([
    ['0 bytes', new Uint8Array(0), exitCodes.badInput],
    ['a NUL', Uint8Array.of(97, 0, 98), exitCodes.badInput],
    ['524288 bytes', new Uint8Array(524_288).fill(32), exitCodes.tooBig],
  ])('%s: refused before anything is erased', async (_, refused, exitCode) => {
    const board = await openSim('kaluma-pico');
    const flasher = new KalumaFlasher(new Link(board), identity);
    await flasher.upload(program);
    expect(await flasher.upload(refused).catch((error) => error)).toMatchObject({ exitCode });
    expect(holds(board.board, program)).toBe(true);
    await board.close();
  });

  test('524287 bytes fit', async () => {
    const board = await openSim('kaluma-pico');
    const largest = new Uint8Array(524_287).fill(32);
    await new KalumaFlasher(new Link(board), identity).upload(largest);
    expect(holds(board.board, largest)).toBe(true);
    await board.close();
  });
});

describe('a program that dies when it starts', () => {
  test('is stored and verified, found dead, and GP22 is explained', async () => {
    const board = await openSim('kaluma-pico');
    const flasher = new KalumaFlasher(new Link(board), identity);
    await flasher.upload(new TextEncoder().encode('var a = []; while (true) a.push(new Uint8Array(1000));\n'));
    const problem = await flasher.start().catch((error) => error);
    expect(problem).toMatchObject({ exitCode: exitCodes.failed });
    expect(problem.message).toMatch(/stored and verified, and the board died/);
    expect(problem.advice).toMatch(/GP22 to GND/);
    await board.close();
  });

  test('a loop that never ends is told from an engine that died: Ctrl-C ends it', async () => {
    const board = await openSim('kaluma-pico');
    const flasher = new KalumaFlasher(new Link(board), identity);
    await flasher.upload(new TextEncoder().encode('while (true);\n'));
    const problem = await flasher.start().catch((error) => error);
    expect(problem).toMatchObject({ exitCode: exitCodes.failed });
    expect(problem.message).toMatch(/keeps the board busy/);
    expect(await flasher.read()).toHaveLength(14);
    await board.close();
  });

  test('a long program is parsed for a while: the echo of the command is not its output', async () => {
    const board = await openSim('kaluma-pico');
    const flasher = new KalumaFlasher(new Link(board), identity);
    await flasher.upload(new TextEncoder().encode(`${'// a line of it\n1;\n'.repeat(6_000)}print("up");\n`));
    expect(await flasher.start()).toMatchObject({ text: 'up', error: null });
    await board.close();
  });

  test('an error at start is no success: it is told in the words of the engine', async () => {
    const board = await openSim('kaluma-pico');
    const flasher = new KalumaFlasher(new Link(board), identity);
    await flasher.upload(new TextEncoder().encode('nothing.there();\n'));
    expect((await flasher.start()).error).toMatch(/ReferenceError/);
    await board.close();
  });
});

describe('the bytes', () => {
  test('the header always carries a size', () => {
    expect(Buffer.from(header('app.js', 1234)).toString('latin1')).toBe('app.js\x001234 ');
  });

  test('a packet: SOH and 128 bytes, or STX and 1024, sequence, its complement, CRC-16/XMODEM', () => {
    // "123456789" with CRC 0x31C3 is the check value; padded to 128 bytes it is another.
    const short = packet(1, new TextEncoder().encode('123456789'));
    expect([...short.subarray(0, 12)]).toEqual([1, 1, 254, ...Buffer.from('123456789')]);
    expect(short.length).toBe(133);
    expect(packet(256, new Uint8Array(129)).subarray(0, 3)).toEqual(Uint8Array.of(2, 0, 255));
  });

  test("an endless 'C' is recognised as a board that waits for packets", () => {
    expect(['C', 'CCC', 'C\x18\x18', '\r\nC'].map(isWaitingForPackets)).toEqual([true, true, true, true]);
    expect(['', 'Color', '> ', '\r\n'].map(isWaitingForPackets)).toEqual([false, false, false, false]);
  });
});
