/**
 * Stage 3c: blocks that only return, and return the same, become one.
 *
 *   a < 0 ? R1 : ...    R1: return 0         a < 0 ? R1 : ...    R1: return 0
 *   b < 0 ? R2 : ...    R2: return 0    =>   b < 0 ? R1 : ...
 *
 * A branch to it costs the same; where the way falls through into it, linearise copies it again while it is short.
 */
import { type Block, type Routine, resolve } from './ir.ts';
import { cleanControlFlow } from './optimise.ts';

export function mergeReturns(routine: Routine): void {
  const kept = new Map<string, Block>();
  for (const block of routine.blocks) {
    const what = returned(block);
    if (what === null || block === routine.blocks[0]) continue;
    const same = kept.get(what);
    if (same) moveEdges(block, same);
    else kept.set(what, block);
  }
  cleanControlFlow(routine);
}

/** What a block returns that does nothing else; null for other blocks. */
function returned({ term, values }: Block): string | null {
  if (term?.kind !== 'return' || !values.every(({ op }) => op === 'const')) return null;
  if (!term.value) return 'nothing';
  const value = resolve(term.value);
  return value.op === 'const' ? `constant ${value.imm}` : `value ${value.id}`;
}

function moveEdges(from: Block, to: Block): void {
  for (const pred of from.preds) {
    const term = pred.term;
    if (term?.kind === 'jump') term.to = to;
    if (term?.kind === 'branch') {
      if (term.yes === from) term.yes = to;
      if (term.no === from) term.no = to;
    }
    to.preds.push(pred);
  }
  from.preds = [];
}
