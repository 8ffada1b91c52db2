/** What the language or bits.ts offers and the compiler knows itself: bit searches, Math, division by a constant. */
import type { BinaryExpression, CallExpression, Expression, Node, ParenthesizedExpression } from 'acorn';
import { foldConstants, upperBound } from '../fold.ts';
import { resolve, type Value } from '../ir.ts';
import { argumentsOf } from './calls.ts';
import { type Context, problem } from './context.ts';
import { lowerExpression } from './expressions.ts';
import type { Variable } from './ssa.ts';

export function lowerIntrinsic(ctx: Context, node: CallExpression): Value {
  const known = node.callee.type === 'Identifier' ? ctx.module.known.get(node.callee.name) : undefined;
  const at = node.start;
  if (known?.kind === 'highestBit' || known?.kind === 'lowestBit') {
    const [x] = argumentsOf(ctx, node, 1);
    const value = resolve(x!);
    const op = known.kind === 'lowestBit' ? 'lowest' : 'highest';
    if (value.op === 'const') return ctx.ssa.constant(foldConstants(op, value.imm, 0)!, at);
    if (op === 'highest' && !ctx.options.hasClz) return highestBySteps(ctx, value, at);
    return ctx.ssa.append(op, [value], 0, at);
  }
  const math = mathName(node);
  if (math === 'min' || math === 'max') {
    const [a, b] = argumentsOf(ctx, node, 2) as [Value, Value];
    const join = ctx.ssa.newBlock();
    const other = ctx.ssa.newBlock();
    const result: Variable = { name: math, constant: false };
    ctx.ssa.write(result, a);
    ctx.ssa.branch(math === 'min' ? 'le' : 'ge', a, b, join, other, at);
    ctx.ssa.begin(other);
    if (ctx.ssa.block) {
      ctx.ssa.write(result, b);
      ctx.ssa.jump(join, at);
    }
    ctx.ssa.begin(join);
    return ctx.ssa.read(result, join, at);
  }
  if (math === 'imul') {
    const [a, b] = argumentsOf(ctx, node, 2) as [Value, Value];
    return ctx.ssa.operate('mul', a, b, at);
  }
  const name = node.callee.type === 'Identifier' ? node.callee.name : 'this';
  return problem(ctx, node, `${name} is not a function of the module`);
}

/** `(x / c) | 0` for x >= 0 and a constant c > 0, bit by bit: for set-up code, it takes up to 32 rounds. */
export function lowerDivision(ctx: Context, node: BinaryExpression): Value {
  const at = node.start;
  const dividend = lowerExpression(ctx, node.left as Expression);
  const divisor = resolve(lowerExpression(ctx, node.right));
  if (divisor.op !== 'const' || divisor.imm <= 0) {
    problem(ctx, node, 'only constants above 0 can be divided by in the native subset');
  }
  const rest: Variable = { name: 'rest', constant: false };
  const quotient: Variable = { name: 'quotient', constant: false };
  const bit: Variable = { name: 'bit', constant: false };
  const [head, fits, next, exit] = [ctx.ssa.newBlock(), ctx.ssa.newBlock(), ctx.ssa.newBlock(), ctx.ssa.newBlock()];
  const highest = Math.clz32(divisor.imm) - 1;
  ctx.ssa.write(rest, dividend);
  ctx.ssa.write(quotient, ctx.ssa.constant(0, at));
  ctx.ssa.write(bit, ctx.ssa.constant(highest, at));
  ctx.ssa.jump(head, at);
  head.loopBound = { count: highest + 1, at };
  ctx.ssa.enter(head);
  const shifted = ctx.ssa.operate('shl', divisor, ctx.ssa.read(bit, head, at), at);
  ctx.ssa.branch('ge', ctx.ssa.read(rest, head, at), shifted, fits, next, at);
  ctx.ssa.begin(fits);
  const one = ctx.ssa.operate('shl', ctx.ssa.constant(1, at), ctx.ssa.read(bit, fits, at), at);
  ctx.ssa.write(rest, ctx.ssa.operate('sub', ctx.ssa.read(rest, fits, at), shifted, at));
  ctx.ssa.write(quotient, ctx.ssa.operate('add', ctx.ssa.read(quotient, fits, at), one, at));
  ctx.ssa.jump(next, at);
  ctx.ssa.begin(next);
  const lower = ctx.ssa.operate('sub', ctx.ssa.read(bit, next, at), ctx.ssa.constant(1, at), at);
  ctx.ssa.write(bit, lower);
  ctx.ssa.branch('ge', lower, ctx.ssa.constant(0, at), head, exit, at);
  ctx.ssa.seal(head);
  ctx.ssa.begin(exit);
  return ctx.ssa.read(quotient, exit, at);
}

/** floor(log2(x)) by halving, as bits.ts does it; steps that cannot matter are left out. */
function highestBySteps(ctx: Context, x: Value, at: number): Value {
  const rest: Variable = { name: 'rest', constant: false };
  const count: Variable = { name: 'count', constant: false };
  ctx.ssa.write(rest, x);
  ctx.ssa.write(count, ctx.ssa.constant(0, at));
  const bound = upperBound(x);
  for (const step of [16, 8, 4, 2]) {
    if (bound < 2 ** step) continue;
    const add = ctx.ssa.newBlock();
    const join = ctx.ssa.newBlock();
    const old = ctx.ssa.read(rest, ctx.ssa.block!, at);
    const n = ctx.ssa.read(count, ctx.ssa.block!, at);
    const high = ctx.ssa.operate('sar', old, ctx.ssa.constant(step, at), at);
    ctx.ssa.branch('ne', high, ctx.ssa.constant(0, at), add, join, at);
    ctx.ssa.begin(add);
    if (ctx.ssa.block) {
      ctx.ssa.write(rest, high);
      ctx.ssa.write(count, ctx.ssa.operate('add', n, ctx.ssa.constant(step, at), at));
      ctx.ssa.jump(join, at);
    }
    ctx.ssa.begin(join);
  }
  const last = ctx.ssa.operate('sar', ctx.ssa.read(rest, ctx.ssa.block!, at), ctx.ssa.constant(1, at), at);
  return ctx.ssa.operate('add', ctx.ssa.read(count, ctx.ssa.block!, at), last, at);
}

export function isDivision(node: Node): node is BinaryExpression {
  if (node.type === 'ParenthesizedExpression') {
    return isDivision((node as ParenthesizedExpression).expression);
  }
  return node.type === 'BinaryExpression' && (node as BinaryExpression).operator === '/';
}

function mathName(node: CallExpression): string | null {
  const callee = node.callee;
  if (callee.type !== 'MemberExpression' || callee.computed) return null;
  if (callee.object.type !== 'Identifier' || callee.object.name !== 'Math') return null;
  return callee.property.type === 'Identifier' ? callee.property.name : null;
}
