// `flash --native`: the allocator as machine code on virtual Espruino boards. N1, N2 of firmware/toolchain/native-policy.ts.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { packageRoot } from '../../boards/root.ts';
import type { PolicyName } from '../../firmware/src/policies/index.ts';
import { bundle } from '../../firmware/toolchain/bundle.ts';
import { unpackBlob } from '../../firmware/toolchain/native/blob.ts';
import { nativePolicy, whyNotNative } from '../../firmware/toolchain/native-policy.ts';
import { parseArguments } from '../../host/arguments.ts';
import { command as flash } from '../../host/commands/flash.ts';
import { openSim } from '../../host/transport/sim.ts';
import { captureIo } from '../support/io.ts';
import { measureNative, nativeTable } from '../support/native-cost.ts';

const folder = mkdtempSync(join(tmpdir(), 'heapglass-native-'));
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

const churn = file(
  'churn.js',
  `import { createHeap } from 'heapglass';
const heap = createHeap({ bytes: 4096 });
const held = [];
setInterval(() => {
  held.push(heap.malloc(8 + 24 * (held.length % 5)));
  if (held.length % 3 === 0) E.defrag();
  if (held.length > 8) heap.free(held.shift());
}, 20);
`,
);

async function run(...words: string[]) {
  const { io, written } = captureIo();
  try {
    const exitCode = await flash.run(parseArguments(flash, words), io);
    return { exitCode, ...written, problem: null };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { exitCode: error.exitCode, ...written, problem: error };
  }
}

describe('flash --native', () => {
  test.each([
    ['puckjs', 'trie-fit'],
    ['pico_r1_3', 'tlsf'],
    ['rp2040_pico', 'segregated'],
  ])('%s, %s: runs, through E.defrag too, and the map is the interpreted one', async (board, policy) => {
    const words = [churn, '--board', board, '--policy', policy, '--dry-run', '--seconds', '2', '--json'];
    const native = await run(...words, '--native');
    expect(native.exitCode).toBe(exitCodes.done);
    const result = JSON.parse(native.out);
    expect(result).toMatchObject({
      program: { policy, native: { cpu: board === 'rp2040_pico' ? 'cortex-m0plus' : 'cortex-m4' } },
      ...{ upload: { isVerified: true }, started: { proof: 'frame', error: null } },
      monitor: { figures: { liveBlocks: 8, misuses: 0 }, line: { framesLost: 0, framesBad: 0 } },
    });
    const interpreted = JSON.parse((await run(...words)).out);
    expect(interpreted.program.native).toBe(null);
    for (const figure of ['liveBlocks', 'liveBytes', 'peakLiveBytes']) {
      expect([figure, result.monitor.figures[figure]]).toEqual([figure, interpreted.monitor.figures[figure]]);
    }
  });

  test.each([
    ['kaluma-pico', /kaluma-pico has no E\.nativeCall/],
    ['microbit1', /microbit1 has no E\.nativeCall/],
    ['esp32', /esp32 is no Cortex-M \(xtensa-lx6\)/],
  ])('%s: interpreted, and said so', async (board, reason) => {
    expect(whyNotNative(loadBoard(board))).toMatch(reason);
    const program = file(
      'small.js',
      "import { createHeap } from 'heapglass';\ncreateHeap({ bytes: 512 }).malloc(8);\n",
    );
    const words = [program, '--board', board, '--policy', 'first-fit', '--telemetry', 'off', '--native', '--json'];
    const { exitCode, err, out } = await run(...words, '--dry-run');
    expect(err).toMatch(/the allocator is interpreted: /);
    expect(err).toMatch(reason);
    expect(exitCode).toBe(exitCodes.done);
    expect(JSON.parse(out).program.native).toBe(null);
  });

  test('a program without a heap is flashed as it is, and said so', async () => {
    const { err, exitCode } = await run(file('plain.js', 'print(1);\n'), '--board', 'puckjs', '--dry-run', '--native');
    expect(exitCode).toBe(exitCodes.done);
    expect(err).toMatch(/--native changes nothing/);
  });
});

describe('N2: refused, never run', () => {
  const program = `import { createHeap } from 'heapglass';
const heap = createHeap({ bytes: 2048 });
print(heap ? "a block at " + heap.malloc(24) : "no heap");
`;
  /** What a board prints when it boots with this program. */
  async function boots(boardId: string, code: string): Promise<string> {
    const sim = await openSim(boardId, { program: code });
    let text = '';
    sim.onData((bytes) => {
      text += Buffer.from(bytes).toString('latin1');
    });
    await sim.write(new TextEncoder().encode('\x10load()\n'));
    await sim.clock.sleep(8_000);
    await sim.close();
    return text;
  }
  const built = async (boardId: string) => {
    const board = loadBoard(boardId);
    return bundle({ entry: file('once.js', program), board, native: true, telemetry: 'off', policy: 'tlsf' });
  };
  const refused = /this native code is damaged, has no flat memory, or is for another board \((\w+)\)[\s\S]*no heap/;

  test('what was compiled runs', async () => {
    expect(await boots('puckjs', (await built('puckjs')).code)).toMatch(/a block at \d+/);
  });

  test('a blob that is cut, or has another byte', async () => {
    const { code } = await built('puckjs');
    const [, base64 = ''] = /atob\("([^"]+)"\)/.exec(code)!;
    for (const changed of [base64.slice(0, -40), base64.replace(/[A-Z]{3}/, 'abc'), '']) {
      expect(changed).not.toBe(base64);
      expect(await boots('puckjs', code.replace(base64, changed))).toMatch(refused);
    }
  });

  test('code for another processor: by the board that it comes to, and by the toolchain', async () => {
    const { code } = await built('puckjs');
    expect(refused.exec(await boots('rp2040_pico', code))?.[1]).toBe('puckjs');
    const blob = Buffer.from(/atob\("([^"]+)"\)/.exec(code)![1]!, 'base64');
    expect(() => unpackBlob(blob, 'cortex-m0plus')).toThrow(/made for another processor/);
    expect(() => nativePolicy('tlsf', loadBoard('esp32'))).toThrow(/native code cannot run there/);
  });
});

describe('what it costs on the virtual Espruino', () => {
  const policies: PolicyName[] = ['tlsf', 'segregated', 'trie-fit'];

  test('a native pair, a native batch of 32 and the interpreted pair, side by side; docs/native.md has the table', async () => {
    const rows = await measureNative(['puckjs', 'rp2040_pico'], policies);
    const table = nativeTable(rows);
    console.info(`\n${table}`);
    for (const { nativePair, batchPair, interpretedPair } of rows) {
      expect(interpretedPair / nativePair).toBeGreaterThan(2);
      expect(nativePair / batchPair).toBeGreaterThan(5);
    }
    // The page's figures are of the day they were taken; prices and bundles change by some percent.
    const page = readFileSync(join(packageRoot, 'docs/native.md'), 'utf8');
    const figures = (row: string) => row.match(/[\d.]+(?= k)/g)!.map(Number);
    for (const row of table.split('\n').slice(2)) {
      const stated = page.split('\n').find((line) => line.startsWith(row.split('|', 3).join('|')));
      expect(stated, row).toBeDefined();
      figures(row).forEach((figure, column) => {
        expect(Math.abs(figures(stated!)[column]! / figure - 1), `${row} against ${stated}`).toBeLessThan(0.15);
      });
    }
  });
});
