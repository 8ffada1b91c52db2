// Regions on the wire: the host's regions are the board's, breaks and large blocks included, at every report and after
// losses; a heap of one arena sends none; recordings from before still open.
import { expect, test, vi } from 'vitest';

vi.mock('../../firmware/src/telemetry/observer.ts', () => import('../../firmware/src/telemetry/recorder.ts'));
vi.mock('../../firmware/src/telemetry/moves.ts', () => import('../../firmware/src/telemetry/move-log.ts'));

import { type PolicyName, policies, policyId, policyNames } from '../../firmware/src/policies/index.ts';
import { createRegionHeap, type RegionHeap, type RegionOptions } from '../../firmware/src/regions/region-heap.ts';
import { recorderDrain, recorderStart } from '../../firmware/src/telemetry/recorder.ts';
import { LEVEL_EVENTS, MAX_FRAME_BYTES } from '../../firmware/wire/format.ts';
import { TelemetryDecoder } from '../../host/model/decoder.ts';
import type { RegionsReport } from '../../host/model/events.ts';
import { HeapModel } from '../../host/model/heap-model.ts';
import { regionRows } from '../../host/model/regions.ts';
import { randomSource } from '../allocator/support/random.ts';
import { recordedHeap } from './device.ts';

const regions: RegionOptions[] = [
  { name: 'sram0-3', bytes: 2048 },
  { bytes: 1024 },
  { name: 'psram on the second chip', bytes: 8192, large: true },
];
const names = policyNames.filter((name) => name !== 'compact');

interface Recorded {
  heap: RegionHeap;
  clock: { ms: number };
  drain(): Uint8Array[];
}

function recordedRegions(policy: PolicyName): Recorded {
  const heap = createRegionHeap({ regions, policy: policies[policy], largeFrom: 500 })!;
  const clock = { ms: 0 };
  recorderStart(heap, {
    policyId: policyId(policy),
    level: LEVEL_EVENTS,
    ringFrames: 6,
    clockKhz: 125_000,
    bundleId: 0,
    nowMs: () => clock.ms,
  });
  const out = new Uint8Array(MAX_FRAME_BYTES);
  const drain = (): Uint8Array[] => {
    const frames: Uint8Array[] = [];
    for (let length = recorderDrain(out); length !== 0; length = recorderDrain(out)) frames.push(out.slice(0, length));
    return frames;
  };
  return { heap, clock, drain };
}

/** What the host shows of each region, and what the heap says of it. */
function compare(model: HeapModel, heap: RegionHeap): void {
  const rows = regionRows(model);
  expect(rows.length).toBe(heap.regionCount);
  for (let region = 0; region < heap.regionCount; region++) {
    const stats = heap.regionStats(region);
    expect(rows[region]).toMatchObject({
      start: stats.baseOffset,
      bytes: stats.bytes,
      breakBytes: stats.breakBytes,
      pageBytes: stats.pageBytes,
      isLarge: regions[region]!.large === true,
    });
    // A block's extent ends with its usable bytes: the last page of a run may be longer by a header.
    expect(Math.abs(rows[region]!.largeBytes - stats.largeBytes)).toBeLessThanOrEqual(64);
  }
}

/** Until the next sweep, the end mark of an arena whose break has moved is taken for free memory: 4 bytes each. */
function compareFree(model: HeapModel, heap: RegionHeap): void {
  expect(Math.abs(model.metrics().freeBytes - heap.stats().freeBytes)).toBeLessThanOrEqual(2 * 4);
}

/** Random operations on `heap`, which keeps its live blocks in `live`. */
function churn(heap: RegionHeap, live: number[], random: (below: number) => number, count: number): void {
  for (let n = 0; n < count; n++) {
    const size = random(8) === 0 ? 500 + random(900) : random(90);
    const at = random(live.length + 1);
    const dice = random(8);
    if (dice === 0) heap.trim(random(200));
    else if (dice < 4 || live[at] === undefined) {
      const block = heap.malloc(size, random(6));
      if (block !== 0) live.push(block);
    } else if (dice === 4) {
      const moved = heap.realloc(live[at], size);
      if (moved !== 0) live[at] = moved;
    } else heap.free(live.splice(at, 1)[0]!);
  }
}

test.each(names)('%s: breaks, large blocks and names are those of the board, after losses too', (policy) => {
  const { heap, clock, drain } = recordedRegions(policy);
  const random = randomSource(20261123);
  const live: number[] = [];
  const model = new HeapModel();
  const reports: RegionsReport[] = [];
  const decoder = new TelemetryDecoder(
    Object.assign(model, {
      regions(report: RegionsReport) {
        reports.push(report);
        HeapModel.prototype.regions.call(model, report);
      },
    }),
  );
  for (let round = 0; round < 60; round++) {
    churn(heap, live, random, 12);
    // Past the rest between reports, and a sweep.
    for (let i = 0; i < 12; i++) {
      clock.ms += 100;
      for (const frame of drain()) if (round % 10 !== 7 || random(3) > 0) decoder.push(frame);
    }
    if (round % 10 === 9) {
      // A hello, and a whole sweep, heal what was lost.
      for (let i = 0; i < 120; i++) {
        clock.ms += 100;
        for (const frame of drain()) decoder.push(frame);
      }
    }
    if (round % 10 < 7 || round % 10 === 9) compare(model, heap);
    if (round % 10 < 7 && policies[policy].moveEnd && model.exact && round > 9) compareFree(model, heap);
    if (round % 10 === 9) {
      expect(model.exact).toBe(true);
      expect(model.liveBlocks).toBe(live.length);
      // What a sweep called beyond is the arena's own where the break has moved over it since.
      if (policies[policy].moveEnd) compareFree(model, heap);
    }
  }
  expect(model.contradictions).toBe(0);
  expect(reports.length).toBeGreaterThan(20);
  expect(reports.at(-1)!.regions.map(({ name }) => name)).toEqual(['sram0-3', '', 'psram on the']);
  expect(regionRows(model)[1]!.name).toBe('region 1');
});

