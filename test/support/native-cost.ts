/** What a pair of malloc and free costs a program on a virtual Espruino: native, in a native batch, interpreted. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadBoard } from '../../boards/board.ts';
import type { PolicyName } from '../../firmware/src/policies/index.ts';
import { bundle } from '../../firmware/toolchain/bundle.ts';
import { openSim } from '../../host/transport/sim.ts';

/** Cycles of the board's processor for one pair, the loop around it left out. */
export interface NativeCost {
  board: string;
  policy: PolicyName;
  nativePair: number;
  /** In a batch of 32: mallocMany, then freeMany. */
  batchPair: number;
  interpretedPair: number;
}

const batch = 32;
const program = `import { createHeap, freeMany, mallocMany } from 'heapglass';
const heap = createHeap({ bytes: 4096 });
const list = heap.malloc(${4 * batch});
function empty(n) { for (let i = 0; i < n; i++) {} }
function pairs(n) { for (let i = 0; i < n; i++) { heap.free(heap.malloc(24)); } }
function batches(n) { for (let i = 0; i < n; i++) { mallocMany(heap, 24, ${batch}, list); freeMany(heap, ${batch}, list); } }
function seconds(f, n) { const t = getTime(); f(n); return getTime() - t; }
print("<" + JSON.stringify([empty, pairs, batches].map(function (f) { return seconds(f, 20); })) + ">");
`;

async function cyclesOf(boardId: string, policy: PolicyName, native: boolean): Promise<{ pair: number; many: number }> {
  const board = loadBoard(boardId);
  const entry = join(mkdtempSync(join(tmpdir(), 'heapglass-cost-')), 'cost.js');
  writeFileSync(entry, program);
  const { code } = await bundle({ entry, board, policy, native, telemetry: 'off' });
  const sim = await openSim(boardId, { program: code });
  let text = '';
  sim.onData((bytes) => {
    text += Buffer.from(bytes).toString('latin1');
  });
  await sim.write(new TextEncoder().encode('\x10load()\n'));
  for (let waits = 0; waits < 200 && !text.includes(']>'); waits++) await sim.clock.sleep(1_000);
  await sim.close();
  const [empty, pairs, batches] = JSON.parse(/<(\[[^\]]*\])>/.exec(text)?.[1] ?? '[]') as number[];
  if (batches === undefined) throw new Error(`${boardId} printed ${JSON.stringify(text.slice(-200))}`);
  const cycles = (seconds: number) => Math.round(((seconds - empty!) * board.clockHz) / 20);
  return { pair: cycles(pairs!), many: Math.round(cycles(batches) / batch) };
}

export async function measureNative(boards: readonly string[], policies: readonly PolicyName[]): Promise<NativeCost[]> {
  const rows: NativeCost[] = [];
  for (const board of boards) {
    for (const policy of policies) {
      const native = await cyclesOf(board, policy, true);
      const interpreted = await cyclesOf(board, policy, false);
      rows.push({ board, policy, nativePair: native.pair, batchPair: native.many, interpretedPair: interpreted.pair });
    }
  }
  return rows;
}

/** As docs/native.md has it: thousands of cycles, because prices of the engine are no better than some percent. */
export function nativeTable(rows: readonly NativeCost[]): string {
  const thousands = (cycles: number) => `${(cycles / 1000).toFixed(1)} k`;
  return [
    '| board | policy | native pair | of a native batch of 32 | interpreted pair | interpreted / native |',
    '|---|---|--:|--:|--:|--:|',
    ...rows.map(
      ({ board, policy, nativePair, batchPair, interpretedPair }) =>
        `| ${board} | ${policy} | ${thousands(nativePair)} | ${thousands(batchPair)} | ${thousands(interpretedPair)} | ${(interpretedPair / nativePair).toFixed(1)} |`,
    ),
  ].join('\n');
}
