// What the recorder costs on the line, over the recorded traces: bytes an operation, and what a line of a given speed
// carries. HEAPGLASS_REPORT=1 prints the tables.
import { expect, test, vi } from 'vitest';
import {
  defaultPolicyName,
  type PolicyName,
  policies as policyModules,
  policyNames,
} from '../../firmware/src/policies/index.ts';
import { recorderDropped, recorderLevel } from '../../firmware/src/telemetry/recorder.ts';
import { LEVEL_COUNTERS, LEVEL_EVENTS } from '../../firmware/wire/format.ts';
import { runTrace } from '../../host/bench/footprint.ts';
import { TelemetryDecoder } from '../../host/model/decoder.ts';
import { HeapModel } from '../../host/model/heap-model.ts';
import { modelDigest, recordedHeap, step, walkDigest } from './device.ts';
import { loadTrace, traceNames } from './traces.ts';

vi.mock('../../firmware/src/telemetry/observer.ts', () => import('../../firmware/src/telemetry/recorder.ts'));
vi.mock('../../firmware/src/telemetry/moves.ts', () => import('../../firmware/src/telemetry/move-log.ts'));

const report = (text: string): void => {
  if (process.env.HEAPGLASS_REPORT) console.log(text);
};
/** What must fit the line. */
const usual: readonly PolicyName[] = ['first-fit', 'best-fit', defaultPolicyName];
/** A report has all policies, and says of which the line could not carry all. */
const policies = process.env.HEAPGLASS_REPORT ? policyNames : usual;
/** The engine heap of a Pico, the largest at hand that talks over a UART (Kaluma 1.2.1, process.memoryUsage). */
const LARGEST_ARENA_BYTES = 184312;

interface Run {
  operations: number;
  bytes: number;
  dropped: number;
  model: HeapModel;
  decoder: TelemetryDecoder;
  deviceDigest: number;
  levels: Set<number>;
}

/** An arena with a little room to spare: the first of these shares of the peak in which the trace completes. */
const arenas = new Map<string, number>();

function arenaBytes(name: string, policy: PolicyName): number {
  const key = `${name} ${policy}`;
  const known = arenas.get(key);
  if (known !== undefined) return known;
  const trace = loadTrace(name);
  const sizes = [1.3, 2, 2.5, 4].map((share) => (share * trace.peakLiveBytes + 2048) & ~7);
  const found = sizes.find((bytes) => runTrace(policyModules[policy], trace, bytes) === -1)!;
  arenas.set(key, found);
  return found;
}

/**
 * Runs a trace at a steady rate over a line of a given speed, in virtual time; the drain is called each millisecond
 * when the line has sent what it was given. Everything the line carries is counted: events, map, counters, framing.
 */
function run(name: string, policy: PolicyName, operationsPerSecond: number, bytesPerSecond: number, repeat = 1): Run {
  const trace = loadTrace(name);
  const { heap, clock, drain } = recordedHeap({
    policy,
    bytes: arenaBytes(name, policy),
    ringFrames: 6,
  });
  const model = new HeapModel();
  const decoder = new TelemetryDecoder(model);
  const levels = new Set<number>();
  let operations = 0;
  let bytes = 0;
  let due = 0;
  let credit = 0;
  const tick = (): void => {
    clock.ms++;
    credit = Math.min(credit + bytesPerSecond / 1000, 64);
    while (credit >= 0) {
      const [frame] = drain(1);
      if (frame === undefined) break;
      credit -= frame.length;
      bytes += frame.length;
      decoder.push(frame);
      levels.add(recorderLevel());
    }
  };
  for (let round = 0; round < repeat; round++) {
    const offsets = new Int32Array(trace.idCount);
    for (let i = 0; i < trace.kinds.length; i++) {
      if (!step(heap, trace, i, offsets)) expect.unreachable(`${name}:${i}: no room`);
      operations++;
      for (due += 1000 / operationsPerSecond; due >= 1; due--) tick();
    }
    for (const offset of offsets) if (offset !== 0) heap.free(offset);
  }
  const deviceDigest = walkDigest(heap);
  const dropped = recorderDropped();
  const busy = bytes;
  for (let i = 0; i < 1500; i++) tick();
  return { operations, bytes: busy, dropped, model, decoder, deviceDigest, levels };
}

test.skipIf(traceNames.length === 0)(
  'events cost at most 3.0 bytes an operation on average, and 3,500 operations a second fit 115200 baud without loss',
  () => {
    const rows = [`bytes/operation   ${policies.map((name) => name.padStart(10)).join('')}`];
    const sums = policies.map(() => 0);
    const wrong: string[] = [];
    for (const name of traceNames) {
      const cells = policies.map((policy, index) => {
        const { operations, bytes, dropped, model, decoder, deviceDigest } = run(name, policy, 3500, 11520);
        const same = model.exact && modelDigest(model) === deviceDigest && decoder.statistics.lostFrames === 0;
        const fits = arenaBytes(name, policy) <= LARGEST_ARENA_BYTES;
        if (fits && (dropped > 0 || !same))
          wrong.push(`${name} ${policy}: ${dropped} dropped, map ${same ? 'exact' : 'not exact'}`);
        sums[index]! += bytes / operations;
        return (bytes / operations).toFixed(2);
      });
      rows.push(`${name.replace('.trace', '').padEnd(18)}${cells.map((cell) => cell.padStart(10)).join('')}`);
    }
    const means = sums.map((sum) => sum / traceNames.length);
    rows.push(`${'mean'.padEnd(18)}${means.map((mean) => mean.toFixed(2).padStart(10)).join('')}`);
    report(rows.join('\n'));
    report(`more than the line carries: ${wrong.join('; ') || 'none'}`);
    expect(wrong.filter((text) => usual.some((policy) => text.includes(` ${policy}: `)))).toEqual([]);
    for (const mean of means) expect(mean).toBeLessThanOrEqual(3);
  },
);

