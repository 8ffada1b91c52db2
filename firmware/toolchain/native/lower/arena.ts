/** Loads and stores of the arena: which element, at which address. */
import type { MemberExpression } from 'acorn';
import { resolve, type Value, type Width } from '../ir.ts';
import { type Context, problem } from './context.ts';
import { lowerExpression } from './expressions.ts';

interface Address {
  readonly term: Value | null;
  readonly offset: number;
}

export function element(ctx: Context, node: MemberExpression): { width: Width; index: Value } {
  const known = node.object.type === 'Identifier' ? ctx.module.known.get(node.object.name) : undefined;
  if (known?.kind !== 'view' || !node.computed || node.property.type === 'PrivateIdentifier') {
    problem(ctx, node, 'only u8, u16 and u32 of the arena can be loaded from and stored to');
  }
  return { width: known.width, index: lowerExpression(ctx, node.property) };
}

/**
 * The byte offset of element `index`, as a value plus a constant. `x >> 2` as an index of u32 states that x is a
 * multiple of 4, so the shifts cancel: `u32[x >> 2]` and `u32[(x >> 2) + 1]` are x and x + 4.
 */
export function addressOf(ctx: Context, index: Value, width: Width, at: number): Address {
  const shift = width === 4 ? 2 : width === 2 ? 1 : 0;
  const terms: Value[] = [];
  let offset = 0;
  const collect = (term: Value, scaled: boolean, depth: number): void => {
    const value = resolve(term);
    const [a, b] = value.args.map(resolve);
    if (value.op === 'const') offset += scaled ? value.imm : value.imm << shift;
    else if (value.op === 'add' && depth > 0 && (b!.op === 'const' || a!.op === 'const' || !scaled)) {
      collect(a!, scaled, depth - 1);
      collect(b!, scaled, depth - 1);
    } else if (value.op === 'sub' && b!.op === 'const' && depth > 0) {
      collect(a!, scaled, depth - 1);
      offset -= scaled ? b!.imm : b!.imm << shift;
    } else if (
      !scaled &&
      shift > 0 &&
      (value.op === 'sar' || value.op === 'shr') &&
      b!.op === 'const' &&
      b!.imm === shift
    ) {
      collect(a!, true, depth);
    } else if (!scaled && shift > 0) {
      // An index that was itself shifted down further keeps its own shift.
      terms.push(ctx.ssa.operate('shl', value, ctx.ssa.constant(shift, at), at));
    } else terms.push(value);
  };
  collect(index, shift === 0, 4);
  let term: Value | null = null;
  for (const value of terms) term = term ? ctx.ssa.operate('add', term, value, at) : value;
  return { term, offset };
}

export function lowerLoad(ctx: Context, address: Address, width: Width, at: number): Value {
  const load = ctx.ssa.append('load', [pointer(ctx, address, at)], address.offset, at);
  load.width = width;
  return load;
}

export function lowerStore(ctx: Context, address: Address, width: Width, value: Value, at: number): void {
  const store = ctx.ssa.append('store', [pointer(ctx, address, at), value], address.offset, at);
  store.width = width;
}

export function pointer(ctx: Context, address: Address, at: number): Value {
  return address.term ? ctx.ssa.append('add', [ctx.base, address.term], 0, at) : ctx.base;
}