test('free memory of the host is that of the arenas; what lies beyond the breaks is not free, and not the policy’s', () => {
  const { heap, clock, drain } = recordedRegions('tlsf');
  const model = new HeapModel();
  const decoder = new TelemetryDecoder(model);
  const [small, large] = [heap.malloc(100), heap.malloc(2000)];
  for (let i = 0; i < 60; i++) {
    clock.ms += 100;
    for (const frame of drain()) decoder.push(frame);
  }
  const { freeBytes, beyondBytes } = model.metrics();
  const stats = [0, 1, 2].map((region) => heap.regionStats(region));
  const unused = stats.reduce((sum, { bytes, breakBytes, largeBytes }) => sum + bytes - breakBytes - largeBytes, 0);
  expect(Math.abs(beyondBytes - unused)).toBeLessThanOrEqual(16);
  expect(freeBytes).toBe(heap.stats().freeBytes);
  // Given back at once: the pages are nobody's, without a report.
  heap.free(large);
  clock.ms += 200;
  for (const frame of drain()) decoder.push(frame);
  expect(model.metrics().beyondBytes - beyondBytes).toBeGreaterThanOrEqual(2000);
  heap.free(small);
});

test('a block behind a break that is not told yet is none of the large ones', () => {
  const { heap, clock, drain } = recordedRegions('trie-fit');
  const model = new HeapModel();
  const decoder = new TelemetryDecoder(model);
  const hear = (): void => {
    for (const frame of drain()) decoder.push(frame);
  };
  heap.malloc(900);
  clock.ms += 600;
  hear();
  clock.ms += 600;
  hear();
  const told = heap.regionStats(0).breakBytes;
  for (let i = 0; i < 6; i++) heap.malloc(90);
  clock.ms += 110;
  hear();
  const [first, , third] = regionRows(model);
  expect(heap.regionStats(0).breakBytes).toBeGreaterThan(told);
  expect(first).toMatchObject({ largeBytes: 0 });
  expect(first!.breakBytes).toBeGreaterThanOrEqual(6 * 90);
  expect(third!.largeBytes).toBe(heap.regionStats(2).largeBytes);
});

test('a heap of one arena sends no such frame', () => {
  const { heap, clock, drain } = recordedHeap({ policy: 'tlsf', bytes: 4096 });
  let reports = 0;
  const decoder = new TelemetryDecoder({ regions: () => reports++ });
  for (let i = 0; i < 50; i++) {
    heap.free(heap.malloc(50));
    clock.ms += 300;
    for (const frame of drain()) decoder.push(frame);
  }
  expect(decoder.statistics.frames).toBeGreaterThan(50);
  expect(reports).toBe(0);
});

test('a checkpoint keeps the regions, and one from before there were any opens', () => {
  const { heap, clock, drain } = recordedRegions('trie-fit');
  const model = new HeapModel();
  const decoder = new TelemetryDecoder(model);
  heap.malloc(100);
  heap.malloc(900);
  for (let i = 0; i < 60; i++) {
    clock.ms += 100;
    for (const frame of drain()) decoder.push(frame);
  }
  const state = JSON.parse(JSON.stringify(model.save())) as ReturnType<HeapModel['save']>;
  const restored = new HeapModel();
  restored.restore(state);
  expect(regionRows(restored)).toEqual(regionRows(model));
  expect(restored.metrics()).toEqual(model.metrics());
  const { regions: _, ...older } = state;
  restored.restore(older);
  expect(restored.heapRegions).toEqual([]);
  expect(restored.liveBlocks).toBe(model.liveBlocks);
});

test('more regions than a frame holds: as many as there is room for, and the frame is sound', () => {
  const many = Array.from({ length: 30 }, (_, i) => ({ name: `a long name ${i}`, bytes: 256 }));
  const heap = createRegionHeap({ regions: many, policy: policies['first-fit'] })!;
  let ms = 0;
  recorderStart(heap, {
    policyId: 0,
    level: LEVEL_EVENTS,
    ringFrames: 4,
    clockKhz: 0,
    bundleId: 0,
    nowMs: () => ms,
  });
  const out = new Uint8Array(MAX_FRAME_BYTES);
  const told: RegionsReport[] = [];
  const decoder = new TelemetryDecoder({ regions: (report) => told.push(report) });
  for (let i = 0; i < 20; i++) {
    ms += 50;
    const length = recorderDrain(out);
    if (length > 0) decoder.push(out.slice(0, length));
  }
  expect(decoder.statistics.malformedFrames + decoder.statistics.damagedRuns).toBe(0);
  expect(told[0]!.regions.length).toBeGreaterThanOrEqual(10);
  expect(told[0]!.regions.every(({ bytes }) => bytes === 256)).toBe(true);
});

test('a hostile report claims more than there is: no region goes beyond the heap, no break beyond its region', () => {
  const model = new HeapModel();
  model.begin(1000, 8, 0);
  const told = { name: '\u001b[2J', bytes: 600, breakBytes: 99999, isLarge: false, pageBytes: 2 ** 31 };
  model.regions({ atMs: 0, regions: [told, told, told, { ...told, bytes: 0 }] });
  expect(model.heapRegions.map(({ start, bytes, breakBytes }) => [start, bytes, breakBytes])).toEqual([
    [0, 600, 600],
    [600, 400, 400],
  ]);
});
