/**
 * Stage 3, optimise: rewrites a routine until nothing changes. Constants are folded, equal values are computed once,
 * loads are forwarded from earlier loads and stores, branches on known values and empty blocks go, and what nobody
 * reads is not computed.
 *
 * Value numbering walks the dominator tree with a table per path, so that a value is only replaced by one that
 * dominates it (Briggs, Cooper, Simpson: "Value numbering", 1997).
 */
import { holds } from './fold.ts';
import {
  type Block,
  dominators,
  newValue,
  type Routine,
  removeEdge,
  removeTrivialPhi,
  resolve,
  reversePostorder,
  termArgs,
  type Value,
} from './ir.ts';
import { inserter, simplify, simplifyBranch } from './simplify.ts';
import { threadBranches } from './thread.ts';

/** More rounds than any program of the tests needs; the result is correct after any number. */
const MOST_ROUNDS = 8;

export function optimise(routine: Routine): void {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = fingerprint(routine);
    cleanControlFlow(routine);
    numberValues(routine);
    forwardLoads(routine);
    foldBranches(routine);
    threadBranches(routine);
    removeDead(routine);
    if (fingerprint(routine) === before && round > 0) break;
  }
  cleanControlFlow(routine);
  removeDead(routine);
}

function fingerprint(routine: Routine): string {
  return routine.blocks.map((block) => `${block.id}:${block.values.length}:${block.preds.length}`).join();
}

/** Follows aliases everywhere, drops unreachable blocks with their phi arguments, merges straight lines of blocks. */
export function cleanControlFlow(routine: Routine): void {
  for (let changed = true; changed; ) {
    changed = false;
    const order = reversePostorder(routine);
    const reachable = new Set(order);
    for (const block of order) {
      if (block.term?.kind === 'branch' && block.term.yes === block.term.no) {
        const to: Block = block.term.yes;
        removeEdge(block, to);
        block.term = { kind: 'jump', to, at: block.term.at };
      }
      for (const pred of block.preds.filter((p) => !reachable.has(p))) removeEdge(pred, block);
    }
    routine.blocks = order;
    resolveAll(routine);
    for (const block of order) {
      for (const value of block.values) if (value.op === 'phi' && removeTrivialPhi(value) !== value) changed = true;
      block.values = block.values.filter((value) => !value.alias);
    }
    for (const block of order) {
      const term = block.term;
      if (term?.kind !== 'jump' || term.to === block || term.to === order[0]) continue;
      const next = term.to;
      if (next.preds.length === 1 && !next.values.some((value) => value.op === 'phi')) {
        // | block | -> | next | => | block next |
        for (const value of next.values) value.block = block;
        block.values.push(...next.values);
        block.term = next.term;
        for (const after of new Set(targets(next))) after.preds = after.preds.map((p) => (p === next ? block : p));
        if (next.loopBound) block.loopBound = next.loopBound;
        next.values = [];
        next.term = null;
        next.preds = [];
        changed = true;
        break;
      }
      if (
        onlyFeedsPhis(routine, block, next) &&
        block !== order[0] &&
        block.preds.length > 0 &&
        !block.loopBound &&
        skipEmpty(block, next)
      ) {
        changed = true;
        break;
      }
    }
  }
}

function targets(block: Block): Block[] {
  if (block.term?.kind === 'jump') return [block.term.to];
  if (block.term?.kind === 'branch') return [block.term.yes, block.term.no];
  return [];
}

/** Whether a block holds nothing but phis that only phis of `next` read, on the way from it. */
function onlyFeedsPhis(routine: Routine, block: Block, next: Block): boolean {
  if (!block.values.every(({ op }) => op === 'phi')) return false;
  if (block.values.length === 0) return true;
  // What a value was just replaced by counts, too.
  const isOwn = (value: Value): boolean => block.values.includes(resolve(value));
  return routine.blocks.every(
    (user) =>
      !termArgs(user.term).some(isOwn) &&
      user.values.every((value) =>
        value.args.every((arg, k) => !isOwn(arg) || (value.op === 'phi' && user === next && next.preds[k] === block)),
      ),
  );
}

/**
 * pred -> empty -> next => pred -> next, where no phi of `next` would have to tell two edges from one block apart. Phis
 * of the empty block become arguments of those of `next`.
 */
function skipEmpty(block: Block, next: Block): boolean {
  const hasPhis = next.values.some((value) => value.op === 'phi');
  if (hasPhis && block.preds.some((pred) => next.preds.includes(pred))) return false;
  if (hasPhis && new Set(block.preds).size !== block.preds.length) return false;
  const i = next.preds.indexOf(block);
  const preds = block.preds;
  next.preds.splice(i, 1, ...preds);
  for (const value of next.values) {
    if (value.op !== 'phi') continue;
    const arg = resolve(value.args[i]!);
    value.args.splice(i, 1, ...(arg.block === block && arg.op === 'phi' ? arg.args : preds.map(() => arg)));
  }
  for (const pred of preds) {
    const term = pred.term!;
    if (term.kind === 'jump') term.to = next;
    if (term.kind === 'branch') {
      if (term.yes === block) term.yes = next;
      if (term.no === block) term.no = next;
    }
  }
  block.values = [];
  block.preds = [];
  block.term = null;
  return true;
}

export function resolveAll(routine: Routine): void {
  for (const block of routine.blocks) {
    for (const value of block.values) value.args = value.args.map(resolve);
    const term = block.term;
    if (term?.kind === 'branch') {
      term.a = resolve(term.a);
      term.b = resolve(term.b);
    }
    if (term?.kind === 'return' && term.value) term.value = resolve(term.value);
    if (term?.kind === 'tail') term.args = term.args.map(resolve);
  }
}