test.skipIf(traceNames.length === 0)(
  '9600 baud: the level steps down instead of blocking, and what goes unrecorded is counted',
  () => {
    const name = traceNames.find((trace) => trace.startsWith('lua-queens')) ?? traceNames[0]!;
    const { operations, dropped, model, decoder, levels } = run(name, 'best-fit', 3500, 960, 8);
    const counters = model.lastCounters!;
    report(
      `9600 baud, 3,500 operations a second: ${operations} operations, ${counters.records} records sent, ${dropped} dropped, ` +
        `${counters.skipped} not recorded because of the level, levels ${[...levels].join(', ')}`,
    );
    expect(Math.min(...levels)).toBeLessThan(LEVEL_EVENTS);
    expect(Math.min(...levels)).toBeGreaterThanOrEqual(LEVEL_COUNTERS);
    expect(dropped).toBeGreaterThan(0);
    expect(counters.dropped).toBe(dropped);
    expect(counters.operations).toBeGreaterThanOrEqual(operations);
    expect(decoder.statistics).toMatchObject({ lostFrames: 0, lostRecords: 0, malformedFrames: 0 });
    expect(model.exact).toBe(false);
  },
);

test('a step down is followed by a step back up, and a sweep makes the map exact', () => {
  const { heap, clock, drain } = recordedHeap({ policy: 'best-fit', bytes: 16384, ringFrames: 3 });
  const model = new HeapModel();
  const decoder = new TelemetryDecoder(model);
  const listen = (): void => {
    for (const frame of drain()) decoder.push(frame);
  };
  listen();
  const live: number[] = [];
  for (let i = 0; i < 2000; i++) {
    if (i % 3 === 2) heap.free(live.shift()!);
    else if (live.length < 100) live.push(heap.malloc(20 + (i % 90), 1 + (i % 5)));
  }
  expect(recorderDropped()).toBeGreaterThan(0);
  listen();
  expect(recorderLevel()).toBeLessThan(LEVEL_EVENTS);
  expect(model.exact).toBe(false);
  for (let i = 0; i < 400; i++) {
    clock.ms += 50;
    heap.free(live.shift()!);
    live.push(heap.malloc(40 + (i % 30), 9));
    listen();
  }
  expect(recorderLevel()).toBe(LEVEL_EVENTS);
  expect(model.exact).toBe(true);
  expect(modelDigest(model)).toBe(walkDigest(heap));
  expect(model.contradictions).toBe(0);
  clock.ms += 1100;
  listen();
  // W4: what was not heard was counted, operation by operation.
  const { operations, dropped, skipped } = model.lastCounters!;
  expect(operations).toBe(model.operations + dropped + skipped);
  expect(decoder.statistics.unrecorded).toBe(dropped + skipped);
});

test('a program that rests after records were dropped: the map is exact again without another operation', () => {
  const { heap, clock, drain } = recordedHeap({ policy: 'best-fit', bytes: 16384, ringFrames: 3 });
  const model = new HeapModel();
  const decoder = new TelemetryDecoder(model);
  for (let i = 0; i < 900; i++) heap.malloc(8);
  expect(recorderDropped()).toBeGreaterThan(0);
  for (let i = 0; i < 300; i++) {
    clock.ms += 50;
    for (const frame of drain()) decoder.push(frame);
  }
  expect(recorderLevel()).toBe(LEVEL_EVENTS);
  expect(decoder.statistics.unrecorded).toBe(recorderDropped());
  expect(model.exact).toBe(true);
  expect(modelDigest(model)).toBe(walkDigest(heap));
});

test.skipIf(traceNames.length === 0)('decoder and model: events a second in this process', () => {
  const name = traceNames.find((trace) => trace.startsWith('jansson')) ?? traceNames[0]!;
  const trace = loadTrace(name);
  const { heap, drain } = recordedHeap({ policy: 'best-fit', bytes: (2.5 * trace.peakLiveBytes + 8192) & ~7 });
  const frames: Uint8Array[] = [];
  const offsets = new Int32Array(trace.idCount);
  for (let i = 0; i < trace.kinds.length; i++) {
    step(heap, trace, i, offsets);
    if (i % 100 === 0) frames.push(...drain());
  }
  const stream = Buffer.concat(frames);
  const measure = (): number => {
    const started = process.hrtime.bigint();
    let events = 0;
    for (let round = 0; round < 20; round++) {
      const decoder = new TelemetryDecoder(new HeapModel());
      for (let at = 0; at < stream.length; at += 4096) decoder.push(stream.subarray(at, at + 4096));
      events += decoder.statistics.records;
    }
    return events / (Number(process.hrtime.bigint() - started) / 1e9);
  };
  measure();
  const perSecond = Math.max(measure(), measure(), measure());
  report(`decoder and model: ${(perSecond / 1e6).toFixed(1)} million events a second`);
  // The aim is 2 million; a machine shared with other work must not fail the suite.
  expect(perSecond).toBeGreaterThan(500_000);
});
