/** What is fitted for each engine, and with which weights: the one place that decides it. */
import type { Bag } from '../../sim/engine/features.ts';
import { meterFeatures } from '../../sim/engine/meters.ts';
import { fitPrices, type Measured } from './fit.ts';
import type { EngineName, Profile } from './programs.ts';

export interface Tables {
  prices: Record<string, number>;
  memory: Record<string, number>;
  /** JerryScript: bytes of collected memory a feature takes. */
  allocations: Record<string, number>;
  /** JerryScript on the RP2040: misses of the flash cache a feature causes. */
  flashMisses: Record<string, number>;
}

/** A program of the size and kind that people write says more than one construct in a loop. */
const programWeight = 3;
/** So many bytes off matter as much as the whole, for programs that allocate little. */
const slackBytes = 200;
/** Of a miss, as the fidelity programs count it. */
const missCycles = 40;

/** What takes no collected memory: without this, small constant garbage would be spread over everything. */
const unallocated =
  /^(operand|push|line|update|binary|branch|iteration|jump|name|assign|return|call$|call\.argument|call\.method|entry$|entry\.(register|parameter)|element|length|float|unary|concat|append|text|step|this|case|property|Math|global|literal|Switch|Try|Throw|Number|DataView|String\.(char|index)|template)/;

/** Known by the engines' layout or measured alone (sizes.ts), not fitted: too few programs make closures at load. */
const known: Readonly<Record<EngineName, Readonly<Record<string, number>>>> = {
  jerryscript: {
    bytes: 1,
    name: 5.33,
    iterator: 190,
    object: 16,
    pairs: 24,
    array: 24,
    elements: 4,
    literal: 4,
    typed: 48,
    view: 32,
    closure: 40,
    'closure.variable': 12,
  },
  espruino: { typed: 1, code: 1, name: 1, closure: 6, 'closure.variable': 1 },
};

/** Bytes that JerryScript takes for what it makes, measured alone (docs: RAM of Kaluma 1.2.1). */
const knownAllocations: Readonly<Record<string, number>> = {
  'new.typed': 48,
  'new.typed.byte': 1,
  'new.view': 32,
  'Array.push.unit': 4,
  'key.new': 16,
};

const isProgram = (name: string): boolean => name.startsWith('real') || name.startsWith('own');

function weightOf({ program }: Profile): number {
  return isProgram(program.name) ? programWeight : 1;
}

export const work =
  (engine: EngineName): Measured =>
  (profile) => {
    const y = engine === 'jerryscript' ? profile.program.cycles : profile.program.instructions;
    return y === null ? null : { y, offset: 0, slack: 0, x: profile.work, weight: weightOf(profile) };
  };

export const memory =
  (engine: EngineName): Measured =>
  (profile) => {
    const y = engine === 'jerryscript' ? profile.program.heapBytes : profile.program.jsvars;
    if (y === null) return null;
    const x: Bag = new Map(profile.memory);
    let offset = 0;
    for (const [feature, each] of Object.entries(known[engine])) {
      offset += (x.get(feature) ?? 0) * each;
      x.delete(feature);
    }
    return { y, offset, slack: 0, x, weight: weightOf(profile) };
  };

const allocated: Measured = (profile) => {
  const y = profile.program.allocatedBytes;
  if (y === null) return null;
  const x = new Map([...profile.work].filter(([feature]) => !unallocated.test(feature)));
  let offset = 0;
  for (const [feature, each] of Object.entries(knownAllocations)) {
    offset += (x.get(feature) ?? 0) * each;
    x.delete(feature);
  }
  return { y, offset, slack: slackBytes, x, weight: weightOf(profile) };
};

/** Misses are counted against what the work costs: many of few cycles matter less than few of many. */
const flashMisses: Measured = (profile) => {
  const { flashMisses: y, cycles } = profile.program;
  if (y === null || cycles === null) return null;
  return { y, offset: 0, slack: cycles / missCycles - y, x: profile.work, weight: weightOf(profile) };
};

export function fitTables(profiles: readonly Profile[], engine: EngineName): Tables {
  return {
    prices: completed(fitPrices(profiles, work(engine), 1)),
    memory: { ...fitPrices(profiles, memory(engine), 2), ...known[engine] },
    flashMisses: engine === 'jerryscript' ? fitPrices(profiles, flashMisses, 3) : {},
    allocations: engine === 'jerryscript' ? { ...fitPrices(profiles, allocated, 1), ...knownAllocations } : {},
  };
}

/** A builtin that no program used costs what the median of the others costs. */
function completed(prices: Record<string, number>): Record<string, number> {
  const ending = (feature: string): string => feature.split('.').slice(2).join('.');
  for (const feature of meterFeatures) {
    if (feature in prices) continue;
    const others = meterFeatures.filter((other) => ending(other) === ending(feature) && prices[other] !== undefined);
    const sorted = others.map((other) => prices[other] as number).sort((a, b) => a - b);
    prices[feature] = sorted[sorted.length >> 1] ?? 0;
  }
  return Object.fromEntries(Object.entries(prices).sort(([a], [b]) => (a < b ? -1 : 1)));
}
