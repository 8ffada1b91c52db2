/** The price tables, and what an engine's memory holds: data with their sources, read once. */
import espruino from './costs/espruino.json' with { type: 'json' };
import jerryscript from './costs/jerryscript.json' with { type: 'json' };
import type { Prices } from './features.ts';

interface Tables {
  prices: Prices;
  memory: Prices;
  allocations: Prices;
}

export const espruinoCosts: Omit<typeof espruino, keyof Tables> & Tables = espruino;
export const jerryscriptCosts: Omit<typeof jerryscript, keyof Tables> & Tables = jerryscript;
