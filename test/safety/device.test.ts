// A safe heap on boards: the bundle has nothing that a board lacks, each fault is found by the program and told to the
// host, and a virtual board that is flashed with the example shows them.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { packageRoot } from '../../boards/root.ts';
import {
  FAULT_DOUBLE_FREE,
  FAULT_OVERFLOW,
  FAULT_UNDERFLOW,
  FAULT_USE_AFTER_FREE,
  FAULT_WILD_FREE,
} from '../../firmware/src/safety/faults.ts';
import { bundle } from '../../firmware/toolchain/bundle.ts';
import { estimateMemory } from '../../firmware/toolchain/estimate.ts';
import { checkSubset, findingText } from '../../firmware/toolchain/subset.ts';
import { misuseText } from '../../host/answers/misuse-words.ts';
import { parseArguments } from '../../host/arguments.ts';
import { command as monitor } from '../../host/commands/monitor.ts';
import { TelemetryDecoder } from '../../host/model/decoder.ts';
import { HeapModel } from '../../host/model/heap-model.ts';
import { captureIo } from '../support/io.ts';
import { FakeEngine } from '../toolchain/fake-engine.ts';

const entry = join(packageRoot, 'examples', 'misuse.js');
const entryOf = (name: string): string => join(packageRoot, 'test', 'safety', name);

const program = `import { createHeap, createSafeHeap } from 'heapglass';
const heap = createSafeHeap(createHeap({ bytes: 2048 }));
heap.setOwner(3);
const block = heap.malloc(20);
export const write = (from) => { heap.u8[block + from] = 1; };
export const check = () => heap.check();
export const free = (from) => heap.free(block + from);
export const faults = () => heap.faults();
export const accounts = () => [heap.bySite(1), heap.byOwner(3), heap.byOwner(0)];
export const fail = () => heap.malloc(5000);
export const mortem = () => heap.postMortem();
`;

async function started(id: string) {
  const board = loadBoard(id);
  const built = await bundle({ entry: entryOf('device.js'), source: program, board });
  const engine = new FakeEngine(board);
  const run = engine.run(built.code) as Record<string, (from?: number) => never>;
  const told: { code: number; site: number }[] = [];
  const model = new HeapModel();
  const decoder = new TelemetryDecoder(
    Object.assign(model, { misuse: (_: number, code: number, site: number) => void told.push({ code, site }) }),
  );
  const hear = (): void => {
    engine.advance(3000);
    for (const bytes of engine.written.splice(0)) decoder.push(bytes);
  };
  return { board, built, run, told, hear };
}

describe.each(['puckjs', 'microbit1', 'kaluma-pico'])('%s', (id) => {
  test('the bundle is in the subset, and its table of blocks is in the estimate', async () => {
    const { board, built } = await started(id);
    expect(checkSubset(built, board).map(findingText)).toEqual([]);
    expect(built.safeHeapsBytes).toEqual([2048]);
    const bare = estimateMemory({ ...built, safeHeapsBytes: [] }, board)!;
    expect(estimateMemory(built, board)!.arenas).toBeGreaterThan(bare.arenas + 2048 / 16);
  });

  test('each fault is named with its block on the board, and told with the site that asked for it', async () => {
    const { run, told, hear } = await started(id);
    const kinds = (): number[] => (run.faults!() as { kind: number }[]).map(({ kind }) => kind);
    run.write!(-1);
    run.check!();
    run.write!(20);
    expect(run.free!(8)).not.toBe(0);
    expect(run.free!(0)).not.toBe(0);
    run.free!(0);
    run.write!(4);
    run.check!();
    // The overflow was looked for first, so the underflow that is still there is not named again.
    const expected = [FAULT_UNDERFLOW, FAULT_WILD_FREE, FAULT_OVERFLOW, FAULT_DOUBLE_FREE, FAULT_USE_AFTER_FREE];
    expect(kinds()).toEqual(expected);
    hear();
    expect(told.map(({ code }) => code)).toEqual(expected);
    expect(told.map(({ site }) => site)).toEqual([1, 0, 1, 1, 1]);
  });

  test('accounts and the post-mortem work on the board', async () => {
    const { run } = await started(id);
    const held = { liveBlocks: 1, liveBytes: 20, mallocs: 1 };
    expect((run.accounts!() as object[]).map((account) => ({ ...account }))).toEqual([
      held,
      held,
      { liveBlocks: 0, liveBytes: 0, mallocs: 0 },
    ]);
    expect(run.fail!()).toBe(0);
    const mortem = run.mortem!() as { lastOperations: object[]; largestFreeBytes: number; freeBytes: number };
    expect(mortem).toMatchObject({ sizeBytes: 5000, site: 2 });
    expect(mortem.largestFreeBytes).toBe(mortem.freeBytes);
    expect(mortem.lastOperations.map((operation) => ({ ...operation }))).toEqual([
      { kind: 'malloc', value: 20, site: 1 },
      { kind: 'malloc', value: 5000, site: 2 },
    ]);
  });
});

test.each([
  ['kaluma-pico', 6],
  ['puckjs', 8],
])('on a virtual %s the example names four faults, and monitor shows each', async (id, seconds) => {
  const { io, written } = captureIo();
  const words = [`sim:${id}`, '--program', entry, '--json', '--seconds', String(seconds)];
  expect(await monitor.run(parseArguments(monitor, words), io)).toBe(0);
  const told = written.out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { event: string; code: number; site: number; offset: number })
    .filter(({ event }) => event === 'misuse');
  const expected = [FAULT_OVERFLOW, FAULT_DOUBLE_FREE, FAULT_WILD_FREE, FAULT_USE_AFTER_FREE];
  expect(told.slice(0, 4).map(({ code }) => code)).toEqual(expected);
  expect(told.slice(0, 4).map(({ site }) => site > 0)).toEqual([true, true, false, true]);
});

test('each fault in words', () => {
  expect(misuseText(FAULT_OVERFLOW, 0x7f4)).toBe('byte at 0x7f4: overflow, a write past the end of a block');
  expect(misuseText(FAULT_DOUBLE_FREE, 0x7b0)).toBe('free of 0x7b0: double free');
});

test('a code that is not known is shown as a number', () => {
  expect(misuseText(99, 16)).toBe('misuse at 0x10: code 99');
});
