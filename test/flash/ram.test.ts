// Uploads to the RAM of Espruino boards. R1: nothing is evaluated that is not what was sent, and nothing twice.
import { describe, expect, test } from 'vitest';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { EspruinoFlasher } from '../../host/flash/espruino.ts';
import { openFlasher } from '../../host/flash/open.ts';
import { groups, simpleSum, statements } from '../../host/flash/ram.ts';
import { openSim, type SimTransport } from '../../host/transport/sim.ts';
import type { EspruinoFirmware } from '../../sim/board/espruino/firmware.ts';
import { createRandom } from '../../sim/board/random.ts';

const bytesOf = (source: string): Uint8Array => new TextEncoder().encode(source);

async function open(boardId: string, options: { faults?: string; seed?: number } = {}) {
  const transport = await openSim(boardId, options);
  const { flasher } = await openFlasher(transport, { board: transport.board.board });
  if (!(flasher instanceof EspruinoFlasher)) throw new Error(`${boardId} is no Espruino`);
  return { transport, flasher };
}

/** What an expression is on the board, asked past the line. */
function valueOn(transport: SimTransport, expression: string): unknown {
  const outcome = (transport.board.firmware as EspruinoFirmware).engine!.run(expression, 'test');
  return outcome.kind === 'value' ? outcome.value : outcome;
}

/** A program whose content shows: functions and texts of random characters, and a count of how often each part ran. */
function program(sizeBytes: number, seed: number): { source: string; text: string } {
  const random = createRandom(seed);
  const words = ['aä', '\\n', '"', "'", '漢', '\\\\', 'x', '(', '}', '\\t'];
  let source = 'var runs=0;\nlet held="";\n';
  let text = '';
  for (let part = 0; source.length < sizeBytes; part++) {
    let literal = '';
    for (let n = random.below(60); n >= 0; n--) literal += words[random.below(words.length)]!.replace('"', '\\"');
    source += `function part${part}(){\n  return "${literal}";\n}\r\nheld+=part${part}();runs++;\n`;
    text += Function(`return "${literal}"`)();
  }
  return { source, text };
}

describe('RAM of Espruino boards', () => {
  test.each(['puckjs', 'pico_r1_3', 'microbit2'])('%s: globals of every kind, verified, nothing stored', async (id) => {
    const { transport, flasher } = await open(id);
    const source =
      'var a=6;\nlet b=7;\nconst c=8;\nfunction f(x) {\n  return x * a;\n}\nclass D{m(){return b}}\nvar seen=f(b);\n';
    expect(await flasher.uploadToRam(bytesOf(source))).toMatchObject({ isVerified: true, attempts: 1, resent: 0 });
    expect(valueOn(transport, '[a,b,c,seen,new D().m(),typeof $hg].join()')).toBe('6,7,8,42,7,undefined');
    expect(await flasher.read()).toEqual(new Uint8Array(0));
    await transport.close();
  });

  test('a board without E.CRC32 sums by itself', async () => {
    const { transport, flasher } = await open('microbit1');
    expect(await flasher.uploadToRam(bytesOf('var a=6;\nfunction f(x){return x*a}\n'))).toMatchObject({
      isVerified: true,
    });
    expect(valueOn(transport, 'f(7)')).toBe(42);
    await transport.close();
  });

  // HEAPGLASS_FLASHES sets how many.
  test.each(Array.from({ length: Number(process.env.HEAPGLASS_FLASHES ?? 12) }, (_, nth) => nth + 1))(
    'under faults, seed %i: right to the byte and run once, or a Problem',
    async (seed) => {
      const random = createRandom(seed);
      const { source, text } = program(500 + random.below(3_000), seed);
      const rate = (2 + random.below(20)) / 10_000;
      const faults = [`drop=${rate}`, `corrupt=${rate}`, `duplicate=${rate}`][random.below(3)]!;
      const { transport, flasher } = await open('pico_r1_3', { faults, seed });
      const result = await flasher.uploadToRam(bytesOf(source)).catch((error) => error);
      if (result instanceof Problem) expect(result.exitCode).toBe(exitCodes.notVerified);
      else {
        expect(result).toMatchObject({ isVerified: true });
        // The board holds UTF-8 bytes, a character each.
        const latin1 = String.fromCharCode(...bytesOf(text));
        expect(valueOn(transport, 'held')).toBe(latin1);
        expect(valueOn(transport, 'runs')).toBe(source.split('runs++').length - 1);
      }
      await transport.close();
    },
  );

  test("the program's own error ends it, in the words of the engine, without another attempt", async () => {
    const { transport, flasher } = await open('puckjs');
    const problem = await flasher.uploadToRam(bytesOf('var a=1;\nnothing.there();\n')).catch((error) => error);
    expect(problem).toMatchObject({ exitCode: exitCodes.failed });
    expect(problem.facts.join(' ')).toMatch(/ReferenceError/);
    await transport.close();
  });
});

describe('the pieces', () => {
  test('statements are taken as they are, joined into groups, a long one alone', () => {
    const long = `var t="${'x'.repeat(2_000)}";`;
    const found = statements(bytesOf(`var a=1;\r\nfunction f(){\r\n  return "é";\n}\n${long}class C{}\n`));
    expect(found.map(({ declares }) => declares)).toEqual([null, 'f', null, 'C']);
    expect(groups(found, 768).map(({ source }) => new TextDecoder().decode(source))).toEqual([
      'var a=1;\nfunction f(){\r\n  return "é";\n}',
      long,
      'class C{}',
    ]);
    expect(groups(found, 768).map(({ declares }) => declares)).toEqual([['f'], [], ['C']]);
  });

  test('the sum is what the board computes: 32 bits, signed', () => {
    expect(simpleSum(bytesOf('abc'))).toBe(96354);
    expect(simpleSum(bytesOf('x'.repeat(50)))).toBe(simpleSum(bytesOf('x'.repeat(50))) | 0);
  });
});
