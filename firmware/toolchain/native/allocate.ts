/**
 * Stage 5, allocate: virtual registers become r0 to r7, by colouring the graph of those that are live together
 * (interference.ts). What gets no colour is given a home, r12, lr or a stack slot (spill.ts), and the rest is coloured
 * again.
 *
 *   round 1:  v16 v17 v18 ...  ->  colours, but none for v17
 *             v17 lives in r12: copies to and from short-lived registers around its uses
 *   round 2:  v16 v18 v40 ...  ->  colours for all: written into the instructions
 */
import { Graph } from './interference.ts';
import { backwards, liveOut } from './liveness.ts';
import { FIRST_VIRTUAL, type MachineInst, type MachineRoutine, writes } from './machine.ts';
import { chooseHome, type Home, spill } from './spill.ts';

const MOST_ROUNDS = 40;
export function allocate(routine: MachineRoutine): void {
  const pinned = new Set<number>();
  const homes: Home[] = [];
  for (let round = 0; round < MOST_ROUNDS; round++) {
    removeDeadInsts(routine);
    // Every copy that can go goes, where that leaves enough registers; else those that certainly do no harm.
    let graph = new Graph(routine);
    graph.coalesce(routine.base, true);
    let { colours, spilled } = graph.colour(pinned);
    if (spilled.length > 0) {
      graph = new Graph(routine);
      graph.coalesce(routine.base, false);
      ({ colours, spilled } = graph.colour(pinned));
    }
    if (spilled.length === 0) {
      rewrite(routine, (register) => colours.get(graph.find(register))!);
      return;
    }
    for (const register of spilled) {
      const members = graph.members(register);
      const home = chooseHome(routine, graph, register, homes);
      homes.push(home);
      spill(routine, new Set(members), home, pinned);
    }
  }
  throw new Error(`register allocation of ${routine.name} does not end`);
}

/** Pure instructions whose result nobody reads: left-overs of selection. */
function removeDeadInsts(routine: MachineRoutine): void {
  for (let changed = true; changed; ) {
    changed = false;
    const out = liveOut(routine);
    for (const block of routine.blocks) {
      const dead = new Set<MachineInst>();
      backwards(block, out.get(block)!, (k, live) => {
        const i = block.insts[k]!;
        // The last shift of a block may only set the flags its branch tests.
        const setsFlags = k === block.insts.length - 1 && block.term.kind === 'branch';
        const pure = i.op !== 'bl' && i.d >= FIRST_VIRTUAL;
        if (pure && !live.has(i.d) && !setsFlags) dead.add(i);
      });
      if (dead.size > 0) {
        block.insts = block.insts.filter((i) => !dead.has(i));
        changed = true;
      }
    }
  }
}

function rewrite(routine: MachineRoutine, physical: (register: number) => number): void {
  const map = (register: number): number => (register >= FIRST_VIRTUAL ? physical(register) : register);
  for (const block of routine.blocks) {
    for (const i of block.insts) {
      i.d = map(i.d);
      i.a = map(i.a);
      i.b = map(i.b);
      i.c = map(i.c);
    }
    block.insts = block.insts.filter((i) => !(i.op === 'mov' && i.d === i.a));
    for (const i of block.insts)
      for (const register of writes(i)) if (i.op !== 'bl') routine.usedRegisters.add(register);
  }
}
