/**
 * Stage 3b, addressing: gives every load and store an offset that the instruction can hold (0 to 31 elements).
 *
 * Accesses off one pointer share an anchor, the lowest address any of them touches:
 *   [p - 4] [p] [p + 4]  =>  q = p - 4: [q] [q + 4] [q + 8]
 */
import { type Block, newValue, type Routine, resolve, type Value } from './ir.ts';

const MOST_ELEMENTS = 31;

export function foldAddresses(routine: Routine): void {
  const base = routine.blocks[0]!.values.find(({ op }) => op === 'base');
  if (!base) return;
  const accesses = new Map<Value, Value[]>();
  for (const block of routine.blocks) {
    for (const value of block.values) {
      if (value.op !== 'load' && value.op !== 'store') continue;
      const pointer = resolve(value.args[0]!);
      const users = accesses.get(pointer);
      if (users) users.push(value);
      else accesses.set(pointer, [value]);
    }
  }
  for (const [pointer, users] of accesses) {
    if (pointer !== base) {
      const lowest = Math.min(...users.map(({ imm }) => imm));
      if (lowest < 0) rebase(routine, base, pointer, users, lowest);
    }
    for (const user of users) {
      if (user.imm < 0 || user.imm > MOST_ELEMENTS * user.width || user.imm % user.width !== 0) {
        rebaseOne(routine, base, user);
      }
    }
  }
}

/** Puts `base + (term + lowest)` right after the pointer and lets its users count from there. */
function rebase(routine: Routine, base: Value, pointer: Value, users: Value[], lowest: number): void {
  const block = pointer.block;
  const at = block.values.indexOf(pointer) + 1;
  const make = (op: Value['op'], args: Value[], imm: number): Value =>
    newValue(routine, block, op, args, imm, pointer.at);
  const constant = make('const', [], lowest);
  const [a, b] = pointer.args.map(resolve);
  const isSum = pointer.op === 'add' && (a === base || b === base);
  const term = isSum ? make('add', [a === base ? b! : a!, constant], 0) : null;
  const anchor = term ? make('add', [base, term], 0) : make('add', [pointer, constant], 0);
  block.values.splice(at, 0, constant, ...(term ? [term] : []), anchor);
  for (const user of users) {
    user.args[0] = anchor;
    user.imm -= lowest;
  }
}

/** A single access too far from its pointer gets a pointer of its own. */
function rebaseOne(routine: Routine, base: Value, user: Value): void {
  const block: Block = user.block;
  const make = (op: Value['op'], args: Value[], imm: number): Value => newValue(routine, block, op, args, imm, user.at);
  const pointer = resolve(user.args[0]!);
  const constant = make('const', [], user.imm);
  const [a, b] = pointer.args.map(resolve);
  const term = pointer.op === 'add' ? (a === base ? b! : b === base ? a! : null) : null;
  const parts = [constant];
  if (term) parts.push(make('add', [term, constant], 0));
  const anchor = make('add', pointer === base || term ? [base, parts.at(-1)!] : [pointer, constant], 0);
  block.values.splice(block.values.indexOf(user), 0, ...parts, anchor);
  user.args[0] = anchor;
  user.imm = 0;
}
