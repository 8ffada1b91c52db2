// L1, L2: leaks are found at their site, and nothing else is called one. HEAPGLASS_SEEDS tries more programs (40 + 40).
import { expect, test } from 'vitest';
import { forecast, forecastSentence } from '../../host/answers/forecast.ts';
import { LeakWatch, leakSentence } from '../../host/answers/leaks.ts';
import { HeapModel, type HeapState } from '../../host/model/heap-model.ts';
import { runProgram } from './programs.ts';

const programs = Number(process.env.HEAPGLASS_SEEDS ?? 40);

test(`${programs} programs that leak: nearly all are found, at the right site`, () => {
  const missed: number[] = [];
  for (let seed = 1; seed <= programs; seed++) {
    const { model, watch, leaks } = runProgram(seed, true);
    const sites = watch.verdicts(model).map(({ site }) => site);
    if (!sites.includes(leaks)) missed.push(seed);
    expect(
      sites.filter((site) => site !== leaks),
      `seed ${seed}: the leak is at ${leaks}`,
    ).toEqual([]);
  }
  if (process.env.HEAPGLASS_REPORT)
    console.log(`leaks found: ${programs - missed.length} of ${programs}, missed seeds ${missed.join(' ')}`);
  expect(missed.length, `missed: ${missed.join(' ')}`).toBeLessThanOrEqual(programs * 0.05);
});

test(`${programs} programs that do not leak, with caches that fill and cyclic load: no false alarm`, () => {
  const alarms: string[] = [];
  for (let seed = 1001; seed <= 1000 + programs; seed++) {
    const { model, watch } = runProgram(seed, false);
    const full = forecast(watch, model);
    if (full) alarms.push(`seed ${seed}: ${forecastSentence(full, String)}`);
    for (const verdict of watch.verdicts(model)) {
      alarms.push(
        `seed ${seed}: ${leakSentence(verdict, `site ${verdict.site}`)} ${verdict.troughBytes} | ${verdict.survivors}`,
      );
    }
  }
  expect(alarms).toEqual([]);
});

test('a verdict says its evidence', () => {
  const { model, watch, leaks } = runProgram(2, true);
  const [verdict] = watch.verdicts(model);
  expect(verdict!.site).toBe(leaks);
  expect(leakSentence(verdict!, 'net.js:41')).toMatch(
    /^net\.js:41 leaks: what it holds at least went from \d+ to \d+ B \(\+\d+ B, [\d.]+ B in 1,000 operations\) and did not slow down; it holds \d+ B in \d+ blocks, made all along\.$/,
  );
});

test('a moment of the past is judged by what had come by then', () => {
  const model = new HeapModel();
  model.begin(1 << 16, 16, 8);
  const watch = new LeakWatch();
  const then = new Map<number, HeapState>();
  let leaked = 0;
  for (let i = 0; i < 4000; i++) {
    model.atMs = i;
    const place = 1024 + 64 * (i % 20);
    model.malloc(place, 24, 24, 1);
    if (i > 1500 && i % 10 === 0) model.malloc(8192 + 64 * leaked++, 40, 40, 7);
    watch.observe(model);
    model.free(place);
    if (i === 1499 || i === 3700) then.set(i, model.save());
  }
  const verdictsAt = (i: number): number[] => {
    const past = new HeapModel();
    past.restore(then.get(i)!);
    return watch.verdicts(past).map(({ site }) => site);
  };
  expect(watch.verdicts(model).map(({ site }) => site)).toEqual([7]);
  expect(verdictsAt(3700)).toEqual([7]);
  expect(verdictsAt(1499)).toEqual([]);
});
