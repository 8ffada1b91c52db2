/** Constant folding and algebra on single operations: what an operation is worth when its arguments are known. */
import type { Condition, Op, Value } from './ir.ts';

/** The result of `op` on constants, as the processor computes it; shift counts are below 32. */
export function foldConstants(op: Op, a: number, b: number): number | null {
  switch (op) {
    case 'add':
      return (a + b) | 0;
    case 'sub':
      return (a - b) | 0;
    case 'mul':
      return Math.imul(a, b);
    case 'and':
      return a & b;
    case 'or':
      return a | b;
    case 'xor':
      return a ^ b;
    case 'shl':
      return a << b;
    case 'sar':
      return a >> b;
    case 'shr':
      return (a >>> b) | 0;
    case 'neg':
      return -a | 0;
    case 'not':
      return ~a;
    case 'highest':
      return a === 0 ? 0 : 31 - Math.clz32(a);
    case 'lowest':
      return 31 - Math.clz32(a & -a);
    default:
      return null;
  }
}

export function holds(cond: Condition, a: number, b: number): boolean {
  switch (cond) {
    case 'eq':
      return a === b;
    case 'ne':
      return a !== b;
    case 'lt':
      return a < b;
    case 'le':
      return a <= b;
    case 'gt':
      return a > b;
    case 'ge':
      return a >= b;
    case 'lo':
      return a >>> 0 < b >>> 0;
    case 'ls':
      return a >>> 0 <= b >>> 0;
    case 'hi':
      return a >>> 0 > b >>> 0;
    case 'hs':
      return a >>> 0 >= b >>> 0;
  }
}

/** How many low bits of a value are certainly 0. */
export function lowZeros(value: Value, depth = 4): number {
  const of = (v: Value): number => lowZeros(v, depth - 1);
  if (value.op === 'const') return value.imm === 0 ? 32 : 31 - Math.clz32(value.imm & -value.imm);
  if (depth === 0) return 0;
  const [a, b] = value.args;
  switch (value.op) {
    case 'add':
    case 'sub':
    case 'or':
    case 'xor':
      return Math.min(of(a!), of(b!));
    case 'and':
      return Math.max(of(a!), of(b!));
    case 'shl':
      return b!.op === 'const' ? Math.min(32, of(a!) + b!.imm) : of(a!);
    case 'neg':
      return of(a!);
    case 'phi':
      return Math.min(...value.args.map((arg) => (arg === value ? 32 : of(arg))));
    default:
      return 0;
  }
}

/** The high bits of a value that may be set: an upper bound of the value as an unsigned number. */
export function upperBound(value: Value, depth = 4): number {
  const of = (v: Value): number => upperBound(v, depth - 1);
  const all = 0xffffffff;
  if (value.op === 'const') return value.imm >>> 0;
  if (depth === 0) return all;
  const [a, b] = value.args;
  switch (value.op) {
    case 'and':
      return Math.min(of(a!), of(b!));
    case 'shr':
      return b!.op === 'const' ? of(a!) >>> b!.imm : of(a!);
    case 'sar':
      return b!.op === 'const' && of(a!) <= 0x7fffffff ? of(a!) >>> b!.imm : all;
    case 'load':
      return value.width === 4 ? all : value.width === 2 ? 0xffff : 0xff;
    case 'highest':
    case 'lowest':
      return 31;
    default:
      return all;
  }
}
