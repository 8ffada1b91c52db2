/** Edges between blocks: the critical ones are split, and the phis of their targets become copies. */
import { type Block, newBlock, type Routine, resolve, type Value } from '../ir.ts';
import type { Selection } from './selection.ts';

/** An edge from a block with two ways out to one with two ways in gets a block for the phis' copies. */
export function splitCriticalEdges(routine: Routine): Set<Block> {
  const split = new Set<Block>();
  for (const block of [...routine.blocks]) {
    const term = block.term;
    if (term?.kind !== 'branch') continue;
    for (const side of ['yes', 'no'] as const) {
      const to = term[side];
      if (to.preds.length < 2 || !to.values.some(({ op }) => op === 'phi')) continue;
      const middle = newBlock(routine);
      middle.term = { kind: 'jump', to, at: term.at };
      middle.preds = [block];
      term[side] = middle;
      to.preds[to.preds.indexOf(block)] = middle;
      split.add(middle);
    }
  }
  return split;
}

/** Copies for the phis of `to`, all at once: sources that are also targets go through fresh registers. */
export function selectCopies(ctx: Selection, from: Block, to: Block): void {
  const i = to.preds.indexOf(from);
  const moves: { phi: number; source: Value }[] = [];
  for (const value of to.values) {
    if (value.op !== 'phi') continue;
    const source = resolve(value.args[i]!);
    if (source !== value) moves.push({ phi: ctx.registerOf(value), source });
  }
  const targets = new Set(moves.map(({ phi }) => phi));
  const parallel = moves.some(({ phi, source }) => {
    const register = ctx.knownRegister(source);
    return register !== undefined && register !== phi && targets.has(register);
  });
  const values = moves.filter(({ source }) => source.op !== 'const');
  const temporaries = values.map(({ source }) => {
    if (!parallel) return ctx.use(source);
    const d = ctx.fresh();
    ctx.emit('mov', { d, a: ctx.use(source) });
    return d;
  });
  values.forEach(({ phi }, k) => {
    ctx.emit('mov', { d: phi, a: temporaries[k]! });
  });
  for (const { phi, source } of moves) if (source.op === 'const') ctx.makeConstant(phi, source.imm);
}
