// A bundle with telemetry, run with a fake engine: its frames rebuild the heap, the line is never asked for more than
// it carries, and what does not fit is dropped and told.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { policyId } from '../../firmware/src/policies/index.ts';
import { bundle } from '../../firmware/toolchain/bundle.ts';
import { TelemetryDecoder } from '../../host/model/decoder.ts';
import { HeapModel } from '../../host/model/heap-model.ts';
import { FakeEngine } from './fake-engine.ts';

const entry = join(mkdtempSync(join(tmpdir(), 'heapglass-telemetry-')), 'app.js');

const source = `import { createHeap, mark } from 'heapglass';
const heap = createHeap({ bytes: 4096, policy: 'best-fit' });
const held = [];
export function step(size) {
  held.push(heap.malloc(size));
  if (held.length > 20) heap.free(held.shift());
  return heap.stats();
}
export function fail() {
  return heap.malloc(100000);
}
export function say(id) {
  mark(id);
}
`;

async function started(id: string, telemetry: 'events' | 'counters' = 'events') {
  const board = loadBoard(id);
  const built = await bundle({ entry, source, board, telemetry });
  const engine = new FakeEngine(board);
  const program = engine.run(built.code);
  const model = new HeapModel();
  const marks: number[] = [];
  Object.assign(model, { mark: (id: number) => void marks.push(id) });
  const decoder = new TelemetryDecoder(model);
  const hear = (): void => {
    for (const bytes of engine.written.splice(0)) decoder.push(bytes);
  };
  return { board, built, engine, program, model, marks, hear };
}

test.each(['kaluma-pico', 'puckjs'])('%s: a policy that moves blocks tells the moves, and sweeps agree', async (id) => {
  const board = loadBoard(id);
  const moving = source.replace('best-fit', 'compact').replace('4096', '1536');
  const built = await bundle({ entry, source: moving, board, telemetry: 'events' });
  const engine = new FakeEngine(board);
  const program = engine.run(built.code);
  const model = new HeapModel();
  let moves = 0;
  const packed = model.packed.bind(model);
  model.packed = (from, until, to) => {
    moves++;
    packed(from, until, to);
  };
  const decoder = new TelemetryDecoder(model);
  let stats: Record<string, unknown> = {};
  for (let i = 0; i < 300; i++) {
    stats = program.step!(8 + ((i * 37) % 90)) as Record<string, unknown>;
    engine.advance(150);
    for (const bytes of engine.written.splice(0)) decoder.push(bytes);
  }
  engine.advance(6000);
  for (const bytes of engine.written.splice(0)) decoder.push(bytes);
  expect(moves).toBeGreaterThan(3);
  expect(model).toMatchObject({ exact: true, contradictions: 0, losses: 0 });
  expect([model.liveBytes, model.liveBlocks]).toEqual([stats.liveBytes, stats.liveBlocks]);
});

describe.each(['kaluma-pico', 'puckjs', 'microbit1', 'rp2040_pico'])('%s', (id) => {
  test('the first frame says which heap, policy and bundle', async () => {
    const { engine, model, hear, built, board } = await started(id);
    engine.advance(1000);
    hear();
    expect(model.lastHello).toMatchObject({
      boot: true,
      policy: policyId('best-fit'),
      arenaBytes: 4096,
      clockHz: board.clockHz,
      bundleId: built.id,
    });
  });

  test('events rebuild the heap and name their sites', async () => {
    const { engine, program, model, hear, built, marks } = await started(id);
    let stats: Record<string, unknown> = {};
    for (let i = 0; i < 60; i++) {
      stats = program.step!(8 + ((i * 37) % 90)) as Record<string, unknown>;
      if (i === 30) program.say!(7);
      engine.advance(100);
    }
    program.fail!();
    engine.advance(5000);
    hear();
    expect(model.exact).toBe(true);
    expect({ liveBytes: model.liveBytes, liveBlocks: model.liveBlocks, mallocs: model.mallocs }).toEqual({
      liveBytes: stats.liveBytes,
      liveBlocks: stats.liveBlocks,
      mallocs: 60,
    });
    expect(model.failures).toBe(1);
    expect(marks).toEqual([7]);
    expect(built.sites.map(({ line }) => line)).toEqual([5, 10]);
    const sites = new Set<number>();
    model.forEachBlock(({ live, site }) => {
      if (live) sites.add(site);
    });
    expect([...sites]).toEqual([1]);
  });

  test('the line is given no more than it carries, however busy the heap is', async () => {
    const { engine, program, board } = await started(id);
    for (let i = 0; i < 3000; i++) {
      program.step!(8 + (i % 50));
      engine.advance(1);
    }
    const bytes = engine.written.reduce((sum, piece) => sum + piece.length, 0);
    const { bytesPerSecond, outputBufferBytes, kind } = board.console;
    const burst = kind === 'uart' ? outputBufferBytes! : Math.max(outputBufferBytes!, (bytesPerSecond * 4) / 1000);
    expect(bytes).toBeLessThanOrEqual((bytesPerSecond * engine.nowMs) / 1000 + burst);
    expect(Math.max(...engine.written.map(({ length }) => length))).toBeLessThanOrEqual(burst);
  });
});

