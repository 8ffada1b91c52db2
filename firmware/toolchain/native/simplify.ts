/** Algebra on single values: the same result for less. Each rule is drawn as before => after. */
import { foldConstants, lowZeros, upperBound } from './fold.ts';
import {
  type Condition,
  newValue,
  type Op,
  type Routine,
  resolve,
  swapped,
  type Terminator,
  type Value,
} from './ir.ts';

/** Puts a new value right before `place` in its block and returns it. */
export type Insert = (place: Value, op: Op, args: Value[], imm?: number) => Value;

export function inserter(routine: Routine): Insert {
  return (place, op, args, imm = 0) => {
    const value = newValue(routine, place.block, op, args, imm, place.at);
    place.block.values.splice(place.block.values.indexOf(place), 0, value);
    return value;
  };
}

const commutative = new Set<Op>(['add', 'mul', 'and', 'or', 'xor']);

/** What `value` can be replaced by, or null. May rewrite `value` in place. */
export function simplify(value: Value, insert: Insert): Value | null {
  const constant = (imm: number): Value => insert(value, 'const', [], imm | 0);
  if (value.args.length === 1) return simplifyUnary(value, constant);
  if (value.args.length !== 2 || value.op === 'phi' || value.op === 'store' || value.op === 'call') return null;
  let [a, b] = value.args.map(resolve) as [Value, Value];
  if (a.op === 'const' && b.op === 'const') {
    const folded = foldConstants(value.op, a.imm, b.imm);
    if (folded !== null) return constant(folded);
  }
  if (commutative.has(value.op) && a.op === 'const') [a, b] = [b, a];
  value.args = [a, b];
  const c = b.op === 'const' ? b.imm : null;
  switch (value.op) {
    case 'add':
      if (c === 0) return a;
      // (x + c1) + c2 => x + (c1 + c2)
      if (c !== null && a.op === 'add' && a.args[1]!.op === 'const') {
        value.args = [resolve(a.args[0]!), constant(a.args[1]!.imm + c)];
        return null;
      }
      // (x - y) + y => x
      if (a.op === 'sub' && resolve(a.args[1]!) === b) return resolve(a.args[0]!);
      if (b.op === 'sub' && resolve(b.args[1]!) === a) return resolve(b.args[0]!);
      return null;
    case 'sub':
      if (a === b) return constant(0);
      // x - c => x + -c
      if (c !== null) {
        value.op = 'add';
        value.args = [a, constant(-c)];
        return null;
      }
      if (a.op === 'const' && a.imm === 0) {
        value.op = 'neg';
        value.args = [b];
        return null;
      }
      // (x + y) - y => x
      if (a.op === 'add' && resolve(a.args[1]!) === b) return resolve(a.args[0]!);
      if (a.op === 'add' && resolve(a.args[0]!) === b) return resolve(a.args[1]!);
      return null;
    case 'mul':
      if (c === 0) return b;
      if (c === 1) return a;
      if (c !== null && c > 0 && (c & (c - 1)) === 0) {
        value.op = 'shl';
        value.args = [a, constant(31 - Math.clz32(c))];
      }
      return null;
    case 'and':
      if (a === b || c === -1) return a;
      if (c === 0) return b;
      if (c !== null) {
        // The mask only clears bits that are 0 anyway.
        const low = lowZeros(a);
        const maybe = low >= 32 ? 0 : -1 << low;
        const bound = upperBound(a);
        const high = bound === 0 ? 0 : -1 >>> Math.clz32(bound);
        if ((maybe & high & ~c) === 0) return a;
        if (a.op === 'and' && a.args[1]!.op === 'const') {
          value.args = [resolve(a.args[0]!), constant(a.args[1]!.imm & c)];
          return null;
        }
        // x & -2^k => (x >> k) << k, which may share the right shift
        const inverse = ~c;
        if (inverse > 0 && (inverse & (inverse + 1)) === 0) {
          const k = constant(32 - Math.clz32(inverse));
          value.op = 'shl';
          value.args = [insert(value, 'sar', [a, k]), k];
        }
      }
      return null;
    case 'or':
      if (a === b || c === 0) return a;
      // Disjoint bits: an addition has an immediate form.
      if (c !== null && c > 0 && c < 256 && lowZeros(a) >= 32 - Math.clz32(c)) value.op = 'add';
      return null;
    case 'xor':
      if (a === b) return constant(0);
      return c === 0 ? a : null;
    case 'shl':
      if (c === 0) return a;
      // (x >> k) << k => x
      if (c !== null && (a.op === 'sar' || a.op === 'shr') && a.args[1]!.op === 'const' && a.args[1]!.imm === c) {
        const x = resolve(a.args[0]!);
        if (lowZeros(x) >= c) return x;
      }
      return sameShift(value, a, c, constant);
    case 'sar':
    case 'shr':
      if (c === 0) return a;
      if (value.op === 'sar' && upperBound(a) <= 0x7fffffff) value.op = 'shr';
      return sameShift(value, a, c, constant);
    default:
      return null;
  }
}

/** (x << c1) << c2 => x << (c1 + c2), and for the right shifts alike. */
function sameShift(value: Value, a: Value, c: number | null, constant: (imm: number) => Value): Value | null {
  if (c === null || a.op !== value.op || a.args[1]!.op !== 'const') return null;
  const total = c + a.args[1]!.imm;
  if (total > 31) {
    if (value.op !== 'sar') return constant(0);
    value.args = [resolve(a.args[0]!), constant(31)];
  } else value.args = [resolve(a.args[0]!), constant(total)];
  return null;
}

function simplifyUnary(value: Value, constant: (imm: number) => Value): Value | null {
  const a = resolve(value.args[0]!);
  value.args = [a];
  if (value.op === 'neg' || value.op === 'not' || value.op === 'highest' || value.op === 'lowest') {
    if (a.op === 'const') return constant(foldConstants(value.op, a.imm, 0)!);
    if (a.op === value.op && (value.op === 'neg' || value.op === 'not')) return resolve(a.args[0]!);
  }
  return null;
}

const stricter: Partial<Record<Condition, Condition>> = { ge: 'gt', lt: 'le', hs: 'hi', lo: 'ls' };

/**
 * Brings a branch into the form the processor compares in: constants right, and small. `needed` are the values that others
 * are computed from.
 */
export function simplifyBranch(
  term: Terminator & { kind: 'branch' },
  needed: ReadonlySet<Value>,
  constant: (imm: number) => Value,
): void {
  term.a = resolve(term.a);
  term.b = resolve(term.b);
  if (term.a.op === 'const' && term.b.op !== 'const') {
    [term.a, term.b] = [term.b, term.a];
    term.cond = swapped[term.cond];
  }
  const equality = term.cond === 'eq' || term.cond === 'ne';
  if (term.b.op !== 'const') return;
  // x - y == 0 => x == y, where the difference is not there in any case: else both operands would outlive it
  if (equality && term.b.imm === 0 && (term.a.op === 'sub' || term.a.op === 'xor') && !needed.has(term.a)) {
    const { args } = term.a;
    term.a = resolve(args[0]!);
    term.b = resolve(args[1]!);
    return;
  }
  // x >= 256 => x > 255, which fits an immediate
  if (term.b.imm > 0 && stricter[term.cond]) {
    term.cond = stricter[term.cond]!;
    term.b = constant(term.b.imm - 1);
  }
}
