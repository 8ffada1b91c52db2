// Heaps of regions on boards: the bundle does what the sources do, has nothing that a board lacks, and its telemetry
// rebuilds the map of all regions, breaks and pages included.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { packageRoot } from '../../boards/root.ts';
import { type PolicyName, policies } from '../../firmware/src/policies/index.ts';
import { createRegionHeap, type RegionHeap } from '../../firmware/src/regions/region-heap.ts';
import { bundle } from '../../firmware/toolchain/bundle.ts';
import { checkSubset, findingText } from '../../firmware/toolchain/subset.ts';
import { TelemetryDecoder } from '../../host/model/decoder.ts';
import { HeapModel } from '../../host/model/heap-model.ts';
import { randomSource } from '../allocator/support/random.ts';
import { FakeEngine } from '../toolchain/fake-engine.ts';

const entry = join(packageRoot, 'test', 'regions', 'device.js');
const regions = [{ bytes: 2048 }, { bytes: 1024 }, { bytes: 4096, large: true }];
const source = `import { createRegionHeap } from 'heapglass';
global.heap = createRegionHeap({ regions: ${JSON.stringify(regions)}, largeFrom: 400 });
`;

/** Random operations, every result noted. */
function history(heap: RegionHeap, count: number): (number | object)[] {
  const random = randomSource(20261123);
  const live: number[] = [];
  const results: (number | object)[] = [];
  for (let n = 0; n < count; n++) {
    const size = random(8) === 0 ? 200 + random(900) : random(80);
    const at = random(live.length + 1);
    const block = live[at] ?? 0;
    const dice = random(9);
    if (dice < 4) results.push(heap.malloc(size));
    else if (dice === 4) results.push(heap.calloc(2, size >> 1));
    else if (dice === 5 && block !== 0) {
      const moved = heap.realloc(block, size);
      results.push(moved, moved === 0 ? 0 : heap.usableSize(moved));
      if (moved !== 0) live[at] = moved;
      continue;
    } else if (dice === 6) results.push(heap.trim(random(300)), heap.check());
    else if (block !== 0) {
      results.push(heap.free(block));
      live.splice(at, 1);
      continue;
    } else continue;
    const given = results.at(-1) as number;
    if (given !== 0 && dice < 5) live.push(given);
  }
  results.push({ ...heap.stats() });
  for (let region = 0; region < heap.regionCount; region++) results.push({ ...heap.regionStats(region) });
  return results;
}

const cases: [string, PolicyName][] = [
  ['kaluma-pico', 'trie-fit'],
  ['kaluma-pico', 'tlsf'],
  ['kaluma-pico', 'buddy'],
  ['puckjs', 'trie-fit'],
  ['puckjs', 'segregated'],
  ['microbit1', 'first-fit'],
];

test.each(cases)('%s, %s: the bundle does what the sources do', async (id, policy) => {
  const board = loadBoard(id);
  const built = await bundle({ entry, source, board, policy, telemetry: 'off', keepMethods: 'all' });
  expect(checkSubset(built, board).map(findingText)).toEqual([]);
  expect(built.arenasBytes).toEqual(regions.map(({ bytes }) => bytes));
  const onBoard = new FakeEngine(board).run(built.code).heap as unknown as RegionHeap;
  const own = createRegionHeap({ regions, policy: policies[policy], largeFrom: 400 })!;
  const expected = history(own, 600);
  expect(expected.filter((result) => result !== 0).length).toBeGreaterThan(200);
  expect(history(onBoard, 600)).toEqual(expected);
});

describe.each(['kaluma-pico', 'puckjs'])('%s', (id) => {
  test('the telemetry rebuilds the map of all regions', async () => {
    const board = loadBoard(id);
    const built = await bundle({ entry: join(packageRoot, 'examples', 'two-banks.js'), board });
    expect(checkSubset(built, board).map(findingText)).toEqual([]);
    const engine = new FakeEngine(board);
    const program = engine.run(built.code);
    const model = new HeapModel();
    const decoder = new TelemetryDecoder(model);
    engine.advance(9_950);
    for (const bytes of engine.written.splice(0)) decoder.push(bytes);
    expect(model.lastHello).toMatchObject({ arenaBytes: 2048 + 4096 });
    expect(model.exact).toBe(true);
    expect(model.contradictions).toBe(0);
    const [first, second] = program.regions!() as { breakBytes: number; largeBytes: number }[];
    let live = 0;
    let inPages = 0;
    model.forEachBlock(({ start, bytes, live: isLive }) => {
      if (isLive) live += bytes;
      if (isLive && start >= 2048) inPages += bytes;
    });
    expect(inPages).toBe(second!.largeBytes);
    expect(live - inPages).toBeLessThan(first!.breakBytes);
    expect(first!.breakBytes).toBeLessThan(1024);
  });
});

test('heaps of both kinds in one program are refused with what to do', async () => {
  const both = `import { createHeap, createRegionHeap } from 'heapglass';
createHeap({ bytes: 512 });
createRegionHeap({ regions: [{ bytes: 512 }] });
`;
  await expect(bundle({ entry, source: both, board: loadBoard('puckjs') })).rejects.toThrow(/heaps of regions/);
});
