/**
 * Before selection: a value that one instruction makes from another one, `x + 4`, is made again in each block that
 * reads it instead of being kept in a register from its first use on. Pointers, `base + x`, are treated so where the
 * registers do not suffice otherwise.
 */
import { type Block, newValue, type Routine, resolve, type Value } from './ir.ts';

/** The immediate of a three-operand addition. */
const MOST_IMMEDIATE = 7;

export function rematerialise(routine: Routine, pointers: boolean): void {
  // What a phi takes is in a register at the end of its block anyway.
  const feedsPhi = new Set(
    routine.blocks.flatMap(({ values }) =>
      values.filter(({ op }) => op === 'phi').flatMap(({ args }) => args.map(resolve)),
    ),
  );
  const isCheap = (value: Value): boolean => {
    if (value.op !== 'add' || feedsPhi.has(value)) return false;
    const [a, b] = value.args.map(resolve) as [Value, Value];
    if (b.op === 'const') return Math.abs(b.imm) <= MOST_IMMEDIATE;
    return pointers && (a.op === 'base' || b.op === 'base');
  };
  for (const block of routine.blocks) {
    const copies = new Map<Value, Value>();
    const copyOf = (value: Value, before: number): { value: Value; added: boolean } => {
      if (!isCheap(value) || value.block === block) return { value, added: false };
      const known = copies.get(value);
      if (known) return { value: known, added: false };
      const copy = newValue(routine, block, 'add', [...value.args], 0, value.at);
      block.values.splice(before, 0, copy);
      copies.set(value, copy);
      return { value: copy, added: true };
    };
    for (let k = 0; k < block.values.length; k++) {
      const value = block.values[k]!;
      if (value.op === 'phi') continue;
      for (let i = 0; i < value.args.length; i++) {
        const { value: copy, added } = copyOf(resolve(value.args[i]!), k);
        value.args[i] = copy;
        if (added) k++;
      }
    }
    replaceInTerminator(block, (value) => copyOf(resolve(value), block.values.length).value);
  }
}

function replaceInTerminator(block: Block, replace: (value: Value) => Value): void {
  const term = block.term;
  if (term?.kind === 'branch') {
    term.a = replace(term.a);
    term.b = replace(term.b);
  } else if (term?.kind === 'return' && term.value) term.value = replace(term.value);
  else if (term?.kind === 'tail') term.args = term.args.map(replace);
}
