/**
 * Bit searches that neither engine has as a builtin (Espruino lacks `Math.clz32`).
 *
 * The native compiler knows both by name: with a CLZ instruction (ARMv7E-M) they become one or two instructions;
 * without one, `highestBit` is compiled as it stands and `lowestBit` becomes a de Bruijn multiplication and a table
 * (Leiserson, Prokop, Randall: "Using de Bruijn sequences to index a 1 in a computer word", 1998).
 */

/** Index of the highest set bit of `x`, that is floor(log2(x)); 0 for 0. `x` is below 2^31. */
export function highestBit(x: number): number {
  let n = 0;
  let high = x >> 16;
  if (high !== 0) {
    x = high;
    n = 16;
  }
  high = x >> 8;
  if (high !== 0) {
    x = high;
    n = n + 8;
  }
  high = x >> 4;
  if (high !== 0) {
    x = high;
    n = n + 4;
  }
  high = x >> 2;
  if (high !== 0) {
    x = high;
    n = n + 2;
  }
  return n + (x >> 1);
}

/** Index of the lowest set bit of `x`, which must not be 0. */
export function lowestBit(x: number): number {
  return highestBit(x & -x);
}
