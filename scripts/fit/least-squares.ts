/**
 * Non-negative least squares with a little ridge, by exchanging blocks of unknowns between zero and free.
 * Deterministic.
 *
 * Reference: C. L. Lawson, R. J. Hanson, Solving Least Squares Problems (1974), chapter 23 (the problem); J. Kim, H. Park,
 * Fast nonnegative matrix factorization, SIAM J. Sci. Comput. 33 (2011), section 3 (the exchange). A price below nothing
 * makes no sense, and would lead programs unlike the fitted ones astray.
 */

/** One equation: the sum of `x` times the unknowns is `y`, as important as `weight` says. */
export interface Equation {
  x: ReadonlyMap<string, number>;
  y: number;
  weight: number;
}

/** Exchanges of blocks that do not lessen the violations before they go one at a time (Kim and Park: three). */
const patience = 3;
const maxExchanges = 600;
const nothing = 1e-11;

/** The unknowns by name, each at least 0. `ridge` draws them to 0, measured where a column's largest entry is 1. */
export function solve(equations: readonly Equation[], ridge: number): Map<string, number> {
  const names = [...new Set(equations.flatMap(({ x }) => [...x.keys()]))].sort();
  const column = new Map(names.map((name, at) => [name, at]));
  const count = names.length;
  const scale = new Float64Array(count);
  for (const { x, weight } of equations)
    for (const [name, value] of x) {
      const at = column.get(name) as number;
      scale[at] = Math.max(scale[at] as number, Math.abs(value * weight));
    }
  const products = Array.from({ length: count }, () => new Float64Array(count));
  const right = new Float64Array(count);
  for (const { x, y, weight } of equations) {
    const row = [...x].map(([name, value]): [number, number] => {
      const at = column.get(name) as number;
      return [at, (value * weight) / (scale[at] || 1)];
    });
    for (const [i, a] of row) {
      right[i] = (right[i] as number) + a * y * weight;
      const line = products[i] as Float64Array;
      for (const [j, b] of row) line[j] = (line[j] as number) + a * b;
    }
  }
  for (let at = 0; at < count; at++) {
    const line = products[at] as Float64Array;
    line[at] = (line[at] as number) + ridge * ridge;
  }
  const solution = pivot(products, right);
  return new Map(names.map((name, at) => [name, (solution[at] as number) / ((scale[at] as number) || 1)]));
}

/** Minimises for solution >= 0: those that are not 0 solve their equations, the others' gradient is not below 0. */
function pivot(products: readonly Float64Array[], right: Float64Array): Float64Array {
  const count = right.length;
  const free = new Uint8Array(count).fill(1);
  let fewest = count + 1;
  let left = patience;
  for (let exchange = 0; ; exchange++) {
    const solution = solveFree(products, right, free);
    const wrong: number[] = [];
    for (let i = 0; i < count; i++) {
      if (free[i]) {
        if ((solution[i] as number) < -nothing) wrong.push(i);
      } else {
        let gradient = -(right[i] as number);
        const line = products[i] as Float64Array;
        for (let j = 0; j < count; j++) gradient += (line[j] as number) * (solution[j] as number);
        if (gradient < -nothing) wrong.push(i);
      }
    }
    if (wrong.length === 0 || exchange === maxExchanges) return solution.map((value) => Math.max(0, value));
    if (wrong.length < fewest) {
      fewest = wrong.length;
      left = patience;
    } else left--;
    const exchanged = left >= 0 ? wrong : wrong.slice(-1);
    for (const i of exchanged) free[i] = free[i] ? 0 : 1;
  }
}

/** Cholesky over the free unknowns; the others are 0. */
function solveFree(products: readonly Float64Array[], right: Float64Array, free: Uint8Array): Float64Array {
  const members = [...free.keys()].filter((at) => free[at]);
  const size = members.length;
  const lower = members.map((_, at) => new Float64Array(at + 1));
  const partial = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const row = lower[i] as Float64Array;
    const source = products[members[i] as number] as Float64Array;
    for (let j = 0; j <= i; j++) {
      const other = lower[j] as Float64Array;
      let sum = source[members[j] as number] as number;
      for (let k = 0; k < j; k++) sum -= (row[k] as number) * (other[k] as number);
      row[j] = i === j ? Math.sqrt(sum) : sum / (other[j] as number);
    }
    let sum = right[members[i] as number] as number;
    for (let k = 0; k < i; k++) sum -= (row[k] as number) * (partial[k] as number);
    partial[i] = sum / (row[i] as number);
  }
  const solution = new Float64Array(free.length);
  for (let i = size - 1; i >= 0; i--) {
    let sum = partial[i] as number;
    for (let k = i + 1; k < size; k++)
      sum -= ((lower[k] as Float64Array)[i] as number) * (solution[members[k] as number] as number);
    solution[members[i] as number] = sum / ((lower[i] as Float64Array)[i] as number);
  }
  return solution;
}
