/**
 * Stage 2b, check and lower: one routine's syntax tree becomes a control-flow graph in SSA form. Anything outside the
 * subset is a Problem with line and column.
 */
import type { Routine } from '../ir.ts';
import type { SubsetModule } from '../module.ts';
import { type Context, declare, type LowerOptions } from './context.ts';
import { SsaBuilder } from './ssa.ts';
import { lowerBlock } from './statements.ts';

export function lowerRoutine(module: SubsetModule, name: string, options: LowerOptions): Routine {
  const { node, parameters } = module.functions.get(name)!;
  const routine: Routine = {
    name,
    parameterCount: parameters.length,
    at: node.start,
    blocks: [],
    nextValueId: 0,
    nextBlockId: 0,
  };
  const ssa = new SsaBuilder(routine);
  const ctx: Context = {
    module,
    options,
    ssa,
    base: ssa.append('base', [], 0, node.start),
    frame: { scopes: [new Map()], continuation: { kind: 'routine' }, loops: [] },
    inlining: [name],
  };
  parameters.forEach((parameter, i) => {
    ssa.write(declare(ctx, parameter, false), ssa.append('param', [], i, node.start));
  });
  lowerBlock(ctx, node.body);
  if (ssa.block) ssa.terminate({ kind: 'return', value: null, at: node.end });
  return routine;
}