/** Constants, the base, parameters and arithmetic: the same arguments give the same value. */
function keyOf(value: Value): string | null {
  switch (value.op) {
    case 'phi':
    case 'load':
    case 'store':
    case 'call':
      return null;
    case 'const':
      return `c${value.imm}`;
    case 'add':
    case 'mul':
    case 'and':
    case 'or':
    case 'xor':
      return `${value.op} ${value.args.map(({ id }) => id).sort((a, b) => a - b)}`;
    default:
      return `${value.op} ${value.imm} ${value.args.map(({ id }) => id)}`;
  }
}

function numberValues(routine: Routine): void {
  const order = reversePostorder(routine);
  const idom = dominators(order);
  const tables = new Map<Block, Map<string, Value>>();
  const insert = inserter(routine);
  const find = (block: Block, key: string): Value | null => {
    for (let at: Block = block; ; at = idom.get(at)!) {
      const found = tables.get(at)?.get(key);
      if (found) return found;
      if (at === idom.get(at)) return null;
    }
  };
  for (const block of order) {
    const table = new Map<string, Value>();
    tables.set(block, table);
    for (let i = 0; i < block.values.length; i++) {
      const value = block.values[i]!;
      if (value.alias) continue;
      value.args = value.args.map(resolve);
      const count = block.values.length;
      const simpler = simplify(value, insert);
      const added = block.values.length - count;
      if (simpler) value.alias = simpler;
      if (added > 0) {
        // New constants stand before `value`: number them first.
        i -= 1;
        continue;
      }
      if (simpler) continue;
      const key = keyOf(value);
      if (key === null) continue;
      const same = find(block, key);
      if (same && same !== value) value.alias = same;
      else table.set(key, value);
    }
    block.values = block.values.filter((value) => !value.alias);
  }
  resolveAll(routine);
}

/** What memory is known to hold: a pointer's word, half or byte. */
interface Fact {
  readonly pointer: Value;
  readonly offset: number;
  readonly width: number;
  readonly value: Value;
}

function forwardLoads(routine: Routine): void {
  const order = reversePostorder(routine);
  const out = new Map<Block, Fact[]>();
  for (const block of order) {
    let facts: Fact[] = [];
    if (block.preds.length > 0 && block.preds.every((pred) => out.has(pred))) {
      const [first, ...rest] = block.preds.map((pred) => out.get(pred)!);
      facts = first!.filter((fact) => rest.every((other) => other.some((f) => sameFact(f, fact))));
    }
    for (const value of block.values) {
      value.args = value.args.map(resolve);
      if (value.op === 'call') facts = [];
      else if (value.op === 'load') {
        const [pointer] = value.args;
        const known = facts.find((f) => f.pointer === pointer && f.offset === value.imm && f.width === value.width);
        if (known) value.alias = known.value;
        else facts.push({ pointer: pointer!, offset: value.imm, width: value.width, value });
      } else if (value.op === 'store') {
        const [pointer, stored] = value.args as [Value, Value];
        const fact = { pointer, offset: value.imm, width: value.width, value: stored };
        facts = facts.filter((f) => disjoint(f, fact));
        // A narrow store keeps only the low bits: what is loaded back may differ.
        if (value.width === 4) facts.push(fact);
      }
    }
    block.values = block.values.filter((value) => !value.alias);
    out.set(block, facts);
  }
  resolveAll(routine);
}

function sameFact(a: Fact, b: Fact): boolean {
  return (
    a.pointer === b.pointer && a.offset === b.offset && a.width === b.width && resolve(a.value) === resolve(b.value)
  );
}

function disjoint(a: Fact, b: Fact): boolean {
  return a.pointer === b.pointer && (a.offset + a.width <= b.offset || b.offset + b.width <= a.offset);
}

function foldBranches(routine: Routine): void {
  const needed = new Set(routine.blocks.flatMap(({ values }) => values.flatMap(({ args }) => args.map(resolve))));
  for (const block of routine.blocks) {
    const term = block.term;
    if (term?.kind !== 'branch') continue;
    simplifyBranch(term, needed, (imm) => {
      const value = newValue(routine, block, 'const', [], imm, term.at);
      block.values.push(value);
      return value;
    });
    const { a, b } = term;
    const known =
      a === b ? holds(term.cond, 0, 0) : a.op === 'const' && b.op === 'const' ? holds(term.cond, a.imm, b.imm) : null;
    if (known === null) continue;
    const [to, away] = known ? [term.yes, term.no] : [term.no, term.yes];
    if (to !== away) removeEdge(block, away);
    else removeEdge(block, to);
    block.term = { kind: 'jump', to, at: term.at };
  }
}

function removeDead(routine: Routine): void {
  const live = new Set<Value>();
  const work: Value[] = [];
  const mark = (value: Value): void => {
    if (live.has(value)) return;
    live.add(value);
    work.push(value);
  };
  const base = routine.blocks[0]!.values.find(({ op }) => op === 'base')!;
  for (const block of routine.blocks) {
    for (const value of block.values) if (value.op === 'store' || value.op === 'call') mark(value);
    // A call passes the base on.
    if (block.term?.kind === 'tail' || block.values.some(({ op }) => op === 'call')) mark(base);
    termArgs(block.term).forEach(mark);
  }
  for (let value = work.pop(); value; value = work.pop()) value.args.forEach(mark);
  for (const block of routine.blocks) block.values = block.values.filter((value) => live.has(value));
}
