/** The price tables, and what an engine's memory holds: data with their sources, read once. */
import espruino from './costs/espruino.json' with { type: 'json' };
import jerryscript from './costs/jerryscript.json' with { type: 'json' };

export const espruinoCosts = espruino;
export const jerryscriptCosts = jerryscript;
