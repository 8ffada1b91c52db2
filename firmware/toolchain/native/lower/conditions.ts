/** Conditions: tests that lead to one of two blocks, and comparisons used as values. */
import type { BinaryExpression, Expression, Node, ParenthesizedExpression } from 'acorn';
import { type Block, type Condition, resolve, type Value } from '../ir.ts';
import { calleeOf, lowerInline } from './calls.ts';
import { type Context, problem } from './context.ts';
import { isLiteral, lowerExpression } from './expressions.ts';
import type { Variable } from './ssa.ts';

export const comparisons: Record<string, Condition> = {
  '===': 'eq',
  '!==': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
};

const unsignedOf: Partial<Record<Condition, Condition>> = { lt: 'lo', le: 'ls', gt: 'hi', ge: 'hs' };

/** A comparison or negation used as a value: 1 or 0. */
export function lowerTruth(ctx: Context, node: Expression): Value {
  const then = ctx.ssa.newBlock();
  const otherwise = ctx.ssa.newBlock();
  const join = ctx.ssa.newBlock();
  const result: Variable = { name: 'truth', constant: false };
  lowerCondition(ctx, node, then, otherwise);
  for (const [block, imm] of [
    [then, 1],
    [otherwise, 0],
  ] as const) {
    ctx.ssa.begin(block);
    if (!ctx.ssa.block) continue;
    ctx.ssa.write(result, ctx.ssa.constant(imm, node.start));
    ctx.ssa.jump(join, node.start);
  }
  ctx.ssa.begin(join);
  return ctx.ssa.read(result, join, node.start);
}

export function lowerCondition(ctx: Context, node: Expression, yes: Block, no: Block): void {
  if (!ctx.ssa.block) return;
  if (node.type === 'ParenthesizedExpression') {
    lowerCondition(ctx, node.expression, yes, no);
    return;
  }
  if (node.type === 'LogicalExpression' && node.operator !== '??') {
    const second = ctx.ssa.newBlock();
    if (node.operator === '&&') lowerCondition(ctx, node.left, second, no);
    else lowerCondition(ctx, node.left, yes, second);
    ctx.ssa.begin(second);
    lowerCondition(ctx, node.right, yes, no);
    return;
  }
  if (node.type === 'UnaryExpression' && node.operator === '!') {
    lowerCondition(ctx, node.argument, no, yes);
    return;
  }
  if (node.type === 'CallExpression') {
    const callee = calleeOf(ctx, node);
    if (callee && !callee.isRoutine) {
      lowerInline(ctx, node, { kind: 'condition', yes, no });
      ctx.ssa.jump(no, node.start);
      return;
    }
  }
  if (node.type === 'BinaryExpression' && Object.hasOwn(comparisons, node.operator)) {
    lowerComparison(ctx, node, yes, no);
    return;
  }
  const value = lowerExpression(ctx, node);
  ctx.ssa.branch('ne', value, ctx.ssa.constant(0, node.start), yes, no, node.start);
}

function lowerComparison(ctx: Context, node: BinaryExpression, yes: Block, no: Block): void {
  const isBoolean = (side: Node): boolean =>
    (side.type === 'BinaryExpression' && Object.hasOwn(comparisons, (side as BinaryExpression).operator)) ||
    (side.type === 'ParenthesizedExpression' && isBoolean((side as ParenthesizedExpression).expression));
  const left = node.left as Expression;
  let cond = comparisons[node.operator]!;
  if (isBoolean(left) !== isBoolean(node.right) && (cond === 'eq' || cond === 'ne')) {
    problem(ctx, node, 'a comparison is compared with a number', 'Compare numbers with numbers.');
  }
  const unsigned = (side: Expression): boolean =>
    side.type === 'BinaryExpression' && side.operator === '>>>' && isLiteral(side.right, 0);
  const small = (side: Expression, value: Value): boolean =>
    unsigned(side) || (resolve(value).op === 'const' && resolve(value).imm >= 0);
  const a = lowerExpression(ctx, left);
  const b = lowerExpression(ctx, node.right);
  if (unsigned(left) || unsigned(node.right)) {
    if (!small(left, a) || !small(node.right, b)) {
      problem(ctx, node, 'an unsigned value is compared with a signed one', 'Write `>>> 0` on both sides.');
    }
    cond = unsignedOf[cond] ?? cond;
  }
  ctx.ssa.branch(cond, a, b, yes, no, node.start);
}
