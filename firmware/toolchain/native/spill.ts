/**
 * Homes for registers that got no colour: r12 or lr, which only moves, additions and comparisons reach, or a slot of the
 * stack frame. Where an instruction needs the value in r0 to r7, it is copied there for as short as possible.
 *
 *   home r12:     adds r1, r2, v17   =>  mov r1, r2;        add r1, r12
 *   home r12:     lsls r1, v17, #3   =>  mov v40, r12;      lsls r1, v40, #3
 *   home [sp, 8]: lsls r1, v17, #3   =>  ldr v40, [sp, #8]; lsls r1, v40, #3
 */
import type { Graph } from './interference.ts';
import { inst, LR, type MachineInst, type MachineRoutine, R12, uses } from './machine.ts';

/** How many instructions on a spilled value is still taken from the register it was just in. */
const KEEP_SPILLED = 3;

/** Where a register that got no colour lives. */
export type Home = { kind: 'register'; register: number } | { kind: 'slot'; offset: number };

/** r12, then lr, where nothing that is live at the same time is in them; else a new stack slot. */
export function chooseHome(routine: MachineRoutine, graph: Graph, register: number, homes: readonly Home[]): Home {
  const neighbours = graph.neighbours(register);
  for (const candidate of [R12, LR]) {
    if (neighbours.has(candidate)) continue;
    const taken = homes.some((home) => home.kind === 'register' && home.register === candidate);
    if (!taken) return { kind: 'register', register: candidate };
  }
  routine.frameBytes += 4;
  return { kind: 'slot', offset: routine.frameBytes - 4 };
}

/** Puts the value of `members`, copies of one another, into `home`; short-lived copies of it are added to `pinned`. */
export function spill(routine: MachineRoutine, members: ReadonlySet<number>, home: Home, pinned: Set<number>): void {
  for (const block of routine.blocks) {
    const insts: MachineInst[] = [];
    // A register that holds the value right now, and for how many more instructions it may be kept for that.
    let held = -1;
    let keep = 0;
    for (const i of block.insts) {
      keep--;
      if (i.op === 'bl' || keep < 0) held = -1;
      const reads = uses(i).some((register) => members.has(register));
      const isWritten = i.op !== 'bl' && members.has(i.d);
      if (!reads && !isWritten) {
        insts.push(i);
        continue;
      }
      if (i.op === 'mov' && members.has(i.d) && members.has(i.a)) continue;
      if (isWritten) held = -1;
      if (home.kind === 'register' && i.op === 'mov') {
        if (members.has(i.d)) i.d = home.register;
        if (members.has(i.a)) i.a = home.register;
        insts.push(i);
        continue;
      }
      if (home.kind === 'register' && i.op === 'cmp') {
        if (members.has(i.a)) i.a = home.register;
        if (members.has(i.b)) i.b = home.register;
        insts.push(i);
        continue;
      }
      if (home.kind === 'register' && i.op === 'add' && addFromHome(i, members, home.register, insts)) continue;
      const temporary = reads && held >= 0 ? held : routine.nextRegister++;
      pinned.add(temporary);
      if (reads && temporary !== held) {
        insts.push(
          home.kind === 'register'
            ? inst('mov', { d: temporary, a: home.register, at: i.at })
            : inst('ldrsp', { d: temporary, imm: home.offset, at: i.at }),
        );
      }
      const swap = (register: number): number => (members.has(register) ? temporary : register);
      i.d = swap(i.d);
      i.a = swap(i.a);
      i.b = swap(i.b);
      i.c = swap(i.c);
      insts.push(i);
      held = temporary;
      keep = KEEP_SPILLED;
      if (isWritten) {
        insts.push(
          home.kind === 'register'
            ? inst('mov', { d: home.register, a: temporary, at: i.at })
            : inst('strsp', { c: temporary, imm: home.offset, at: i.at }),
        );
      }
    }
    block.insts = insts;
  }
}

/** d = a + spilled, or spilled += b: additions that overwrite an operand reach all registers. False for other sums. */
function addFromHome(
  { a, b, d, at }: MachineInst,
  members: ReadonlySet<number>,
  home: number,
  insts: MachineInst[],
): boolean {
  const [spilled, other] = members.has(a) ? [a, b] : [b, a];
  if (!members.has(spilled) || members.has(other)) return false;
  if (members.has(d)) {
    insts.push(inst('addh', { d: home, a: home, b: other, at }));
    return true;
  }
  insts.push(inst('mov', { d, a: other, at }), inst('addh', { d, a: d, b: home, at }));
  return true;
}
