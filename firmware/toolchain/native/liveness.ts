/** Which registers hold a value that is still read, at the end of every block (backward data flow to a fixed point). */
import { type MachineBlock, type MachineRoutine, machineSuccessors, termUses, uses, writes } from './machine.ts';

export function liveOut(routine: MachineRoutine): Map<MachineBlock, Set<number>> {
  const liveIn = new Map<MachineBlock, Set<number>>();
  const out = new Map<MachineBlock, Set<number>>();
  for (const block of routine.blocks) {
    liveIn.set(block, new Set());
    out.set(block, new Set());
  }
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = routine.blocks.length - 1; i >= 0; i--) {
      const block = routine.blocks[i]!;
      const live = out.get(block)!;
      for (const next of machineSuccessors(block)) for (const register of liveIn.get(next)!) live.add(register);
      const now = new Set(live);
      for (const register of termUses(block.term)) now.add(register);
      for (let k = block.insts.length - 1; k >= 0; k--) {
        const inst = block.insts[k]!;
        for (const register of writes(inst)) now.delete(register);
        for (const register of uses(inst)) now.add(register);
      }
      const before = liveIn.get(block)!;
      if (now.size !== before.size) {
        liveIn.set(block, now);
        changed = true;
      }
    }
  }
  return out;
}

/** Calls `visit` for each instruction from the block's end, with the registers that are live after it. */
export function backwards(
  block: MachineBlock,
  out: ReadonlySet<number>,
  visit: (index: number, liveAfter: Set<number>) => void,
): void {
  const live = new Set(out);
  for (const register of termUses(block.term)) live.add(register);
  for (let k = block.insts.length - 1; k >= 0; k--) {
    const inst = block.insts[k]!;
    visit(k, live);
    for (const register of writes(inst)) live.delete(register);
    for (const register of uses(inst)) live.add(register);
  }
}
