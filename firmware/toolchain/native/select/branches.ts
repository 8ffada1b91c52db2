/** The tests of branches: comparisons, and single bits shifted into the flags. */
import type { Block, Value } from '../ir.ts';
import type { MachineCondition } from '../machine.ts';
import type { Selection } from './selection.ts';

/** `(x & mask) !== 0` whose mask is one bit or the lowest bits: tested by shifting x into the flags. */
export function isFoldedTest(ctx: Selection, value: Value, block: Block): boolean {
  const term = block.term;
  if (term?.kind !== 'branch' || term.a !== value || value.op !== 'and') return false;
  if (ctx.useCounts.get(value) !== 1 || term.b.op !== 'const' || term.b.imm !== 0) return false;
  return term.cond === 'eq' || term.cond === 'ne';
}

export function selectTest(ctx: Selection, term: Block['term'] & { kind: 'branch' }, block: Block): MachineCondition {
  const { a, b, cond } = term;
  if (isFoldedTest(ctx, a, block)) {
    const [x, mask] = a.args as [Value, Value];
    const m = mask.op === 'const' ? mask.imm >>> 0 : 0;
    if (m !== 0 && (m & (m - 1)) === 0) {
      const bit = 31 - Math.clz32(m);
      if (bit === 31) {
        ctx.emit('cmpi', { a: ctx.use(x), imm: 0 });
      } else ctx.emit('lsli', { d: ctx.fresh(), a: ctx.use(x), imm: 31 - bit });
      return cond === 'eq' ? 'pl' : 'mi';
    }
    if (m !== 0 && (m & (m + 1)) === 0 && m !== 0xffffffff) {
      ctx.emit('lsli', { d: ctx.fresh(), a: ctx.use(x), imm: Math.clz32(m) });
      return cond;
    }
    ctx.emit('tst', { a: ctx.use(x), b: ctx.use(mask) });
    return cond;
  }
  if (b.op === 'const' && b.imm >= 0 && b.imm < 256) {
    ctx.emit('cmpi', { a: ctx.use(a), imm: b.imm });
    if (b.imm === 0 && cond === 'lt') return 'mi';
    if (b.imm === 0 && cond === 'ge') return 'pl';
    return cond;
  }
  ctx.emit('cmp', { a: ctx.use(a), b: ctx.use(b) });
  return cond;
}
