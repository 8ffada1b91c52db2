/**
 * Calls. Functions that are not routines are put in place of their calls, with their `return` continuing as what the call
 * is used for: a value, a condition, or the routine's own return.
 */
import type { CallExpression } from 'acorn';
import type { Value } from '../ir.ts';
import { type Context, type Continuation, declare, problem } from './context.ts';
import { lowerExpression } from './expressions.ts';
import { lowerIntrinsic } from './intrinsics.ts';
import type { Variable } from './ssa.ts';
import { lowerBlock } from './statements.ts';

export function calleeOf(ctx: Context, node: CallExpression) {
  return node.callee.type === 'Identifier' ? (ctx.module.functions.get(node.callee.name) ?? null) : null;
}

export function argumentsOf(ctx: Context, node: CallExpression, count: number): Value[] {
  if (node.arguments.length !== count) problem(ctx, node, `${count} arguments are expected`);
  return node.arguments.map((argument) => {
    if (argument.type === 'SpreadElement') problem(ctx, argument, 'spread is outside the native subset');
    return lowerExpression(ctx, argument);
  });
}

export function lowerCall(ctx: Context, node: CallExpression): Value {
  const callee = calleeOf(ctx, node);
  if (!callee) return lowerIntrinsic(ctx, node);
  if (callee.isRoutine) {
    const args = argumentsOf(ctx, node, callee.parameters.length);
    const call = ctx.ssa.append('call', args, 0, node.start);
    call.callee = callee.name;
    return call;
  }
  const join = ctx.ssa.newBlock();
  const result: Variable = { name: callee.name, constant: false };
  lowerInline(ctx, node, { kind: 'value', join, result });
  if (ctx.ssa.block) {
    ctx.ssa.write(result, ctx.ssa.constant(0, node.start));
    ctx.ssa.jump(join, node.end);
  }
  ctx.ssa.begin(join);
  if (!ctx.ssa.block) problem(ctx, node, `${callee.name} never returns`);
  return ctx.ssa.read(result, join, node.start);
}

export function lowerInline(ctx: Context, node: CallExpression, continuation: Continuation): void {
  const callee = calleeOf(ctx, node)!;
  if (ctx.inlining.includes(callee.name)) problem(ctx, node, `${callee.name} calls itself`, 'Use a loop.');
  const args = argumentsOf(ctx, node, callee.parameters.length);
  const outer = ctx.frame;
  ctx.inlining.push(callee.name);
  ctx.frame = { scopes: [new Map()], continuation, loops: [] };
  callee.parameters.forEach((parameter, i) => {
    ctx.ssa.write(declare(ctx, parameter, false), args[i]!);
  });
  lowerBlock(ctx, callee.node.body);
  ctx.frame = outer;
  ctx.inlining.pop();
}
