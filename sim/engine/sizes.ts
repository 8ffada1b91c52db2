/**
 * What values take of an engine's memory while a program runs: bytes of JerryScript's heap, or Espruino's variables.
 *
 * Reference: jerryscript v2.4.0 jerry-core/ecma/base/ecma-globals.h, jmem/jmem.h; espruino/Espruino src/jsvar.h (what
 * fits into one variable). Sizes measured with process.memoryUsage() and process.memory().
 */

/** JerryScript's heap gives out multiples of this. */
export const jerryGranule = 8;
/** Measured on Kaluma 1.2.1: Uint8Array(n) 48 + n, {} 16, 1-2 properties 24 more, [] 24, 8 elements 32 more. */
const jerrySizes = { typed: 48, object: 16, pair: 24, array: 24, element: 4 } as const;

/** Characters in the variable of a name, and in each that continues it (espruino/Espruino src/jsvar.h). */
export const nameCharacters = 4;
export const stringCharacters = 8;
const moreCharacters = 12;
/** Longer data is one flat string: a header, then whole variables. */
const flatFromBytes = 26;

export const more = (length: number, first: number): number =>
  Math.max(0, Math.ceil((length - first) / moreCharacters));

export function dataVariables(bytes: number, bytesEach: number): number {
  return bytes < flatFromBytes ? 1 + more(bytes, stringCharacters) : 1 + Math.ceil(bytes / bytesEach);
}

/** What a function of the program keeps on itself and on its prototype, by name. */
export function methodsOf(held: object): [string, unknown][] {
  const prototype: unknown = Object.getOwnPropertyDescriptor(held, 'prototype')?.value;
  const own = Object.entries(held);
  if (typeof prototype !== 'object' || prototype === null) return own;
  const named = Object.entries(Object.getOwnPropertyDescriptors(prototype));
  return [
    ...own,
    ...named.filter(([key]) => key !== 'constructor').map(([key, { value }]): [string, unknown] => [key, value]),
  ];
}

/**
 * What a value and all it holds takes: bytes of JerryScript's heap, or Espruino's variables. Functions count as one, for
 * what they close over cannot be seen from here.
 */
export function sizeOf(
  held: unknown,
  engine: 'espruino' | 'jerryscript',
  bytesEach: number,
  seen: Set<unknown>,
): number {
  const isJerry = engine === 'jerryscript';
  if (typeof held === 'string')
    return isJerry
      ? jerryGranule * Math.ceil((held.length + jerryGranule) / jerryGranule)
      : dataVariables(held.length, bytesEach);
  if (typeof held === 'number') return Number.isInteger(held) ? 0 : isJerry ? jerryGranule : 1;
  if (held === null || (typeof held !== 'object' && typeof held !== 'function') || seen.has(held)) return 0;
  seen.add(held);
  if (ArrayBuffer.isView(held)) {
    const isNew = !seen.has(held.buffer);
    seen.add(held.buffer);
    const bytes = isNew ? held.buffer.byteLength : 0;
    return isJerry
      ? jerrySizes.typed + jerryGranule * Math.ceil(bytes / jerryGranule)
      : 1 + (isNew ? 1 + dataVariables(bytes, bytesEach) : 0);
  }
  // The world's own methods are metered: its arrays are only indexed.
  const inner = (values: readonly unknown[]) => {
    let sum = 0;
    for (let at = 0; at < values.length; at++) sum += sizeOf(values[at], engine, bytesEach, seen);
    return sum;
  };
  if (Array.isArray(held))
    return (
      inner(held) + (isJerry ? jerrySizes.array + jerrySizes.element * 8 * Math.ceil(held.length / 8) : 1 + held.length)
    );
  const values = Object.values(held);
  return (
    inner(values) + (isJerry ? jerrySizes.object + jerrySizes.pair * Math.ceil(values.length / 2) : 1 + values.length)
  );
}
