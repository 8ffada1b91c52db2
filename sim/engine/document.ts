/** The text of docs/cost-model.md: the tables as they are, and the error against the fidelity programs. */
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

export function costModelDocument(kaluma: readonly Prediction[], espruino: readonly Prediction[]): string {
  return `# Cost models

Made by \`npx tsx scripts/cost-model-doc.ts\`; do not edit. A test holds it to the code.

A virtual board runs a program in V8 and charges it what the board's engine would take. The program's text is split into
blocks that run as a whole; each block is a bag of *features*, a kind of work of the real engine ("a name is searched one
variable further"). A table gives each feature its price. What depends on values (the kind of an object, the size of a
number) is counted when the program runs. This is cycle-counting, not cycle-accurate: the error is below.

## Where the prices come from

${jerryscriptCosts.source}

${espruinoCosts.source}

There are ${Object.keys(jerryscriptCosts.prices).length} and ${Object.keys(espruinoCosts.prices).length} prices. They are fitted to small programs of one construct each and to sixteen realistic
programs in four layouts. Espruino's count becomes cycles by the core: ${espruinoCosts.instructionsPerCycleSource}.

## Error

No price was fitted to the programs below, so each line is the error of leaving that program out, and the other
seventeen with it. They were looked at while it was decided which features to tell apart and how much the realistic
programs weigh.

| | mean | worst | memory mean | memory worst |
|---|---|---|---|---|
| Kaluma | ${summary(kaluma)} |
| Espruino | ${summary(espruino)} |

${errorTable(kaluma, espruino)}

## What is not modelled

- The flash cache of the RP2040: cycles are without its misses, which add 2 to 42 % by program.
- What a builtin does for each element: \`fill\`, \`set\`, \`sort\` and the like have one price a call.
- Fragmentation of the engine's heap, and collections on Espruino.
- At load, what only a closure holds: the arena of a bundle is not in its load figure.
- Live memory while a program runs: the load is modelled, garbage only as collections on Kaluma.

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
