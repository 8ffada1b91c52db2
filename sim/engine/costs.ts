/** The price tables, and what an engine's memory holds: data with their sources, read once. */
import type { Board } from '../../boards/board.ts';
import espruino from './costs/espruino.json' with { type: 'json' };
import jerryscript from './costs/jerryscript.json' with { type: 'json' };
import type { Prices } from './features.ts';

interface Tables {
  prices: Prices;
  memory: Prices;
  allocations: Prices;
  flashMisses: Prices;
}

export const espruinoCosts: Omit<typeof espruino, keyof Tables> & Tables = espruino;
export const jerryscriptCosts: Omit<typeof jerryscript, keyof Tables> & Tables = jerryscript;

/** Of processors that were not measured: a Cortex-M4's (facts in costs/espruino.json). */
const usualInstructionsPerCycle = 0.8;

/** Cycles that a board's processor takes for an instruction of Espruino's interpreter, on average. */
export function espruinoCyclesPerInstruction({ cpu }: Pick<Board, 'cpu'>): number {
  const known: Readonly<Record<string, number>> = espruino.instructionsPerCycle;
  return 1 / (known[cpu] ?? usualInstructionsPerCycle);
}
