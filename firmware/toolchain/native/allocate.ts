/**
 * Stage 5, allocate: virtual registers become r0 to r7 by colouring the interference graph, with copies coalesced where
 * that cannot make it uncolourable (Briggs, Cooper, Torczon: "Improvements to graph coloring register allocation",
 * 1994; George, Appel: "Iterated register coalescing", 1996). What does not fit lives in r12 or lr, which only moves,
 * additions and comparisons reach, or in the stack frame.
 */
import { backwards, liveOut } from './liveness.ts';
import { FIRST_VIRTUAL, inst, LR, type MachineInst, type MachineRoutine, R12, uses, writes } from './machine.ts';

const COLOURS = 8;
/** r0 to r3 need no saving. */
const CALLER_SAVED = 4;
const MOST_ROUNDS = 40;
/** How many instructions on a spilled value is still taken from the register it was just in. */
const KEEP_SPILLED = 3;

/** Where a register that got no colour lives. */
type Home = { kind: 'register'; register: number } | { kind: 'slot'; offset: number };

export function allocate(routine: MachineRoutine): void {
  const pinned = new Set<number>();
  const homes: Home[] = [];
  for (let round = 0; round < MOST_ROUNDS; round++) {
    removeDeadInsts(routine);
    const graph = new Graph(routine);
    graph.coalesce();
    const { colours, spilled } = graph.colour(pinned);
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

class Graph {
  private readonly adjacent = new Map<number, Set<number>>();
  private readonly parent = new Map<number, number>();
  private readonly moves: { a: number; b: number; weight: number }[] = [];
  private readonly costs = new Map<number, number>();

  constructor(routine: MachineRoutine) {
    const out = liveOut(routine);
    for (const block of routine.blocks) {
      backwards(block, out.get(block)!, (k, live) => {
        const i = block.insts[k]!;
        const source = i.op === 'mov' ? i.a : -1;
        for (const d of writes(i)) {
          this.node(d);
          for (const other of live) if (other !== d && other !== source) this.interfere(d, other);
        }
        // A call writes all its clobbers at once.
        for (const register of uses(i)) {
          this.node(register);
          this.costs.set(register, (this.costs.get(register) ?? 0) + block.frequency);
        }
        for (const register of writes(i)) {
          this.costs.set(register, (this.costs.get(register) ?? 0) + block.frequency);
        }
        if (i.op === 'mov') this.moves.push({ a: i.d, b: i.a, weight: block.copyWeight });
      });
    }
    this.moves.sort((x, y) => y.weight - x.weight);
  }

  private node(register: number): Set<number> {
    let edges = this.adjacent.get(register);
    if (!edges) {
      edges = new Set();
      this.adjacent.set(register, edges);
    }
    return edges;
  }

  private interfere(a: number, b: number): void {
    if (a < FIRST_VIRTUAL && b < FIRST_VIRTUAL) return;
    this.node(a).add(b);
    this.node(b).add(a);
  }

  find(register: number): number {
    let at = register;
    for (let up = this.parent.get(at); up !== undefined; up = this.parent.get(at)) at = up;
    return at;
  }

  members(representative: number): number[] {
    return [...this.adjacent.keys(), ...this.parent.keys()].filter(
      (register) => this.find(register) === representative,
    );
  }

  interferes(a: number, b: number): boolean {
    return this.adjacent.get(a)?.has(b) ?? false;
  }

  /** Edges of a representative. */
  neighbours(register: number): ReadonlySet<number> {
    return this.node(register);
  }

  private isLow(register: number): boolean {
    return register < COLOURS || register >= FIRST_VIRTUAL;
  }

  private degree(register: number): number {
    let degree = 0;
    for (const other of this.node(register)) if (this.isLow(other)) degree++;
    return degree;
  }

  coalesce(): void {
    for (let changed = true; changed; ) {
      changed = false;
      for (const move of this.moves) {
        let a = this.find(move.a);
        let b = this.find(move.b);
        if (a === b || this.interferes(a, b)) continue;
        if (b < FIRST_VIRTUAL) [a, b] = [b, a];
        if (b < FIRST_VIRTUAL || !this.isLow(a)) continue;
        if (a < FIRST_VIRTUAL ? this.george(a, b) : this.briggs(a, b)) {
          this.merge(a, b);
          changed = true;
        }
      }
    }
  }

  /** The merged node has fewer than COLOURS neighbours of high degree: it can still be simplified. */
  private briggs(a: number, b: number): boolean {
    let significant = 0;
    const both = new Set([...this.node(a), ...this.node(b)]);
    for (const other of both) {
      if (!this.isLow(other)) continue;
      const shared = this.interferes(a, other) && this.interferes(b, other) ? 1 : 0;
      if (other < FIRST_VIRTUAL || this.degree(other) - shared >= COLOURS) significant++;
    }
    return significant < COLOURS;
  }

  /** Every neighbour of `b` is of low degree or interferes with the processor register `a` already. */
  private george(a: number, b: number): boolean {
    for (const other of this.node(b)) {
      if (!this.isLow(other) || other < FIRST_VIRTUAL || this.interferes(other, a)) continue;
      if (this.degree(other) >= COLOURS) return false;
    }
    return true;
  }

  private merge(a: number, b: number): void {
    for (const other of this.node(b)) {
      this.node(other).delete(b);
      if (!(a < FIRST_VIRTUAL && other < FIRST_VIRTUAL)) {
        this.node(other).add(a);
        this.node(a).add(other);
      }
    }
    this.adjacent.delete(b);
    this.parent.set(b, a);
    this.costs.set(a, (this.costs.get(a) ?? 0) + (this.costs.get(b) ?? 0));
  }

  colour(pinned: ReadonlySet<number>): { colours: Map<number, number>; spilled: number[] } {
    const rest = new Set([...this.adjacent.keys()].filter((register) => register >= FIRST_VIRTUAL));
    const degrees = new Map([...rest].map((register) => [register, this.degree(register)]));
    const pinnedNodes = new Set([...pinned].map((register) => this.find(register)));
    const stack: number[] = [];
    const take = (register: number): void => {
      rest.delete(register);
      stack.push(register);
      for (const other of this.node(register)) if (rest.has(other)) degrees.set(other, degrees.get(other)! - 1);
    };
    while (rest.size > 0) {
      let chosen = -1;
      let least = Number.POSITIVE_INFINITY;
      for (const register of rest) {
        if (degrees.get(register)! < COLOURS) {
          chosen = register;
          break;
        }
        const price = pinnedNodes.has(register)
          ? Number.MAX_VALUE
          : (this.costs.get(register) ?? 0) / degrees.get(register)!;
        if (price < least) {
          least = price;
          chosen = register;
        }
      }
      take(chosen);
    }
    const colours = new Map<number, number>();
    for (let register = 0; register < FIRST_VIRTUAL; register++) colours.set(register, register);
    const spilled: number[] = [];
    const usedSaved = new Set<number>();
    for (let register = stack.pop(); register !== undefined; register = stack.pop()) {
      const taken = new Set([...this.node(register)].map((other) => colours.get(other)));
      const free = [...Array(COLOURS).keys()].filter((colour) => !taken.has(colour));
      if (free.length === 0) {
        spilled.push(register);
        continue;
      }
      const partner = this.partnerColours(register, colours);
      const cheap = (colour: number): boolean => colour < CALLER_SAVED || usedSaved.has(colour);
      const colour =
        free.find((c) => partner.has(c) && cheap(c)) ??
        free.find(cheap) ??
        free.find((c) => partner.has(c)) ??
        free[0]!;
      if (colour >= CALLER_SAVED) usedSaved.add(colour);
      colours.set(register, colour);
    }
    return { colours, spilled };
  }

  /** Colours of registers this one is copied from or to: the same colour saves the copy. */
  private partnerColours(register: number, colours: ReadonlyMap<number, number>): Set<number> {
    const found = new Set<number>();
    for (const { a, b } of this.moves) {
      const x = this.find(a);
      const y = this.find(b);
      const other = x === register ? y : y === register ? x : -1;
      const colour = colours.get(other);
      if (colour !== undefined && colour < COLOURS) found.add(colour);
    }
    return found;
  }
}

/** r12, then lr, where nothing that is live at the same time is in them; else a new stack slot. */
function chooseHome(routine: MachineRoutine, graph: Graph, register: number, homes: readonly Home[]): Home {
  const neighbours = graph.neighbours(register);
  for (const candidate of [R12, LR]) {
    if (neighbours.has(candidate)) continue;
    const taken = homes.some((home) => home.kind === 'register' && home.register === candidate);
    if (!taken) return { kind: 'register', register: candidate };
  }
  routine.frameBytes += 4;
  return { kind: 'slot', offset: routine.frameBytes - 4 };
}

/** Operands that reach r8 to r15: both of a move, the second of a tied addition, a comparison's. */
function spill(routine: MachineRoutine, members: ReadonlySet<number>, home: Home, pinned: Set<number>): void {
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
