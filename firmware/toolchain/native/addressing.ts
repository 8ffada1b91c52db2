/**
 * Stage 3b, addressing: gives every load and store an offset that the instruction can hold (0 to 31 elements).
 *
 * Accesses off one pointer that lie within reach of each other share an anchor, the lowest address any of them touches:
 *   [p - 4] [p] [p + 4]    =>  q = p - 4:   [q] [q + 4] [q + 8]
 *   [p + 136] [p + 142]    =>  q = p + 136: [q] [q + 6]
 * First, what a scaled index adds moves into the offset, so that neighbours in a table are accesses off one pointer:
 *   p = base + ((x - 1) << 3): [p + 136]  =>  q = base + (x << 3): [q + 128]
 * Where the offset in the arena is a value anyway, it is the register offset of the access:
 *   s = x + 44; p = base + x: [p + 44]  =>  [base, s]
 */
import { type Block, newValue, type Routine, resolve, type Value } from './ir.ts';

const MOST_ELEMENTS = 31;

const isAccess = ({ op }: Value): boolean => op === 'load' || op === 'store';
const baseOf = (routine: Routine): Value | undefined => routine.blocks[0]!.values.find(({ op }) => op === 'base');

/** The pointers' scaled indices lose their constants. Equal pointers are still to be made one (optimise). */
export function normalisePointers(routine: Routine): void {
  const base = baseOf(routine);
  if (!base) return;
  const normalised = new Map<Value, { pointer: Value; offset: number } | null>();
  for (const block of routine.blocks) {
    for (const access of [...block.values]) {
      if (!isAccess(access)) continue;
      const pointer = resolve(access.args[0]!);
      let found = normalised.get(pointer);
      if (found === undefined) {
        found = withoutScaledConstant(routine, base, pointer);
        normalised.set(pointer, found);
      }
      if (!found) continue;
      access.args[0] = found.pointer;
      access.imm += found.offset;
    }
  }
}

/** base + ((x + c) << k) as base + (x << k), and c << k; null for other pointers. */
function withoutScaledConstant(
  routine: Routine,
  base: Value,
  pointer: Value,
): { pointer: Value; offset: number } | null {
  if (pointer.op !== 'add') return null;
  const [a, b] = pointer.args.map(resolve) as [Value, Value];
  const term = a === base ? b : b === base ? a : null;
  if (term?.op !== 'shl') return null;
  const [sum, count] = term.args.map(resolve) as [Value, Value];
  if (sum.op !== 'add' || count.op !== 'const') return null;
  const [x, constant] = sum.args.map(resolve) as [Value, Value];
  if (constant.op !== 'const') return null;
  const { block, at } = pointer;
  const scaled = newValue(routine, block, 'shl', [x, count], 0, at);
  const shorter = newValue(routine, block, 'add', [base, scaled], 0, at);
  block.values.splice(block.values.indexOf(pointer) + 1, 0, scaled, shorter);
  return { pointer: shorter, offset: constant.imm << count.imm };
}

export function foldAddresses(routine: Routine): void {
  const base = baseOf(routine);
  if (!base) return;
  const accesses = new Map<Value, Value[]>();
  for (const block of routine.blocks) {
    for (const value of block.values) {
      if (!isAccess(value)) continue;
      const pointer = resolve(value.args[0]!);
      const users = accesses.get(pointer);
      if (users) users.push(value);
      else accesses.set(pointer, [value]);
    }
  }
  for (const [pointer, all] of accesses) {
    const users = all.filter((user) => !useOffset(routine, base, pointer, user));
    if (users.length === 0) continue;
    const near = (user: Value, anchor: number): boolean => {
      const distance = user.imm - anchor;
      return distance >= 0 && distance <= MOST_ELEMENTS * user.width && distance % user.width === 0;
    };
    let far = users;
    // Offsets from 0 on need no anchor where the lowest is not negative.
    if (Math.min(...users.map(({ imm }) => imm)) >= 0) far = users.filter((user) => !near(user, 0));
    while (far.length > 0) {
      const lowest = Math.min(...far.map(({ imm }) => imm));
      const group = far.filter((user) => near(user, lowest));
      far = far.filter((user) => !group.includes(user));
      if (pointer !== base && (group.length > 1 || lowest < 0)) rebase(routine, base, pointer, group, lowest);
      else for (const user of group) rebaseOne(routine, base, user);
    }
  }
}

/** Takes the access's offset in the arena from the value that is this offset, where there is one; false where there is none. */
function useOffset(routine: Routine, base: Value, pointer: Value, user: Value): boolean {
  if (pointer.op !== 'add' || user.imm === 0) return false;
  const [a, b] = pointer.args.map(resolve);
  const term = a === base ? b : b === base ? a : null;
  if (!term) return false;
  const isOffset = (value: Value): boolean => {
    if (value.op !== 'add') return false;
    const [x, y] = value.args.map(resolve) as [Value, Value];
    return (
      (x === term && y.op === 'const' && y.imm === user.imm) || (y === term && x.op === 'const' && x.imm === user.imm)
    );
  };
  // The pointer's block comes before all of its users' blocks.
  const own = user.block.values.slice(0, user.block.values.indexOf(user));
  const offset = own.find(isOffset) ?? (user.block === pointer.block ? undefined : pointer.block.values.find(isOffset));
  if (!offset) return false;
  const block = offset.block;
  const after = block.values.indexOf(offset) + 1;
  let place = block.values[after];
  if (place?.op !== 'add' || place.args[0] !== base || place.args[1] !== offset) {
    place = newValue(routine, block, 'add', [base, offset], 0, offset.at);
    block.values.splice(after, 0, place);
  }
  user.args[0] = place;
  user.imm = 0;
  return true;
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
