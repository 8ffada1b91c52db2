/**
 * Stage 4, select: each value becomes Thumb instructions on virtual registers. Constants are made where they are used,
 * pointers used without an offset become register offsets, tests of single bits become shifts into the flags, and phis
 * become copies at the ends of their predecessors.
 */
import { type Block, type Routine, reversePostorder } from '../ir.ts';
import { type MachineRoutine, resultRegister } from '../machine.ts';
import { rematerialise } from '../rematerialise.ts';
import { isFoldedTest, selectTest } from './branches.ts';
import { selectCopies, splitCriticalEdges } from './edges.ts';
import { Selection, type SelectOptions } from './selection.ts';
import { blockFrequencies, countUses } from './uses.ts';
import { passArguments, selectValue } from './values.ts';

/** A copy on a split edge costs a jump too, unless it is coalesced. */
const SPLIT_WEIGHT = 2;

export function select(routine: Routine, options: SelectOptions): MachineRoutine {
  rematerialise(routine, options.remakePointers);
  const split = splitCriticalEdges(routine);
  const order = reversePostorder(routine);
  routine.blocks = order;
  const ctx = new Selection(routine, options, countUses(order));
  const frequencies = blockFrequencies(order);
  for (const block of order) {
    ctx.blocks.set(block, {
      id: block.id,
      insts: [],
      term: { kind: 'return', hasValue: false, keepsBase: false, at: 0 },
      frequency: frequencies.get(block)!,
      copyWeight: frequencies.get(block)! * (split.has(block) ? SPLIT_WEIGHT : 1),
      loopBound: block.loopBound,
    });
  }
  for (const block of order) selectBlock(ctx, block);
  ctx.machine.blocks = order.map((block) => ctx.blocks.get(block)!);
  return ctx.machine;
}

function selectBlock(ctx: Selection, block: Block): void {
  ctx.beginBlock();
  const machine = ctx.blocks.get(block)!;
  for (const value of block.values) {
    ctx.at = value.at;
    if (value.op === 'phi') ctx.registerOf(value);
    else if (!ctx.folded.has(value) && !isFoldedTest(ctx, value, block)) selectValue(ctx, value);
  }
  const term = block.term!;
  ctx.at = term.at;
  if (term.kind === 'jump') {
    selectCopies(ctx, block, term.to);
    machine.term = { kind: 'jump', to: ctx.blocks.get(term.to)!, at: term.at };
  } else if (term.kind === 'branch') {
    const cond = selectTest(ctx, term, block);
    const then = ctx.blocks.get(term.yes)!;
    machine.term = { kind: 'branch', cond, yes: then, no: ctx.blocks.get(term.no)!, at: term.at };
  } else if (term.kind === 'return') {
    if (term.value) {
      const d = resultRegister(ctx.keepsBase);
      if (term.value.op === 'const') ctx.makeConstant(d, term.value.imm);
      else ctx.emit('mov', { d, a: ctx.use(term.value) });
    }
    if (ctx.keepsBase) ctx.emit('mov', { d: 0, a: ctx.base() });
    machine.term = { kind: 'return', hasValue: term.value !== null, keepsBase: ctx.keepsBase, at: term.at };
  } else {
    passArguments(ctx, term.args);
    machine.term = { kind: 'tail', callee: term.callee, registers: term.args.length, at: term.at };
  }
  machine.insts = ctx.out;
}
