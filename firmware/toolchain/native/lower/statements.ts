/** Statements. Unreachable ones are skipped. */
import type { BlockStatement, CallExpression, Expression, Node, Statement } from 'acorn';
import { argumentsOf, calleeOf, lowerInline } from './calls.ts';
import { lowerCondition } from './conditions.ts';
import { type Context, declare, problem } from './context.ts';
import { lowerEffect, lowerExpression } from './expressions.ts';
import { lowerDoWhile, lowerLoop } from './loops.ts';

export function lowerBlock(ctx: Context, block: BlockStatement): void {
  ctx.frame.scopes.push(new Map());
  for (const statement of block.body) lowerStatement(ctx, statement);
  ctx.frame.scopes.pop();
}

export function lowerScoped(ctx: Context, statement: Statement): void {
  ctx.frame.scopes.push(new Map());
  lowerStatement(ctx, statement);
  ctx.frame.scopes.pop();
}

export function lowerStatement(ctx: Context, node: Statement): void {
  if (!ctx.ssa.block) return;
  switch (node.type) {
    case 'BlockStatement':
      lowerBlock(ctx, node);
      return;
    case 'EmptyStatement':
      return;
    case 'VariableDeclaration':
      for (const { id, init } of node.declarations) {
        if (id.type !== 'Identifier') problem(ctx, id, `${id.type} is outside the native subset`);
        const value = init ? lowerExpression(ctx, init) : ctx.ssa.constant(0, node.start);
        ctx.ssa.write(declare(ctx, id.name, node.kind === 'const'), value);
      }
      return;
    case 'ExpressionStatement':
      lowerEffect(ctx, node.expression);
      return;
    case 'IfStatement': {
      const then = ctx.ssa.newBlock();
      const otherwise = node.alternate ? ctx.ssa.newBlock() : null;
      const join = ctx.ssa.newBlock();
      lowerCondition(ctx, node.test, then, otherwise ?? join);
      ctx.ssa.begin(then);
      lowerScoped(ctx, node.consequent);
      ctx.ssa.jump(join, node.end);
      if (otherwise) {
        ctx.ssa.begin(otherwise);
        lowerScoped(ctx, node.alternate!);
        ctx.ssa.jump(join, node.end);
      }
      ctx.ssa.begin(join);
      return;
    }
    case 'WhileStatement':
      lowerLoop(ctx, node, null, node.test, null, node.body);
      return;
    case 'DoWhileStatement':
      lowerDoWhile(ctx, node);
      return;
    case 'ForStatement':
      lowerLoop(ctx, node, node.init ?? null, node.test ?? null, node.update ?? null, node.body);
      return;
    case 'BreakStatement':
    case 'ContinueStatement': {
      const loop = ctx.frame.loops.at(-1);
      if (!loop || node.label) problem(ctx, node, 'a label is outside the native subset');
      ctx.ssa.jump(node.type === 'BreakStatement' ? loop.breakTo : loop.continueTo, node.start);
      return;
    }
    case 'ReturnStatement':
      lowerReturn(ctx, node.argument ?? null, node);
      return;
    default:
      problem(ctx, node, `${node.type} is outside the native subset`);
  }
}

function lowerReturn(ctx: Context, argument: Expression | null, node: Node): void {
  const continuation = ctx.frame.continuation;
  const at = node.start;
  if (continuation.kind === 'condition') {
    if (argument) lowerCondition(ctx, argument, continuation.yes, continuation.no);
    else ctx.ssa.jump(continuation.no, at);
    return;
  }
  if (continuation.kind === 'value') {
    ctx.ssa.write(continuation.result, argument ? lowerExpression(ctx, argument) : ctx.ssa.constant(0, at));
    ctx.ssa.jump(continuation.join, at);
    return;
  }
  if (argument?.type === 'ConditionalExpression') {
    const then = ctx.ssa.newBlock();
    const otherwise = ctx.ssa.newBlock();
    lowerCondition(ctx, argument.test, then, otherwise);
    ctx.ssa.begin(then);
    if (ctx.ssa.block) lowerReturn(ctx, argument.consequent, node);
    ctx.ssa.begin(otherwise);
    if (ctx.ssa.block) lowerReturn(ctx, argument.alternate, node);
    return;
  }
  const callee = argument?.type === 'CallExpression' ? calleeOf(ctx, argument) : null;
  if (callee && !callee.isRoutine) {
    // The called function returns for this one.
    lowerInline(ctx, argument as CallExpression, { kind: 'routine' });
    if (ctx.ssa.block) ctx.ssa.terminate({ kind: 'return', value: null, at });
    return;
  }
  if (callee) {
    const args = argumentsOf(ctx, argument as CallExpression, callee.parameters.length);
    ctx.ssa.terminate({ kind: 'tail', callee: callee.name, args, at });
    return;
  }
  ctx.ssa.terminate({ kind: 'return', value: argument ? lowerExpression(ctx, argument) : null, at });
}
