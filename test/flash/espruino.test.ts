// The Espruino flasher against virtual boards in this process: packets, Storage writes, RAM, refusals, starting.
import { crc32 as zlibCrc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { exitCodes } from '../../boards/problem.ts';
import { crc32 } from '../../host/flash/crc32.ts';
import { EspruinoFlasher, hasPackets } from '../../host/flash/espruino.ts';
import { startError } from '../../host/flash/espruino-life.ts';
import { Link } from '../../host/flash/link.ts';
import { encodePacket, packetTypes } from '../../host/flash/packet.ts';
import { stringLiteral } from '../../host/flash/storage.ts';
import { openSim, type SimTransport } from '../../host/transport/sim.ts';
import { Storage } from '../../sim/board/espruino/storage.ts';

async function open(boardId: string, options: { hasPackets?: boolean; faults?: string; seed?: number } = {}) {
  const transport = await openSim(boardId, options);
  return { transport, flasher: flasherOf(transport, options.hasPackets) };
}

function flasherOf(transport: SimTransport, hasPackets?: boolean): EspruinoFlasher {
  const { board } = transport.board;
  return new EspruinoFlasher(
    new Link(transport),
    { engine: 'espruino', version: '2v29', board: board.id },
    {
      capacityBytes: board.savedCode && board.savedCode.pages * board.savedCode.pageBytes,
      bytesPerSecond: board.console.kind === 'uart' ? board.console.bytesPerSecond : null,
      ...(hasPackets !== undefined && { hasPackets }),
    },
  );
}

const text = (source: string) => new TextEncoder().encode(source);
const repeated = (bytes: number) => text('var counter=1;\n'.repeat(Math.ceil(bytes / 15))).slice(0, bytes);

describe.each([
  ['packets', true],
  ['Storage writes', false],
])('contents by %s', (_, hasPackets) => {
  test.each([
    ['plain', text('print("hello");\n')],
    ['CRLF', text('var a = 1;\r\nvar b = 2;\r\n')],
    ['non-ASCII', text('var a = "äöü – 漢字 🙂";\n')],
    ['quotes and backslashes', text('var a = "\\"\\\\\\x41", b = \'"\';\n')],
    ['what looks like an answer', text('print("<hg1|true|hg1>");\n')],
    ['every byte that a source may hold', Uint8Array.from({ length: 255 }, (_, i) => i + 1)],
    ['more than one piece', repeated(5_000)],
  ])('%s is stored byte for byte', async (_, program) => {
    const { transport, flasher } = await open('pico_r1_3', { hasPackets });
    expect(await flasher.upload(program)).toMatchObject({ storedBytes: program.length, attempts: 1, isVerified: true });
    expect(await flasher.read()).toEqual(program);
    await transport.close();
  });
});

describe('boards', () => {
  test('a UART at 9600 baud: XON and XOFF obeyed, at the pace of the line', async () => {
    const { transport, flasher } = await open('puckjs');
    const flashed = await flasher.upload(repeated(8_000));
    expect(flashed).toMatchObject({ attempts: 1, isVerified: true });
    // 960 bytes a second is what 9600 8N1 carries; packets cost 4 bytes and a turn-around each.
    expect(flashed.bytesPerSecond).toBeGreaterThan(0.9 * 960);
    expect(flashed.bytesPerSecond).toBeLessThanOrEqual(960);
    await transport.close();
  });

  test('a board without E.CRC32 and with 350 variables is verified by reading back', async () => {
    const { transport, flasher } = await open('microbit1');
    expect(await flasher.upload(repeated(1_000))).toMatchObject({ attempts: 1, isVerified: true });
    await transport.close();
  });
});

describe('refusals leave the board as it was', () => {
  const before = text('print("before");\n');
  test.each([
    ['0 bytes', new Uint8Array(0), exitCodes.badInput, /empty/],
    ['a NUL', text('var a = "\0";'), exitCodes.badInput, /NUL byte/],
    ['over-size', repeated(50_000), exitCodes.tooBig, /does not fit/],
  ])('%s', async (_, program, exitCode, message) => {
    const { transport, flasher } = await open('pico_r1_3');
    await flasher.upload(before);
    const problem = await flasher.upload(program).catch((error) => error);
    expect(problem).toMatchObject({ exitCode, message: expect.stringMatching(message) });
    expect(await flasher.read()).toEqual(before);
    await transport.close();
  });

  test('what fits the saved code but not the room that is left is refused before anything is replaced', async () => {
    const { transport, flasher } = await open('pico_r1_3');
    await flasher.upload(before);
    await transport.write(text('\x10require("Storage").write("other","x",0,40000);\n'));
    await transport.clock.sleep(2_000);
    const problem = await flasher.upload(repeated(20_000)).catch((error) => error);
    expect(problem).toMatchObject({ exitCode: exitCodes.tooBig });
    expect(problem.facts.join(' ')).toMatch(/still holds the program it had/);
    expect(await flasher.read()).toEqual(before);
    await transport.close();
  });
});

test('a board whose .bootrst would run in its place is refused, until --erase removed both', async () => {
  const { transport, flasher } = await open('pico_r1_3');
  await flasher.upload(text('print("before");\n'));
  await transport.write(text('\x10require("Storage").write(".bootrst","while(true);");\n'));
  await transport.clock.sleep(500);
  const problem = await flasher.upload(text('print("after");\n')).catch((error) => error);
  expect(problem).toMatchObject({ exitCode: exitCodes.unsupported, message: expect.stringMatching(/would not run/) });
  expect(problem.facts.join(' ')).toMatch(/\.bootrst[\s\S]*still holds the program it had/);
  await flasher.erase();
  expect(await flasher.upload(text('print("after");\n'))).toMatchObject({ isVerified: true });
  expect((await flasher.start()).text).toMatch(/after/);
  await transport.close();
});

describe('a Storage that fills up with what was replaced', () => {
  test('programs that fit are stored again and again, past several times its size', async () => {
    const { transport, flasher } = await open('pico_r1_3');
    for (let round = 0; round < 12; round++) {
      const program = repeated(10_000 + round);
      await flasher.upload(program);
      expect(await flasher.read()).toEqual(program);
    }
    await transport.close();
  });

  test('full of small replaced files, whose headers the board does not count, it is compacted; other files stay', async () => {
    const { transport, flasher } = await open('pico_r1_3');
    await flasher.upload(text('print(1);\n'));
    await transport.write(
      text(
        '\x10var s=require("Storage");s.write("kept","k");for(var i=0;i<900;i++){s.write("t","x"+i);s.erase("t")}\n',
      ),
    );
    await transport.clock.sleep(20_000);
    const program = repeated(30_000);
    await flasher.upload(program);
    expect(await flasher.read()).toEqual(program);
    const files = new Storage({ flash: transport.board.flash } as never, () => {});
    expect(files.names.sort()).toEqual(['.bootcde', 'kept']);
    await transport.close();
  });
});

describe('starting', () => {
  test('a program that runs gives its output', async () => {
    const { transport, flasher } = await open('pico_r1_3');
    await flasher.upload(text('print("started");\n'));
    const started = await flasher.start();
    expect(started).toMatchObject({ proof: 'prompt', error: null });
    expect(started.text).toMatch(/started/);
    await transport.close();
  });

  test('a program that fails is no success: the engine says why', async () => {
    const { transport, flasher } = await open('pico_r1_3');
    await flasher.upload(text('nothing.there();\n'));
    expect((await flasher.start()).error).toMatch(/Uncaught/);
    await transport.close();
  });

  test('out of memory is recognised in what is printed', () => {
    expect(startError('\r\nNew interpreter error: LOW_MEMORY,MEMORY\r\n>')).toMatch(/LOW_MEMORY/);
    expect(startError('all is well\r\n>')).toBeNull();
  });
});

describe('the pieces', () => {
  test("CRC-32 is zlib's", () => {
    expect(crc32(text('123456789'))).toBe(0xcbf43926);
    if (zlibCrc32) expect(crc32(repeated(5_000))).toBe(zlibCrc32(repeated(5_000)));
  });

  test('packets are framed as the firmware reads them', () => {
    expect(encodePacket(packetTypes.eval, text('1+1'))).toEqual(
      Uint8Array.of(0x10, 0x01, 0x20, 0x03, 0x31, 0x2b, 0x31),
    );
    expect(encodePacket(packetTypes.data, new Uint8Array(1024))[2]).toBe(0x84);
  });

  test.each([
    ['2v25', true],
    ['2v29.277', true],
    ['3v0', true],
    ['2v24', false],
    ['1v99', false],
    ['', false],
  ])('%s has packets: %s', (version, has) => {
    expect(hasPackets(version)).toBe(has);
  });

  test('a literal gives every byte back', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, value) => value);
    const literal = stringLiteral(bytes);
    expect(literal).toMatch(/^"[\x20-\x7e]*"$/);
    const value = new Function(`return ${literal}`)() as string;
    expect(Uint8Array.from(value, (character) => character.charCodeAt(0))).toEqual(bytes);
  });
});
