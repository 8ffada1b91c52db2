// What safety costs on a board: bytes of the bundle, the engine's memory, and cycles of a malloc and its free, beside
// the bare heap. The table in docs/safety.md is held to these figures within a quarter: HEAPGLASS_UPDATE=1 writes it anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { packageRoot } from '../../boards/root.ts';
import { bundle } from '../../firmware/toolchain/bundle.ts';
import { estimateMemory } from '../../firmware/toolchain/estimate.ts';
import { measureCall } from '../../sim/engine/call.ts';

const PAIRS = 20;
/** Blocks of 24 bytes that live meanwhile: what `verify` walks over. */
const LIVE = 20;
const tolerance = 0.25;
const documentPath = join(packageRoot, 'docs', 'safety.md');

const heaps = {
  'bare heap': 'createHeap({ bytes: 4096 })',
  'safe, `verify: false`': 'createSafeHeap(createHeap({ bytes: 4096 }), { verify: false })',
  'safe, `verify: true`': 'createSafeHeap(createHeap({ bytes: 4096 }))',
  'two regions of 2 KB': 'createRegionHeap({ regions: [{ bytes: 2048 }, { bytes: 2048 }] })',
  'two regions, safe, `verify: false`':
    'createSafeHeap(createRegionHeap({ regions: [{ bytes: 2048 }, { bytes: 2048 }] }), { verify: false })',
};

const programOf = (heap: string): string => `import { createHeap, createRegionHeap, createSafeHeap } from 'heapglass';
const heap = ${heap};
for (let i = 0; i < ${LIVE}; i++) heap.malloc(24);
globalThis.pairs = function (count) { for (let i = 0; i < count; i++) heap.free(heap.malloc(24)); };
`;

async function row(name: string, heap: string): Promise<string[]> {
  const cells = [name];
  for (const id of ['kaluma-pico', 'puckjs']) {
    const board = loadBoard(id);
    const entry = join(packageRoot, 'test', 'safety', 'cost.js');
    const built = await bundle({ entry, source: programOf(heap), board, telemetry: 'off' });
    const { code, arenas } = estimateMemory(built, board)!;
    const call = (pairs: number): number =>
      measureCall(board, { source: built.code, fileName: 'cost.js' }, `pairs(${pairs})`).cycles;
    cells.push(
      ...[built.bytes, code + arenas, (call(PAIRS * 2) - call(PAIRS)) / PAIRS].map((n) => String(Math.round(n))),
    );
  }
  return cells;
}

const head = [
  '| a 4 KB arena | Pico: bundle, bytes | engine heap, bytes | malloc + free, cycles | Puck.js: bundle, bytes | variables | malloc + free, cycles |',
  '|---|--:|--:|--:|--:|--:|--:|',
];

test('the table of costs in docs/safety.md', async () => {
  const rows: string[][] = [];
  for (const [name, heap] of Object.entries(heaps)) rows.push(await row(name, heap));
  const lines = [...head, ...rows.map((cells) => `| ${cells.join(' | ')} |`)];
  const document = readFileSync(documentPath, 'utf8');
  const from = document.indexOf(head[0]!);
  expect(from).toBeGreaterThan(0);
  const to = document.indexOf('\n\n', from);
  if (process.env.HEAPGLASS_UPDATE)
    writeFileSync(documentPath, document.slice(0, from) + lines.join('\n') + document.slice(to));
  const written = readFileSync(documentPath, 'utf8')
    .slice(from)
    .split('\n')
    .slice(2, 2 + rows.length)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  expect(written.map(([name]) => name)).toEqual(rows.map(([name]) => name));
  for (const [i, cells] of rows.entries())
    for (let column = 1; column < cells.length; column++)
      expect(Math.abs(Number(written[i]![column]) / Number(cells[column]) - 1), `${lines[i + 2]}`).toBeLessThan(
        tolerance,
      );
});
