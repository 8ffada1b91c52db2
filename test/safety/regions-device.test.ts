// Safe heaps over several regions on boards: the bundle has nothing that a board lacks and does what the sources do; the
// virtual board loads it, runs it, and its line tells the faults.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { packageRoot } from '../../boards/root.ts';
import { createRegionHeap, createSafeHeap, type SafeRegionHeap } from '../../firmware/src/index.ts';
import { blockTableBytes } from '../../firmware/src/safety/block-table.ts';
import { FAULT_OVERFLOW, FAULT_USE_AFTER_FREE } from '../../firmware/src/safety/faults.ts';
import { bundle } from '../../firmware/toolchain/bundle.ts';
import { estimateMemory } from '../../firmware/toolchain/estimate.ts';
import { checkSubset, findingText } from '../../firmware/toolchain/subset.ts';
import { parseArguments } from '../../host/arguments.ts';
import { command as monitor } from '../../host/commands/monitor.ts';
import { measureCall } from '../../sim/engine/call.ts';
import { randomSource } from '../allocator/support/random.ts';
import { captureIo } from '../support/io.ts';
import { FakeEngine } from '../toolchain/fake-engine.ts';

const entry = join(packageRoot, 'test', 'safety', 'regions-device.js');
const regions = [{ bytes: 1024 }, { bytes: 1024 }, { bytes: 2048, large: true }];
const source = `import { createRegionHeap, createSafeHeap } from 'heapglass';
global.heap = createSafeHeap(createRegionHeap({ regions: ${JSON.stringify(regions)}, largeFrom: 400 }), { quarantineBlocks: 4 });
`;

/** Random operations and mistakes, every answer noted. */
function history(heap: SafeRegionHeap, count: number): unknown[] {
  const random = randomSource(20261123);
  const live: { key: number; size: number }[] = [];
  const results: unknown[] = [];
  for (let n = 0; n < count; n++) {
    const size = random(8) === 0 ? 400 + random(300) : random(70);
    const at = random(live.length + 1);
    const block = live[at];
    const dice = random(10);
    if (dice < 4 || !block) {
      const key = heap.malloc(size, n & 31);
      results.push(key);
      if (key !== 0) live.push({ key, size });
    } else if (dice === 4) {
      const key = heap.realloc(block.key, size);
      results.push(key);
      if (key !== 0) live[at] = { key, size };
    } else if (dice === 5) results.push(heap.trim(random(100)), heap.check());
    else {
      // One in six is written past its end first.
      if (random(6) === 0) heap.bytesOf(block.key)[heap.placeOf(block.key) + block.size] = 1;
      results.push(heap.free(block.key));
      if (random(6) === 0) results.push(heap.free(block.key));
      live.splice(at, 1);
    }
  }
  results.push(heap.faults().map((fault) => ({ ...fault })));
  results.push({ ...heap.stats() }, heap.tableBytes);
  return results;
}

describe.each(['kaluma-pico', 'puckjs', 'microbit1'])('%s', (id) => {
  test('the bundle does what the sources do, and its table is in the estimate', async () => {
    const board = loadBoard(id);
    const built = await bundle({ entry, source, board, telemetry: 'off', keepMethods: 'all' });
    expect(checkSubset(built, board).map(findingText)).toEqual([]);
    expect(built.safeHeapsBytes).toEqual([4096]);
    const bare = estimateMemory({ ...built, safeHeapsBytes: [] }, board)!;
    const unitBytes = board.jsvars?.bytesEach ?? 1;
    const tables = estimateMemory(built, board)!.arenas - bare.arenas;
    expect(tables * unitBytes).toBeGreaterThan(blockTableBytes(4096));
    const onBoard = new FakeEngine(board).run(built.code).heap as unknown as SafeRegionHeap;
    const own = createSafeHeap(createRegionHeap({ regions, largeFrom: 400 }), { quarantineBlocks: 4 })!;
    const expected = history(own, 300);
    expect(own.faultCount()).toBeGreaterThan(10);
    expect(history(onBoard, 300)).toEqual(expected);
  });
});

const programOf = (begin: string): string => `import { createRegionHeap, createSafeHeap } from 'heapglass';
const heap = createSafeHeap(createRegionHeap({ regions: [{ bytes: 1024 }, { bytes: 2048, large: true }], largeFrom: 300 }));
function mistakes() {
  const small = heap.malloc(20);
  heap.bytesOf(small)[heap.placeOf(small) + 20] = 1;
  heap.free(small);
  const large = heap.malloc(400);
  heap.free(large);
  heap.bytesOf(large)[heap.placeOf(large) + 7] = 1;
  return heap.check() + 10 * heap.faultCount();
}
${begin}
`;

test.each(['kaluma-pico', 'puckjs'])('a virtual %s loads and runs it without telemetry', async (id) => {
  const board = loadBoard(id);
  const built = await bundle({ entry, source: programOf('globalThis.mistakes = mistakes;'), board, telemetry: 'off' });
  const { value, load } = measureCall(board, { source: built.code, fileName: 'mistakes.js' }, 'mistakes()');
  expect(value).toBe(FAULT_USE_AFTER_FREE + 20);
  expect(load.jsvars ?? load.engineHeapBytes).toBeGreaterThan(0);
});

test.each([
  ['kaluma-pico', 6],
  ['pico_r1_3', 6],
])('a virtual %s tells an overflow in the arena, and a write to a freed large block', async (id, seconds) => {
  const path = join(mkdtempSync(join(tmpdir(), 'heapglass-')), 'safe-regions.js');
  writeFileSync(path, programOf('setTimeout(mistakes, 3000);'));
  const { io, written } = captureIo();
  const words = [`sim:${id}`, '--program', path, '--json', '--seconds', String(seconds)];
  expect(await monitor.run(parseArguments(monitor, words), io)).toBe(0);
  const told = written.out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { event: string; code: number; offset: number })
    .filter(({ event }) => event === 'misuse');
  expect(told.map(({ code }) => code)).toEqual([FAULT_OVERFLOW, FAULT_USE_AFTER_FREE]);
  expect(told[1]!.offset).toBeGreaterThan(1024);
});
