/** The text of docs/cost-model.md: the tables as they are, and their error for programs that they were not fitted to. */
import validation from './costs/validation.json' with { type: 'json' };
import { espruinoCosts, jerryscriptCosts } from './costs.ts';
import { errorsOf, type Prediction } from './validate.ts';

const percent = (value: number): string => `${value >= 0 ? '+' : '-'}${Math.abs(value).toFixed(1)} %`;

function errorTable(kaluma: readonly Prediction[], espruino: readonly Prediction[]): string {
  const error = (predicted: number, measured: number) => percent((predicted / measured - 1) * 100);
  const rows = kaluma.map((k, at) => {
    const e = espruino[at] as Prediction;
    const cells = [
      ...[
        k.name,
        k.measured,
        error(k.predicted, k.measured),
        k.measuredMemory,
        error(k.predictedMemory, k.measuredMemory),
      ],
      ...[e.measured, error(e.predicted, e.measured), e.measuredMemory, error(e.predictedMemory, e.measuredMemory)],
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| program | Kaluma cycles | error | heap bytes | error | Espruino instructions | error | jsvars | error |',
    '|---|---|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function summary(predictions: readonly Prediction[]): string {
  const work = errorsOf(predictions);
  const memory = errorsOf(predictions.map((p) => ({ predicted: p.predictedMemory, measured: p.measuredMemory })));
  const figure = (value: number) => `${value.toFixed(1)} %`;
  return [
    ...[figure(work.meanPercent), figure(work.worstPercent), figure(memory.meanPercent), figure(memory.worstPercent)],
  ].join(' | ');
}

function priceTable(prices: Readonly<Record<string, number>>): string {
  const rows = Object.entries(prices).map(([feature, price]) => `| \`${feature}\` | ${price} |`);
  return ['| feature | price |', '|---|---|', ...rows].join('\n');
}

type LeftOut = readonly { name: string; predicted: number; measured: number }[];

function figures(rows: LeftOut): string {
  const { meanPercent, worstPercent } = errorsOf(rows);
  return `${meanPercent.toFixed(1)} % | ${worstPercent.toFixed(1)} %`;
}

function leftOutTable(): string {
  const tables: LeftOut[] = [
    validation.jerryscript.work,
    validation.jerryscript.memory,
    validation.espruino.work,
    validation.espruino.memory,
  ];
  const names = [...new Set(tables.flat().map(({ name }) => name))].sort();
  const cell = (rows: LeftOut, name: string): string => {
    const row = rows.find((candidate) => candidate.name === name);
    return row ? `${row.measured} | ${percent((row.predicted / row.measured - 1) * 100)}` : '- | -';
  };
  return [
    '| program | Kaluma cycles | error | heap bytes | error | Espruino instructions | error | jsvars | error |',
    '|---|---|---|---|---|---|---|---|---|',
    ...names.map((name) => `| ${name.replace('own/', '')} | ${tables.map((rows) => cell(rows, name)).join(' | ')} |`),
  ].join('\n');
}

function instructionsPerCycleTable(): string {
  const sources: Readonly<Record<string, string>> = espruinoCosts.instructionsPerCycleSources;
  return Object.entries(espruinoCosts.instructionsPerCycle)
    .map(([core, rate]) => `| ${core} | ${rate} | ${sources[core]} |`)
    .join('\n');
}

export function costModelDocument(
  kaluma: readonly Prediction[],
  espruino: readonly Prediction[],
  withFlashCache: readonly { predicted: number; measured: number }[],
): string {
  return `# Cost models

Made by \`npx tsx scripts/cost-model-doc.ts\`; do not edit. A test holds it to the code.

A virtual board runs a program in V8 and charges it what the board's engine would take. The program's text is split into
blocks that run as a whole; each block is a bag of *features*, a kind of work of the real engine ("a name is searched one
variable further"). A table gives each feature its price. What depends on values (the kind of an object, the size of a
number) is counted when the program runs. This is cycle-counting, not cycle-accurate: the error is below.

## Where the prices come from

${jerryscriptCosts.source}

${espruinoCosts.source}

There are ${Object.keys(jerryscriptCosts.prices).length} and ${Object.keys(espruinoCosts.prices).length} prices. Builtins are metered where they are: a call of \`indexOf\` costs by the
elements it passes, a \`sort\` by the comparisons that the engine's own algorithm makes.

Espruino's count becomes cycles by the core. **No board was measured for this**: the figures below are assumed, and a
cycle count of an Espruino board is as sure as they are. Instructions, which the errors below are about, do not depend
on them.

| core | instructions a cycle | from |
|---|---|---|
${instructionsPerCycleTable()}

## Error

Two sets, told apart honestly.

**The fidelity programs** (measured by others): no price was ever fitted to them. They were looked at while it was decided
which features to tell apart.

| | mean | worst | memory mean | memory worst |
|---|---|---|---|---|
| Kaluma | ${summary(kaluma)} |
| Espruino | ${summary(espruino)} |

**The ${validation.jerryscript.work.length} programs of test/fixtures/fidelity-own** (written and measured for this project: sorting, parsing, text, JSON, classes,
closures, exceptions, floats, hash tables, allocators). They are part of what the tables are fitted to; the errors here are
those of tables fitted without them, a tenth left out at a time. Work is without collections on Kaluma.

| | mean | worst | memory mean | memory worst |
|---|---|---|---|---|
| Kaluma | ${figures(validation.jerryscript.work)} | ${figures(validation.jerryscript.memory)} |
| Espruino | ${figures(validation.espruino.work)} | ${figures(validation.espruino.memory)} |

### The fidelity programs one by one

${errorTable(kaluma, espruino)}

### Our programs one by one, left out

${leftOutTable()}

## The flash cache of the RP2040

Kaluma runs from flash through a cache of 16 KiB (modelled with 2 ways, lines of 8 bytes, least recently used, as the fidelity programs count it). Cycles are
without its misses unless they are asked for: \`sim PROGRAM --board kaluma-pico --call CODE --xip\`. Then each feature is
charged the misses that it caused on average in the programs above, at the board's \`flashMissCycles\`. Misses belong to a
whole program's working set, so this is coarser than the rest: on the fidelity programs the mean error is
${errorsOf(withFlashCache).meanPercent.toFixed(1)} %, the worst ${errorsOf(withFlashCache).worstPercent.toFixed(1)} %. No physical board was measured.

## Memory while a program runs

What globals, closures and the locals of running functions hold is counted when a collection is due, and when that and
what was just asked for exceed the heap, the program ends as on the board. Eight programs that fill it (arrays, lists,
closures, texts, keys) end within 10 % of where the real engines end (test/engine/memory.test.ts). A collection on Kaluma
comes when the heap's use passes a multiple of ${jerryscriptCosts.collection.limitBytes} bytes. Locals of inner blocks are not counted.

## What is not modelled

- Fragmentation of the engine's heap.
- Builtins that no program of ours calls cost the median of the others.

## Prices: JerryScript, cycles

${priceTable(jerryscriptCosts.prices)}

## Prices: Espruino, instructions

${priceTable(espruinoCosts.prices)}

## Memory at load: JerryScript, bytes

${priceTable(jerryscriptCosts.memory)}

## Memory at load: Espruino, variables

${priceTable(espruinoCosts.memory)}
`;
}
