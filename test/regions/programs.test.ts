// The programs of docs/regions.md: the first runs in Node, the one of the RP2040's bank is flashed to its virtual board.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import vm from 'node:vm';
import { expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { packageRoot } from '../../boards/root.ts';
import { createRegionHeap } from '../../firmware/src/index.ts';
import { bundle } from '../../firmware/toolchain/bundle.ts';
import { parseArguments } from '../../host/arguments.ts';
import { command as monitor } from '../../host/commands/monitor.ts';
import { command as sim } from '../../host/commands/sim.ts';
import type { ToldRegion } from '../../host/model/events.ts';
import { captureIo } from '../support/io.ts';

const document = readFileSync(join(packageRoot, 'docs', 'regions.md'), 'utf8');
const importLine = "import { createRegionHeap } from 'heapglass';\n";
const programs = [...document.matchAll(/```js\n(import [\s\S]*?)```/g)].map(([, text]) => text!);

test('the page has two programs', () => {
  expect(programs.map((text) => text.startsWith(importLine))).toEqual([true, true]);
});

test('the first one: a large block is written through the bytes of its own region', () => {
  const world = vm.createContext({ createRegionHeap });
  vm.runInContext(`${programs[0]!.replace(importLine, '').replaceAll('const ', 'var ')}`, world);
  const { heap, frame } = world as { heap: NonNullable<ReturnType<typeof createRegionHeap>>; frame: number };
  expect(heap.regionOf(frame)).toBe(1);
  expect(heap.regionStats(1).largeBytes).toBeGreaterThanOrEqual(5000);
  expect(heap.bytesOf(frame)[heap.placeOf(frame)]).toBe(1);
});

test('the bank of the RP2040 is none of the arenas that the engine holds, and the map has a band for it', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'heapglass-')), 'app.js');
  writeFileSync(path, programs[1]!);
  const built = await bundle({ entry: path, board: loadBoard('rp2040_pico') });
  expect(built.arenasBytes).toEqual([8192]);
  const { io, written } = captureIo();
  expect(
    await monitor.run(parseArguments(monitor, ['sim:rp2040_pico', '--program', path, '--json', '--seconds', '8']), io),
  ).toBe(0);
  const told = written.out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { event: string; regions: ToldRegion[]; offset: number; size: number });
  const { regions } = told.findLast(({ event }) => event === 'regions')!;
  expect(regions.map(({ name, bytes, isLarge }) => [name, bytes, isLarge])).toEqual([
    ['sram4', 4096, false],
    ['variables', 8192, true],
  ]);
  expect(regions[0]!.breakBytes).toBeGreaterThan(500);
  const given = told.filter(({ event }) => event === 'malloc');
  expect(given.length).toBeGreaterThan(20);
  for (const { offset, size } of given) expect(offset >= 4096).toBe(size === 2500);
});

test('memory at an address can be written, and there is none beside the banks', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'heapglass-')), 'area.js');
  writeFileSync(
    path,
    `function area(at) { return new Uint8Array(E.toArrayBuffer(E.memoryArea(at, 16))); }
const bank = area(0x20040000);
bank[3] = 7;
print('bank', bank[3], area(0x20041000)[3]);
try { area(0x30000000); } catch (e) { print('beside', e.message); }
`,
  );
  const { io, written } = captureIo();
  await sim.run(parseArguments(sim, [path, '--board', 'rp2040_pico', '--seconds', '2']), io);
  expect(written.out).toMatch(/bank .*7 0/);
  expect(written.out).toContain('beside this virtual board has no memory at 0x30000000');
});

test('the map of the example at 80x24 has the bands of the page', async () => {
  const { io, written } = captureIo({ isTerminal: true, columns: 80, rows: 24 });
  const words = ['sim:kaluma-pico', '--program', join(packageRoot, 'examples', 'two-banks.js'), '--seconds', '7'];
  expect(await monitor.run(parseArguments(monitor, words), io)).toBe(0);
  const lines = written.out.slice(written.out.lastIndexOf('\x1b')).split('\n');
  const from = lines.findIndex((line) => line.startsWith('map '));
  const drawn = lines.slice(from, from + 9).join('\n');
  const path = join(packageRoot, 'docs', 'regions.md');
  if (process.env.HEAPGLASS_UPDATE)
    writeFileSync(path, document.replace(/```\nmap [\s\S]*?```/, `\`\`\`\n${drawn}\n\`\`\``));
  // Which records are live then, prices decide; the bands, their names, sizes and facts do not change.
  const labels = (text: string): string[] => text.split('\n').map((line, i) => (i === 0 ? line : line.slice(0, 10)));
  expect(labels(/```\n(map [\s\S]*?)\n```/.exec(readFileSync(path, 'utf8'))![1]!)).toEqual(labels(drawn));
});
