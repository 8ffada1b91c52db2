// P1 and P2 of sim/engine/profile.ts, and that being profiled costs nothing, over every program of fidelity-own.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { packageRoot } from '../../boards/root.ts';
import { callWorld } from '../../sim/engine/call-world.ts';
import { createCallProfiledEngine, createEngine } from '../../sim/engine/create.ts';
import type { ExecutionProfile } from '../../sim/engine/profile.ts';

const folder = join(packageRoot, 'test/fixtures/fidelity-own');
const programs = readdirSync(folder).filter((name) => name.endsWith('.js'));
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** Self units by function, named by the text at which it begins. */
function selfByFunction({ calls, texts }: ExecutionProfile): Record<string, number> {
  const units: Record<string, number> = {};
  for (const { place, selfUnits } of calls) {
    const text = place === null ? '' : texts[place.text]!.source.slice(place.start);
    const name = /^function (\w+)/.exec(text)?.[1] ?? text.slice(0, 12);
    units[name] = (units[name] ?? 0) + selfUnits;
  }
  return units;
}

function profiled(id: string, source: string, call: string): ExecutionProfile {
  const engine = createCallProfiledEngine(loadBoard(id));
  expect(engine.run(source, 'a.js').kind).toBe('value');
  engine.resetProfile();
  expect(engine.run(call, 'call').kind).toBe('value');
  return engine.callProfile();
}

test.each(['kaluma-pico', 'puckjs'])('%s: profiling costs nothing and misses nothing', (id) => {
  const board = loadBoard(id);
  for (const name of programs) {
    const source = readFileSync(join(folder, name), 'utf8');
    const plain = createEngine(
      board,
      callWorld(board, () => 0),
    );
    const engine = createCallProfiledEngine(
      board,
      callWorld(board, () => 0),
    );
    const loaded = plain.run(source, name);
    expect(engine.run(source, name).kind, name).toBe(loaded.kind);
    // What the engine lacks ends some of them; what remains is compared all the same.
    if (loaded.kind !== 'value') continue;
    expect(engine.run('run(3)', 'call'), name).toEqual(plain.run('run(3)', 'call'));
    expect(engine.cycles, name).toBe(plain.cycles);

    const { calls, places, elsewhereUnits } = engine.callProfile();
    const inCalls = sum(calls.map(({ selfUnits }) => selfUnits));
    expect(Math.round((inCalls + elsewhereUnits) * engine.cyclesPerUnit), `P1: ${name}`).toBe(engine.cycles);
    expect(sum(places.map(({ units }) => units)) / inCalls, `P2: ${name}`).toBeCloseTo(1, 9);
    expect(elsewhereUnits, name).toBeGreaterThanOrEqual(-1e-6);
    for (const { parent } of calls) expect(parent).toBeLessThan(calls.length);
  }
  expect(programs.length).toBeGreaterThan(60);
});

test.each(['kaluma-pico', 'puckjs'])('%s: work belongs to the function that did it, however others ended', (id) => {
  const functions = `
function spin(n) { for (var i = 0; i < n; i++); }
function fail(n) { spin(n); throw n; }
var arrow = (n) => fail(n) + 1;
function early(n) { for (;;) { if (n) return spin(n); } }
function last(n) { try { return n; } finally { spin(n); } }
`;
  const alone = selfByFunction(profiled(id, functions, 'spin(1000)'));
  const other: Record<string, string> = {
    thrown: 'function run() { try { arrow(1000); } catch (e) { e; } }',
    returned: 'function run() { early(1000); }',
    finally: 'function run() { last(1000); }',
    nested: 'function run() { [1000].forEach(function (n) { spin(n); }); }',
  };
  for (const [how, run] of Object.entries(other)) {
    const then = '; for (var i = 0; i < 500; i++);';
    const units = selfByFunction(profiled(id, functions + run.replace(/ }$/, `${then} }`), 'run()'));
    expect(units.spin, how).toBe(alone.spin);
    // The loop after the call is run's own: it takes about half of spin's.
    expect(units.run! / units.spin!, how).toBeGreaterThan(0.35);
  }
});

test('a recursion is a chain of calls, and what it calls lies under it', () => {
  const { calls } = profiled('kaluma-pico', 'function down(n) { return n > 0 ? down(n - 1) : 0; }', 'down(5)');
  const chain = calls.filter(({ place }) => place !== null);
  expect(chain).toHaveLength(6);
  expect(chain.map(({ parent }) => parent)).toEqual([0, 1, 2, 3, 4, 5]);
});

test('what lines ask of the engine’s heap is told', () => {
  const source =
    'function make() {\n  var list = [];\n  for (var i = 0; i < 10; i++) list = [i, i, i];\n  return 1 + 1;\n}';
  const { places, texts } = profiled('kaluma-pico', source, 'make()');
  const byLine = [0, 0, 0, 0, 0];
  for (const { text, start, allocatedBytes } of places)
    if (texts[text]!.source === source) byLine[source.slice(0, start).split('\n').length - 1]! += allocatedBytes;
  expect(byLine[2]!).toBeGreaterThan(10 * byLine[1]! * 0.9);
  expect(byLine[1]!).toBeGreaterThan(0);
  expect(byLine[3]).toBe(0);
});
