// Every example, bundled for every board: nothing in it that the board lacks, a heap that the telemetry rebuilds, and
// the behaviour that its first lines promise.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { boardIds, loadBoard } from '../../boards/board.ts';
import { packageRoot } from '../../boards/root.ts';
import { type Bundle, bundle } from '../../firmware/toolchain/bundle.ts';
import { estimateMemory } from '../../firmware/toolchain/estimate.ts';
import { checkSubset, findingText } from '../../firmware/toolchain/subset.ts';
import { TelemetryDecoder } from '../../host/model/decoder.ts';
import { HeapModel } from '../../host/model/heap-model.ts';
import { FakeEngine } from '../toolchain/fake-engine.ts';

const pathOf = (name: string): string => join(packageRoot, 'examples', `${name}.js`);

async function started(name: string, id: string) {
  const board = loadBoard(id);
  const built = await bundle({ entry: pathOf(name), board });
  const lit: number[] = [];
  const digitalWrite = (_pin: unknown, value: number): void => void lit.push(value);
  const engine = new FakeEngine(board, { digitalWrite, ...(board.engine === 'espruino' && { LED1: 'D1' }) });
  const program = engine.run(built.code);
  const model = new HeapModel();
  const decoder = new TelemetryDecoder(model);
  const hear = (): void => {
    for (const bytes of engine.written.splice(0)) decoder.push(bytes);
  };
  return { board, built, engine, program, model, hear, lit };
}

const examples = ['blink', 'ring-logger', 'leaky-sensor', 'message-queue', 'weather-station'];

describe.each(examples)('%s', (name) => {
  test.each(boardIds())('on %s', async (id) => {
    const { board, built, engine, model, hear } = await started(name, id);
    expect(checkSubset(built, board).map(findingText)).toEqual([]);
    expect(built.arenasBytes).toHaveLength(1);
    expect(built.arenasBytes[0]).toBeGreaterThan(0);
    expect(estimateMemory(built, board)).not.toBeNull();
    engine.advance(3000);
    hear();
    expect(model.lastHello).toMatchObject({ bundleId: built.id, arenaBytes: built.arenasBytes[0] });
    expect(model.contradictions).toBe(0);
    expect(model.liveBlocks).toBeGreaterThan(0);
  });
});

/** The line of the example that holds `text`, counted from 1. */
const lineOf = (built: Bundle, site: number): number => built.sites.find((entry) => entry.site === site)!.line;

test('blink: the light follows the pattern, and a new message takes the old one’s place', async () => {
  const { engine, program, lit, hear, model } = await started('blink', 'puckjs');
  engine.advance(200 * 24);
  expect(lit.join('')).toBe('101010111011101110101010'.slice(0, 24));
  program.show!('-');
  lit.length = 0;
  engine.advance(800);
  hear();
  expect(lit.join('')).toBe('1110');
  expect(model.liveBlocks).toBe(1);
});

test('ring-logger: keeps the newest lines and never fails for good', async () => {
  const { engine, program, hear, model } = await started('ring-logger', 'kaluma-pico');
  engine.advance(60_000);
  hear();
  const kept = program.kept!() as number;
  expect(kept).toBeGreaterThan(30);
  expect(program.read!(kept - 1)).toMatch(/^reading 600 \+0/);
  expect(program.read!(0)).toMatch(new RegExp(`^reading ${600 - kept + 1}`));
  expect(model.liveBlocks).toBe(kept);
});

test('leaky-sensor: what stays comes from the line that leaks, and the failure is told', async () => {
  const { engine, built, hear, model } = await started('leaky-sensor', 'kaluma-pico');
  engine.advance(30_000);
  hear();
  const bySite = new Map<number, number>();
  model.forEachBlock(({ live, site }) => {
    if (live) bySite.set(site, (bySite.get(site) ?? 0) + 1);
  });
  const [worst] = [...bySite].sort((a, b) => b[1] - a[1])[0]!;
  const source = readFileSync(pathOf('leaky-sensor'), 'utf8');
  expect(source.split('\n')[lineOf(built, worst) - 1]).toContain('alarm = heap.malloc(40)');
  expect(model.failures).toBeGreaterThan(0);
});

test('message-queue: a full heap is an answer; what is received is what was sent', async () => {
  const { engine, program } = await started('message-queue', 'puckjs');
  engine.advance(20_000);
  const state = program.state!() as { waiting: number; refused: number; live: number };
  expect(state.refused).toBeGreaterThan(0);
  expect(state.live).toBe(state.waiting);
  while ((program.receive!() as number) >= 0);
  expect(program.send!(10, 3)).toBe(true);
  expect(program.receive!()).toBe(30);
  expect(program.state!()).toMatchObject({ waiting: 0, live: 0 });
});
