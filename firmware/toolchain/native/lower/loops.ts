/** Loops, with the bound that is written above them. */
import type { DoWhileStatement, Expression, Node, Statement } from 'acorn';
import type { LoopBound } from '../ir.ts';
import { lowerCondition } from './conditions.ts';
import type { Context } from './context.ts';
import { lowerEffect } from './expressions.ts';
import { lowerScoped, lowerStatement } from './statements.ts';

/**
 * A loop is turned around: the test is put before the loop and again at its end, so that an iteration takes one
 * branch. The test is lowered twice; what it loads is loaded in both places.
 */
export function lowerLoop(
  ctx: Context,
  node: Node,
  init: Node | null,
  test: Expression | null,
  update: Expression | null,
  body: Statement,
): void {
  ctx.frame.scopes.push(new Map());
  if (init?.type === 'VariableDeclaration') lowerStatement(ctx, init as Statement);
  else if (init) lowerEffect(ctx, init as Expression);
  const head = ctx.ssa.newBlock();
  const next = ctx.ssa.newBlock();
  const exit = ctx.ssa.newBlock();
  if (test) lowerCondition(ctx, test, head, exit);
  else ctx.ssa.jump(head, node.start);
  // The head has a back edge to come: it is entered before it is sealed.
  head.loopBound = loopBound(ctx, node);
  if (head.preds.length > 0) {
    ctx.ssa.enter(head);
    ctx.frame.loops.push({ breakTo: exit, continueTo: next });
    lowerScoped(ctx, body);
    ctx.frame.loops.pop();
    ctx.ssa.jump(next, node.end);
    ctx.ssa.begin(next);
    if (ctx.ssa.block) {
      if (update) lowerEffect(ctx, update);
      if (test) lowerCondition(ctx, test, head, exit);
      else ctx.ssa.jump(head, node.end);
    }
    ctx.ssa.seal(head);
  }
  ctx.frame.scopes.pop();
  ctx.ssa.begin(exit);
}

export function lowerDoWhile(ctx: Context, node: DoWhileStatement): void {
  const head = ctx.ssa.newBlock();
  const next = ctx.ssa.newBlock();
  const exit = ctx.ssa.newBlock();
  ctx.ssa.jump(head, node.start);
  head.loopBound = loopBound(ctx, node);
  ctx.ssa.enter(head);
  ctx.frame.loops.push({ breakTo: exit, continueTo: next });
  lowerScoped(ctx, node.body);
  ctx.frame.loops.pop();
  ctx.ssa.jump(next, node.end);
  ctx.ssa.begin(next);
  if (ctx.ssa.block) lowerCondition(ctx, node.test, head, exit);
  ctx.ssa.seal(head);
  ctx.ssa.begin(exit);
}

/** `// loop: at most N` on the loop's line or the line above it. */
export function loopBound(ctx: Context, node: Node): LoopBound | null {
  const { file, line } = ctx.module.source.locate(node.start);
  for (const at of [line, line - 1]) {
    const match = /\/\/ loop: at most ([\w./ ]+)/.exec(ctx.module.source.lineText(file, at));
    if (match) return { count: /^\d+$/.test(match[1]!.trim()) ? Number(match[1]) : match[1]!.trim(), at: node.start };
  }
  return null;
}
