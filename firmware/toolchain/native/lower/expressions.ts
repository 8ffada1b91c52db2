/** Expressions: for their value, or for what they do. */
import type { Expression } from 'acorn';
import { foldConstants } from '../fold.ts';
import { type Op, resolve, type Value } from '../ir.ts';
import { addressOf, element, lowerLoad, lowerStore } from './arena.ts';
import { lowerCall } from './calls.ts';
import { comparisons, lowerCondition, lowerTruth } from './conditions.ts';
import { type Context, lookup, problem } from './context.ts';
import { isDivision, lowerDivision } from './intrinsics.ts';
import type { Variable } from './ssa.ts';

const binaryOps: Record<string, Op> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '&': 'and',
  '|': 'or',
  '^': 'xor',
  '<<': 'shl',
  '>>': 'sar',
  '>>>': 'shr',
};

/** An expression for what it does, its value unused. */
export function lowerEffect(ctx: Context, node: Expression): void {
  if (node.type === 'AssignmentExpression') {
    const op = node.operator === '=' ? null : binaryOps[node.operator.slice(0, -1)];
    if (op === undefined) problem(ctx, node, `the operator ${node.operator} is outside the native subset`);
    if (node.left.type === 'MemberExpression') {
      const { width, index } = element(ctx, node.left);
      const address = addressOf(ctx, index, width, node.start);
      const old = op ? lowerLoad(ctx, address, width, node.start) : null;
      const right = lowerExpression(ctx, node.right);
      lowerStore(ctx, address, width, op ? ctx.ssa.operate(op, old!, right, node.start) : right, node.start);
      return;
    }
    if (node.left.type !== 'Identifier') problem(ctx, node.left, 'only variables and the arena can be assigned to');
    const variable = lookup(ctx, node.left.name);
    if (!variable || variable.constant) problem(ctx, node.left, `${node.left.name} is not a variable of the function`);
    const right = op
      ? ctx.ssa.operate(op, lowerExpression(ctx, node.left), lowerExpression(ctx, node.right), node.start)
      : lowerExpression(ctx, node.right);
    ctx.ssa.write(variable, right);
    return;
  }
  if (node.type === 'UpdateExpression') {
    const variable = node.argument.type === 'Identifier' ? lookup(ctx, node.argument.name) : null;
    if (!variable || variable.constant) problem(ctx, node, 'only variables can be counted up or down');
    const one = ctx.ssa.constant(1, node.start);
    const old = ctx.ssa.read(variable, ctx.ssa.block!, node.start);
    ctx.ssa.write(variable, ctx.ssa.operate(node.operator === '++' ? 'add' : 'sub', old, one, node.start));
    return;
  }
  if (node.type === 'CallExpression') {
    lowerCall(ctx, node);
    return;
  }
  problem(ctx, node, 'this expression does nothing', 'Assign its value or remove it.');
}

export function lowerExpression(ctx: Context, node: Expression): Value {
  const at = node.start;
  switch (node.type) {
    case 'Literal':
      if (typeof node.value === 'boolean') return ctx.ssa.constant(node.value ? 1 : 0, at);
      if (typeof node.value !== 'number' || !Number.isInteger(node.value) || Math.abs(node.value) > 0xffffffff) {
        problem(ctx, node, `${node.raw} is not a 32-bit integer`);
      }
      return ctx.ssa.constant(node.value, at);
    case 'Identifier': {
      const variable = lookup(ctx, node.name);
      if (variable) return ctx.ssa.read(variable, ctx.ssa.block!, at);
      const constant = ctx.module.constants.get(node.name);
      if (constant) return lowerModuleConstant(ctx, constant);
      return problem(ctx, node, `${node.name} is not a variable, a parameter or a constant of the module`);
    }
    case 'UnaryExpression': {
      if (node.operator === '!') return lowerTruth(ctx, node);
      const op = ({ '-': 'neg', '~': 'not' } as const)[node.operator as '-' | '~'];
      if (!op) problem(ctx, node, `the operator ${node.operator} is outside the native subset`);
      const value = resolve(lowerExpression(ctx, node.argument));
      if (value.op === 'const') return ctx.ssa.constant(foldConstants(op, value.imm, 0)!, at);
      return ctx.ssa.append(op, [value], 0, at);
    }
    case 'BinaryExpression': {
      if (Object.hasOwn(comparisons, node.operator)) return lowerTruth(ctx, node);
      if (node.operator === '|' && isLiteral(node.right, 0) && isDivision(node.left))
        return lowerDivision(ctx, node.left);
      const op = binaryOps[node.operator];
      if (!op || node.left.type === 'PrivateIdentifier') {
        problem(ctx, node, `the operator ${node.operator} is outside the native subset`);
      }
      const left = lowerExpression(ctx, node.left);
      let right = resolve(lowerExpression(ctx, node.right));
      if ((op === 'shl' || op === 'sar' || op === 'shr') && right.op === 'const' && (right.imm & ~31) !== 0) {
        right = ctx.ssa.constant(right.imm & 31, at);
      }
      return ctx.ssa.operate(op, left, right, at);
    }
    case 'ConditionalExpression':
    case 'LogicalExpression':
      return lowerSelect(ctx, node);
    case 'CallExpression':
      return lowerCall(ctx, node);
    case 'MemberExpression': {
      const { width, index } = element(ctx, node);
      return lowerLoad(ctx, addressOf(ctx, index, width, at), width, at);
    }
    case 'ParenthesizedExpression':
      return lowerExpression(ctx, node.expression);
    default:
      return problem(ctx, node, `${node.type} is outside the native subset`);
  }
}

/** Module constants are lowered where they are used, in the module's own scope. */
function lowerModuleConstant(ctx: Context, node: Expression): Value {
  const frame = ctx.frame;
  ctx.frame = { scopes: [], continuation: { kind: 'routine' }, loops: [] };
  const value = resolve(lowerExpression(ctx, node));
  ctx.frame = frame;
  if (value.op !== 'const') problem(ctx, node, 'the value of a constant must be known when compiling');
  return value;
}

function lowerSelect(ctx: Context, node: Expression): Value {
  if (node.type !== 'ConditionalExpression') {
    problem(ctx, node, 'a logical operator is only a condition in the native subset', 'Use if, or ? :.');
  }
  const then = ctx.ssa.newBlock();
  const otherwise = ctx.ssa.newBlock();
  const join = ctx.ssa.newBlock();
  const result: Variable = { name: 'select', constant: false };
  lowerCondition(ctx, node.test, then, otherwise);
  for (const [block, value] of [
    [then, node.consequent],
    [otherwise, node.alternate],
  ] as const) {
    ctx.ssa.begin(block);
    if (!ctx.ssa.block) continue;
    ctx.ssa.write(result, lowerExpression(ctx, value));
    ctx.ssa.jump(join, node.start);
  }
  ctx.ssa.begin(join);
  return ctx.ssa.read(result, join, node.start);
}

/** Whether a node is this number. */
export function isLiteral(node: Expression, value: number): boolean {
  return node.type === 'Literal' && node.value === value;
}
