/**
 * The intermediate representation: a control-flow graph of basic blocks over values in static single assignment form.
 *
 * Every value is a 32-bit integer. Arithmetic wraps. Comparisons are not values: they sit in a block's terminator.
 * Addresses are absolute here: the arena's base is the first parameter of every routine (value op 'base').
 *
 * Invariants: a value's arguments dominate it (a phi's argument i dominates the end of predecessor i); phis come
 * first in their block; a block's `preds` and the phis' arguments are in the same order.
 */
export type Op =
  | 'const' // imm
  | 'base' // address of the arena
  | 'param' // imm: index
  | 'phi'
  | 'add'
  | 'sub'
  | 'mul'
  | 'and'
  | 'or'
  | 'xor'
  | 'shl'
  | 'sar' // >>, arithmetic
  | 'shr' // >>>, logical
  | 'neg'
  | 'not'
  | 'highest' // index of the highest set bit (only with a CLZ instruction)
  | 'lowest' // index of the lowest set bit
  | 'load' // args [address], imm: byte offset, width
  | 'store' // args [address, value], imm: byte offset, width
  | 'call'; // args: parameters without the base; callee

export type Width = 1 | 2 | 4;

export type Condition = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge' | 'lo' | 'ls' | 'hi' | 'hs';

export const negated: Record<Condition, Condition> = {
  eq: 'ne',
  ne: 'eq',
  lt: 'ge',
  ge: 'lt',
  gt: 'le',
  le: 'gt',
  lo: 'hs',
  hs: 'lo',
  hi: 'ls',
  ls: 'hi',
};

/** The condition that holds for (b, a) when this one holds for (a, b). */
export const swapped: Record<Condition, Condition> = {
  eq: 'eq',
  ne: 'ne',
  lt: 'gt',
  gt: 'lt',
  le: 'ge',
  ge: 'le',
  lo: 'hi',
  hi: 'lo',
  ls: 'hs',
  hs: 'ls',
};

export interface Value {
  readonly id: number;
  op: Op;
  args: Value[];
  imm: number;
  width: Width;
  callee: string;
  block: Block;
  /** Position in the parsed text. */
  at: number;
  /** Set when the value was replaced by another. */
  alias: Value | null;
}

export type Terminator =
  | { kind: 'jump'; to: Block; at: number }
  | { kind: 'branch'; cond: Condition; a: Value; b: Value; yes: Block; no: Block; at: number }
  | { kind: 'return'; value: Value | null; at: number }
  | { kind: 'tail'; callee: string; args: Value[]; at: number };

export interface Block {
  readonly id: number;
  values: Value[];
  preds: Block[];
  term: Terminator | null;
  /** Most iterations of the loop that this block heads, from an annotation; null where there is none. */
  loopBound: LoopBound | null;
}

/** `at most count` from `// loop: at most N`, N a number or the name of a worst-case parameter. */
export interface LoopBound {
  readonly count: number | string;
  readonly at: number;
}

export interface Routine {
  readonly name: string;
  readonly parameterCount: number;
  readonly at: number;
  /** blocks[0] is the entry. */
  blocks: Block[];
  nextValueId: number;
  nextBlockId: number;
}

export function resolve(value: Value): Value {
  let v = value;
  while (v.alias) v = v.alias;
  return v;
}

export function successors(block: Block): Block[] {
  const term = block.term;
  if (term?.kind === 'jump') return [term.to];
  if (term?.kind === 'branch') return term.yes === term.no ? [term.yes] : [term.yes, term.no];
  return [];
}

/** The values a terminator reads. */
export function termArgs(term: Terminator | null): Value[] {
  if (term?.kind === 'branch') return [term.a, term.b];
  if (term?.kind === 'return') return term.value ? [term.value] : [];
  if (term?.kind === 'tail') return term.args;
  return [];
}

export function newBlock(routine: Routine): Block {
  const block: Block = { id: routine.nextBlockId++, values: [], preds: [], term: null, loopBound: null };
  routine.blocks.push(block);
  return block;
}

export function newValue(routine: Routine, block: Block, op: Op, args: Value[], imm: number, at: number): Value {
  return { id: routine.nextValueId++, op, args, imm, width: 4, callee: '', block, at, alias: null };
}

/** Blocks from the entry in reverse postorder; unreachable ones are left out. */
export function reversePostorder(routine: Routine): Block[] {
  const order: Block[] = [];
  const seen = new Set<Block>();
  const visit = (block: Block): void => {
    if (seen.has(block)) return;
    seen.add(block);
    for (const next of successors(block).reverse()) visit(next);
    order.push(block);
  };
  visit(routine.blocks[0]!);
  return order.reverse();
}

/** Immediate dominators (Cooper, Harvey, Kennedy: "A simple, fast dominance algorithm", 2001). */
export function dominators(order: readonly Block[]): Map<Block, Block> {
  const index = new Map(order.map((block, i) => [block, i]));
  const idom = new Map<Block, Block>();
  idom.set(order[0]!, order[0]!);
  for (let changed = true; changed; ) {
    changed = false;
    for (const block of order.slice(1)) {
      let best: Block | null = null;
      for (const pred of block.preds) {
        if (!idom.has(pred)) continue;
        if (!best) {
          best = pred;
          continue;
        }
        let a: Block = pred;
        let b: Block = best;
        while (a !== b) {
          while (index.get(a)! > index.get(b)!) a = idom.get(a)!;
          while (index.get(b)! > index.get(a)!) b = idom.get(b)!;
        }
        best = a;
      }
      if (best && idom.get(block) !== best) {
        idom.set(block, best);
        changed = true;
      }
    }
  }
  return idom;
}

/** A phi whose arguments are all one value, or itself, is that value. Returns what it is. */
export function removeTrivialPhi(phi: Value): Value {
  let same: Value | null = null;
  for (const arg of phi.args) {
    const value = resolve(arg);
    if (value === same || value === phi) continue;
    if (same) return phi;
    same = value;
  }
  if (same) phi.alias = same;
  return same ?? phi;
}

/** Takes an edge from a block's predecessors, and its arguments from the phis. */
export function removeEdge(from: Block, to: Block): void {
  const i = to.preds.indexOf(from);
  to.preds.splice(i, 1);
  for (const value of to.values) if (value.op === 'phi') value.args.splice(i, 1);
}
