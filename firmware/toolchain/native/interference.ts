/**
 * The interference graph of a routine's registers, and its colouring with r0 to r7 (Briggs, Cooper, Torczon:
 * "Improvements to graph coloring register allocation", 1994; George, Appel: "Iterated register coalescing", 1996).
 *
 * Nodes are registers, virtual ones and the processor's own; an edge joins two that hold different values at one time.
 * Copies whose ends do not interfere are coalesced: both ends become one node, and the copy goes.
 */
import { backwards, liveOut } from './liveness.ts';
import { FIRST_VIRTUAL, type MachineRoutine, uses, writes } from './machine.ts';

const COLOURS = 8;
/** r0 to r3 need no saving. */
const CALLER_SAVED = 4;

export class Graph {
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

  /**
   * Copies with both ends in one node. `all`: every copy whose ends do not interfere; else those after which the graph is as
   * colourable as before. `base`: the register of the arena's base, -1 for none.
   */
  coalesce(base: number, all: boolean): void {
    // The base takes a register wherever it is live: that may as well be the one it comes and goes in.
    if (base >= 0 && !this.interferes(0, base)) this.merge(0, base);
    for (let changed = true; changed; ) {
      changed = false;
      for (const move of this.moves) {
        let a = this.find(move.a);
        let b = this.find(move.b);
        if (a === b || this.interferes(a, b)) continue;
        if (b < FIRST_VIRTUAL) [a, b] = [b, a];
        if (b < FIRST_VIRTUAL || !this.isLow(a)) continue;
        if (all || (a < FIRST_VIRTUAL ? this.george(a, b) : this.briggs(a, b))) {
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

  /**
   * A colour for each node, or the nodes that got none. Nodes with fewer than eight neighbours are taken away first, since
   * some colour is always left for them; of the others, the one whose uses cost least for the edges it has. `pinned`
   * registers are taken last: they come from spilling, and spilling them again gains nothing.
   */
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
