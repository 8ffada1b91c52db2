/**
 * Stage 3, in each round of optimise: a way into a test that is already decided on it goes straight to where the test
 * leads (Mueller, Whalley: "Avoiding conditional branches by code replication", 1995, without the replication).
 *
 *   A: ...       -> T: x = phi(A: 0, B: y)      =>   A -> no,   B -> T: y != 0 ? yes : no
 *   B: y = ...   -> T: x != 0 ? yes : no
 *
 * Where all ways decide it alike, it is no test any more. T holds nothing but its phis, and is no loop's head. What else reads them must come after T on the other
 * way out, which T still dominates then.
 */
import { holds } from './fold.ts';
import {
  type Block,
  dominators,
  type Routine,
  removeEdge,
  resolve,
  reversePostorder,
  termArgs,
  type Value,
} from './ir.ts';

export function threadBranches(routine: Routine): void {
  // Each change takes an edge from a test, so this ends.
  for (let changed = true; changed; ) {
    constantsFirst(routine);
    const order = reversePostorder(routine);
    const idom = dominators(order);
    changed = order.some((block) => threadOne(block, order, idom));
  }
}

/** Constants depend on nothing: in the entry they are there on every way. */
function constantsFirst(routine: Routine): void {
  const [entry, ...others] = routine.blocks;
  for (const block of others) {
    const constants = block.values.filter(({ op }) => op === 'const');
    if (constants.length === 0) continue;
    for (const constant of constants) constant.block = entry!;
    entry!.values.unshift(...constants);
    block.values = block.values.filter(({ op }) => op !== 'const');
  }
}

type Dominators = ReadonlyMap<Block, Block>;

function dominates(idom: Dominators, a: Block, b: Block): boolean {
  for (let at = b; at !== a; at = idom.get(at)!) if (at === idom.get(at)) return false;
  return true;
}

/** Redirects one edge into `block`. */
function threadOne(block: Block, order: readonly Block[], idom: Dominators): boolean {
  const term = block.term;
  if (term?.kind !== 'branch' || block.loopBound || term.yes === term.no) return false;
  if (!block.values.every(({ op }) => op === 'phi')) return false;
  if (block.preds.some((pred) => dominates(idom, block, pred))) return false;
  const tested = resolve(term.a);
  const limit = resolve(term.b);
  if (tested.op !== 'phi' || tested.block !== block || limit.op !== 'const') return false;
  const outcomes = tested.args.map(resolve).map((arg) => arg.op === 'const' && holds(term.cond, arg.imm, limit.imm));
  if (tested.args.every((arg) => resolve(arg).op === 'const') && new Set(outcomes).size === 1) {
    const [to, away] = outcomes[0] ? [term.yes, term.no] : [term.no, term.yes];
    removeEdge(block, away);
    block.term = { kind: 'jump', to, at: term.at };
    return true;
  }
  for (const [i, pred] of block.preds.entries()) {
    const arg = resolve(tested.args[i]!);
    if (arg.op !== 'const' || block.preds.indexOf(pred) !== block.preds.lastIndexOf(pred)) continue;
    const [to, other] = holds(term.cond, arg.imm, limit.imm) ? [term.yes, term.no] : [term.no, term.yes];
    if (to === block || to.preds.includes(pred) || readAround(block, to, other, order, idom)) continue;
    redirect(block, i, to);
    return true;
  }
  return false;
}

/** Whether what `block` holds is read where another way than over `block` would lead, once `to` is reached around it. */
function readAround(block: Block, to: Block, other: Block, order: readonly Block[], idom: Dominators): boolean {
  const isOwn = (value: Value): boolean => resolve(value).block === block;
  const isBehind = (user: Block): boolean => other.preds.length === 1 && dominates(idom, other, user);
  for (const user of order) {
    if (user === block) continue;
    for (const value of user.values) {
      const wrong = value.args.some((arg, k) => {
        if (!isOwn(arg)) return false;
        if (value.op !== 'phi') return !isBehind(user);
        const from = user.preds[k]!;
        return from !== block && !isBehind(from);
      });
      if (wrong) return true;
    }
    if (termArgs(user.term).some(isOwn) && !isBehind(user)) return true;
  }
  // Two ways from `block` into one block cannot be told apart by its phis.
  return to === other;
}

function redirect(block: Block, edge: number, to: Block): void {
  const pred = block.preds[edge]!;
  const comingFrom = to.preds.indexOf(block);
  const onThisWay = (value: Value): Value => {
    const known = resolve(value);
    return known.block === block ? resolve(known.args[edge]!) : known;
  };
  for (const phi of to.values) if (phi.op === 'phi') phi.args.push(onThisWay(phi.args[comingFrom]!));
  to.preds.push(pred);
  removeEdge(pred, block);
  const term = pred.term!;
  if (term.kind === 'jump') term.to = to;
  if (term.kind === 'branch') {
    if (term.yes === block) term.yes = to;
    else term.no = to;
  }
}
