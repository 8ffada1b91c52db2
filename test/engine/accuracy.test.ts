// What the models predict, held to what the real engines took for programs that no price was fitted to.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { packageRoot } from '../../boards/root.ts';
import { profile, readCostPrograms } from '../../scripts/fit/programs.ts';
import { fitTables, work } from '../../scripts/fit/tables.ts';
import { measureCall } from '../../sim/engine/call.ts';
import validation from '../../sim/engine/costs/validation.json' with { type: 'json' };
import { createEngine } from '../../sim/engine/create.ts';
import { costModelDocument } from '../../sim/engine/document.ts';
import { priceOf } from '../../sim/engine/features.ts';
import { errorsOf, predict, predictWithFlashCache } from '../../sim/engine/validate.ts';
import { fidelityPrograms, hasFidelity } from './fidelity.ts';

if (!hasFidelity) console.warn('skipped: the fidelity programs are not beside this checkout (../shared/fidelity)');

test.skipIf(!hasFidelity).each(['kaluma', 'espruino'] as const)('%s: programs never seen are predicted', (engine) => {
  const programs = fidelityPrograms();
  const predictions = predict(programs, engine);
  expect(predictions.map(({ value }) => value)).toEqual(programs.map(({ checksum }) => checksum));
  const work = errorsOf(predictions);
  expect(work.meanPercent).toBeLessThan(8);
  expect(work.worstPercent).toBeLessThan(20);
  const memory = errorsOf(predictions.map((p) => ({ predicted: p.predictedMemory, measured: p.measuredMemory })));
  expect(memory.meanPercent).toBeLessThan(10);
});

test.skipIf(!hasFidelity)('docs/cost-model.md is what its script writes', () => {
  const programs = fidelityPrograms();
  const text = costModelDocument(
    predict(programs, 'kaluma'),
    predict(programs, 'espruino'),
    predictWithFlashCache(programs),
  );
  expect(readFileSync(join(packageRoot, 'docs', 'cost-model.md'), 'utf8')).toBe(text);
});

// Half a minute of a quiet machine for both: HEAPGLASS_FIT=1 checks both, the default the quicker one.
const fittedHere = process.env.HEAPGLASS_FIT === '1' ? (['jerryscript', 'espruino'] as const) : (['espruino'] as const);

test.each(fittedHere)(
  '%s: the tables are what the fit script makes of the measurements',
  (engine) => {
    const committed = JSON.parse(readFileSync(join(packageRoot, `sim/engine/costs/${engine}.json`), 'utf8'));
    const profiles = profile(readCostPrograms(), engine);
    const fitted = fitTables(profiles, engine);
    expect(committed).toMatchObject(JSON.parse(JSON.stringify(fitted)));
    const predicted = profiles.map((p) => {
      const figure = work(engine)(p);
      return { predicted: priceOf(p.work, fitted.prices), measured: figure?.y ?? 0 };
    });
    expect(errorsOf(predicted).meanPercent).toBeLessThan(7);
  },
  120_000,
);

test('programs left out in turn are foretold: mean within 8 % of cycles and instructions, 10 % of memory', () => {
  for (const engine of [validation.jerryscript, validation.espruino]) {
    expect(errorsOf(engine.work).meanPercent).toBeLessThan(8);
    expect(errorsOf(engine.memory).meanPercent).toBeLessThan(10);
    expect(engine.work.length).toBeGreaterThan(60);
  }
});

test('the same program takes the same cycles each time', () => {
  const source =
    'var a = [3, 1, 2]; function run(n) { var s = 0; for (var i = 0; i < n; i++) s += a[i % 3] * 0.5; return s; }';
  for (const id of ['kaluma-pico', 'pico_r1_3', 'puckjs']) {
    const board = loadBoard(id);
    const once = measureCall(board, { source, fileName: 'a.js' }, 'run(100)');
    expect(measureCall(board, { source, fileName: 'a.js' }, 'run(100)')).toEqual(once);
    expect(once.cycles).toBeGreaterThan(100_000);
  }
});

test('a line more, a longer name and a comment cost what the engine says they cost', () => {
  const cyclesOf = (id: string, body: string) => {
    const figures = measureCall(loadBoard(id), { source: `function run(n) { ${body} }`, fileName: 'a.js' }, 'run(1)');
    return figures.instructions ?? figures.cycles;
  };
  const plain = 'var a = 1; return a;';
  expect(cyclesOf('kaluma-pico', 'var a = 1;\n return a;')).toBeGreaterThan(cyclesOf('kaluma-pico', plain));
  expect(cyclesOf('kaluma-pico', 'var a = 1; /* of no account */ return a;')).toBe(cyclesOf('kaluma-pico', plain));
  expect(cyclesOf('pico_r1_3', 'var a = 1; /* of no account */ return a;')).toBeGreaterThan(
    cyclesOf('pico_r1_3', plain),
  );
  expect(cyclesOf('pico_r1_3', 'var alpha = 1; return alpha;')).toBeGreaterThan(cyclesOf('pico_r1_3', plain));
});

test('a program loses its globals with the engine', () => {
  const engine = createEngine(loadBoard('kaluma-pico'));
  engine.run('var kept = 5', 'a.js');
  expect(engine.run('kept', 'b.js')).toMatchObject({ value: 5 });
  expect(createEngine(loadBoard('kaluma-pico')).run('typeof kept', 'b.js')).toMatchObject({ value: 'undefined' });
});

test.skipIf(!hasFidelity)('the flash cache of the Pico: within 8 % on programs never seen', () => {
  const pairs = predictWithFlashCache(fidelityPrograms());
  expect(errorsOf(pairs).meanPercent).toBeLessThan(8);
});

test('a program that is only measured may print, tell the time and set timers', () => {
  const source =
    'console.log("up"); print(1); var t = setTimeout(function () {}, 5); clearTimeout(t); function run() { return btoa("ab"); }';
  for (const id of ['kaluma-pico', 'pico_r1_3'])
    expect(measureCall(loadBoard(id), { source, fileName: 'a.js' }, 'run()').value).toBe('YWI=');
});
