/**
 * Before allocation: a block that only makes constants for phis on the way from a branch to a join is emptied into the
 * block with the branch, so that the way costs no jump.
 *
 *   cmp x, #0; beq S ...   S: d = 0; b join     =>   d = 0; cmp x, #0; beq join
 *
 * Allowed where the other way out of the branch does not read `d`.
 */
import { backwards, liveOut } from './liveness.ts';
import { FIRST_VIRTUAL, type MachineBlock, type MachineRoutine, uses, writes } from './machine.ts';

export function hoistConstants(routine: MachineRoutine): void {
  const out = liveOut(routine);
  const liveIn = (block: MachineBlock): Set<number> => {
    const live = new Set(out.get(block)!);
    backwards(block, out.get(block)!, (k, after) => {
      if (k > 0) return;
      live.clear();
      for (const register of after) live.add(register);
      for (const register of writes(block.insts[0]!)) live.delete(register);
      for (const register of uses(block.insts[0]!)) live.add(register);
    });
    return live;
  };
  for (const block of routine.blocks) {
    const term = block.term;
    if (term.kind !== 'branch') continue;
    for (const [way, other] of [
      [term.yes, term.no],
      [term.no, term.yes],
    ] as const) {
      const constants = way.insts.filter(({ op }) => op === 'movi');
      // Copies beside them are expected to be coalesced away.
      const only = way.insts.every(({ op }) => op === 'movi' || op === 'mov');
      if (way.term.kind !== 'jump' || !only || constants.length === 0) continue;
      const preds = routine.blocks.filter(({ term: t }) =>
        t.kind === 'jump' ? t.to === way : t.kind === 'branch' && (t.yes === way || t.no === way),
      );
      const live = liveIn(other);
      if (preds.length !== 1 || other === way) continue;
      const at = beforeFlags(block);
      const rest = [...block.insts.slice(at), ...way.insts.filter(({ op }) => op === 'mov')];
      const free = constants.every(
        ({ d }) =>
          d >= FIRST_VIRTUAL && !live.has(d) && !rest.some((i) => uses(i).includes(d) || writes(i).includes(d)),
      );
      if (!free) continue;
      block.insts.splice(at, 0, ...constants);
      way.insts = way.insts.filter(({ op }) => op === 'mov');
      // What is live changed around here: once a block is enough.
      break;
    }
  }
}

/** Index of the first of the instructions that make the flags: the comparison, and what it compares with 0. */
function beforeFlags(block: MachineBlock): number {
  const last = block.insts.length - 1;
  const compare = block.insts[last];
  const made = block.insts[last - 1];
  if (compare?.op === 'cmpi' && compare.imm === 0 && made?.d === compare.a) return last - 1;
  return Math.max(last, 0);
}
