/** What selection knows before it begins: how values are used, and how often blocks run. */
import { type Block, dominators, resolve, termArgs, type Value } from '../ir.ts';

/** A loop is guessed to run this often, a way that only returns a constant this seldom. */
const LOOP_WEIGHT = 8;
const COLD_WEIGHT = 0.1;

/** How often each value is read, and which sums are only the addresses of loads and stores without an offset. */
export function countUses(order: readonly Block[]): { useCounts: Map<Value, number>; folded: Set<Value> } {
  const useCounts = new Map<Value, number>();
  const folded = new Set<Value>();
  const pointers = new Map<Value, boolean>();
  const count = (value: Value): void => {
    useCounts.set(value, (useCounts.get(value) ?? 0) + 1);
  };
  for (const block of order) {
    for (const value of block.values) {
      value.args = value.args.map(resolve);
      value.args.forEach(count);
      value.args.forEach((arg, i) => {
        const direct = i === 0 && (value.op === 'load' || value.op === 'store') && value.imm === 0;
        const sum = arg.op === 'add' && arg.args[1]!.op !== 'const';
        pointers.set(arg, (pointers.get(arg) ?? true) && direct && sum);
      });
    }
    for (const arg of termArgs(block.term)) {
      count(arg);
      pointers.set(arg, false);
    }
  }
  for (const [value, foldable] of pointers) if (foldable && value.op === 'add') folded.add(value);
  return { useCounts, folded };
}

/** How often each block runs, guessed: loops weigh more, ways that only return a constant less. */
export function blockFrequencies(order: readonly Block[]): Map<Block, number> {
  const idom = dominators(order);
  const dominates = (a: Block, b: Block): boolean => {
    for (let at = b; ; at = idom.get(at)!) {
      if (at === a) return true;
      if (at === idom.get(at)) return false;
    }
  };
  const depth = new Map<Block, number>();
  for (const tail of order) {
    for (const head of [tail.term].flatMap((t) =>
      t?.kind === 'jump' ? [t.to] : t?.kind === 'branch' ? [t.yes, t.no] : [],
    )) {
      if (!dominates(head, tail)) continue;
      const body = new Set([head]);
      const work = [tail];
      for (let block = work.pop(); block; block = work.pop()) {
        if (body.has(block)) continue;
        body.add(block);
        work.push(...block.preds);
      }
      for (const block of body) depth.set(block, (depth.get(block) ?? 0) + 1);
    }
  }
  const frequencies = new Map<Block, number>();
  for (const block of order) {
    const cold =
      block.term?.kind === 'return' &&
      block.term.value?.op === 'const' &&
      block.values.every(({ op }) => op === 'const');
    frequencies.set(block, LOOP_WEIGHT ** (depth.get(block) ?? 0) * (cold ? COLD_WEIGHT : 1));
  }
  return frequencies;
}