test('what the line cannot carry is dropped, counted and told, and the map becomes exact again', async () => {
  const { engine, program, model, hear } = await started('puckjs');
  for (let i = 0; i < 5000; i++) {
    program.step!(8 + (i % 50));
    if (i % 10 === 0) engine.advance(1);
  }
  engine.advance(30_000);
  hear();
  expect(model.lastCounters!.dropped + model.lastCounters!.skipped).toBeGreaterThan(1000);
  expect(model.losses).toBeGreaterThan(0);
  program.step!(9);
  engine.advance(9000);
  hear();
  expect(model.exact).toBe(true);
});

test('counters come without events', async () => {
  const { engine, program, model, hear } = await started('kaluma-pico', 'counters');
  for (let i = 0; i < 30; i++) program.step!(24);
  engine.advance(3000);
  hear();
  expect(model.mallocs).toBe(0);
  expect(model.lastCounters).toMatchObject({ liveBlocks: 20, operations: 40 });
});

test('a bundle for counters alone leaves out what writes records', async () => {
  const board = loadBoard('puckjs');
  const [counters, events] = await Promise.all(
    (['counters', 'events'] as const).map((telemetry) => bundle({ entry, source, board, telemetry })),
  );
  expect(counters!.bytes).toBeLessThan(events!.bytes * 0.9);
});

test('a bundle without telemetry writes nothing, sets no timer and has no recorder in it', async () => {
  const board = loadBoard('kaluma-pico');
  const [off, on] = await Promise.all(
    (['off', 'events'] as const).map((telemetry) => bundle({ entry, source, board, telemetry })),
  );
  const engine = new FakeEngine(board);
  engine.run(off!.code).step!(8);
  engine.advance(10_000);
  expect(engine.written).toEqual([]);
  expect(engine.timers).toBe(0);
  expect(off!.bytes).toBeLessThan(on!.bytes / 2);
});

describe.each([
  { id: 'puckjs', answer: 45, unitBytes: 13, total: 2250 },
  { id: 'kaluma-pico', answer: 64, unitBytes: 1, total: 184_312 },
])("the engine's own heap on $id", ({ id, answer, unitBytes, total }) => {
  async function sampled() {
    const one = await started(id);
    one.engine.memory.answer = answer;
    one.engine.memory.total = total;
    return one;
  }

  test('sampled at a low rate, the price of the question measured and left out', async () => {
    const { engine, model, hear } = await sampled();
    const samples: number[] = [];
    const { engineHeap } = model;
    for (let second = 0; second < 60; second++) {
      engine.advance(1000);
      hear();
      const figures = engineHeap.figures();
      if (figures && samples.at(-1) !== figures.atMs) samples.push(figures.atMs);
      // The fake engine is Kaluma's worst case: it never collects. Espruino lets an answer go at once.
      if (unitBytes > 1) engine.memory.used = 1000;
    }
    expect(samples.length).toBeGreaterThanOrEqual(5);
    expect(samples.length).toBeLessThanOrEqual(7);
    const { usedBytes, totalBytes, sampleBytes } = engineHeap.figures()!;
    expect(totalBytes).toBe(total * unitBytes);
    expect(usedBytes).toBe(unitBytes > 1 ? (1000 - 5) * unitBytes : 1000);
    expect(sampleBytes).toBeGreaterThan(0);
  });

  test('a collection takes the garbage of the samples with it; a restart starts over', async () => {
    const { engine, model, hear } = await sampled();
    engine.advance(35_000);
    engine.memory.used = 900;
    engine.advance(10_000);
    hear();
    const { usedBytes } = model.engineHeap.figures()!;
    expect(usedBytes).toBe(unitBytes > 1 ? (900 - 5) * unitBytes : 900);
    expect(model.engineHeap.figures()!.peakUsedBytes).toBeGreaterThan(usedBytes);
    const copy = new HeapModel();
    copy.restore(JSON.parse(JSON.stringify(model.save())));
    expect(copy.engineHeap.figures()).toEqual(model.engineHeap.figures());
  });

  test('no question when the answer might not fit', async () => {
    const { engine, model, hear } = await sampled();
    engine.memory.used = total - answer * 3;
    engine.advance(1500);
    const asked = engine.memory.used;
    engine.advance(60_000);
    hear();
    expect(engine.memory.used).toBe(asked);
    expect(model.engineHeap.figures()!.usedBytes).toBeGreaterThan((total - answer * 4) * unitBytes);
  });
});
