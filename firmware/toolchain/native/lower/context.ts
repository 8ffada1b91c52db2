/** What the lowering functions share: the module, the routine being built, and the function whose text is being walked. */
import type { Node } from 'acorn';
import type { Block, Value } from '../ir.ts';
import { type SubsetModule, subsetProblem } from '../module.ts';
import type { SsaBuilder, Variable } from './ssa.ts';

export interface LowerOptions {
  /** The processor counts leading zeros in one instruction. */
  readonly hasClz: boolean;
}

/** What happens to the value of a `return`. */
export type Continuation =
  | { kind: 'routine' }
  | { kind: 'value'; join: Block; result: Variable }
  | { kind: 'condition'; yes: Block; no: Block };

/** A function: the routine itself, or one that is put in place of its call. */
export interface Frame {
  scopes: Map<string, Variable>[];
  readonly continuation: Continuation;
  readonly loops: { breakTo: Block; continueTo: Block }[];
}

export interface Context {
  readonly module: SubsetModule;
  readonly options: LowerOptions;
  readonly ssa: SsaBuilder;
  /** The arena's address. */
  readonly base: Value;
  frame: Frame;
  /** Functions that are being put in place, outermost first. */
  readonly inlining: string[];
}

export function declare(ctx: Context, name: string, constant: boolean): Variable {
  const variable = { name, constant };
  ctx.frame.scopes.at(-1)!.set(name, variable);
  return variable;
}

/** The innermost variable of that name; null where there is none. */
export function lookup(ctx: Context, name: string): Variable | null {
  for (let i = ctx.frame.scopes.length - 1; i >= 0; i--) {
    const variable = ctx.frame.scopes[i]!.get(name);
    if (variable) return variable;
  }
  return null;
}

/** Refuses a node, with its place. */
export function problem(ctx: Context, node: Node, text: string, advice?: string): never {
  throw subsetProblem(ctx.module.source, node.start, text, advice);
}
