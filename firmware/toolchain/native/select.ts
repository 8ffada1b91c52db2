/**
 * Stage 4, select: each value becomes Thumb instructions on virtual registers. Constants are made where they are used,
 * pointers used without an offset become register offsets, tests of single bits become shifts into the flags, and phis
 * become copies at the ends of their predecessors.
 */
import {
  type Block,
  dominators,
  newBlock,
  type Routine,
  resolve,
  reversePostorder,
  termArgs,
  type Value,
} from './ir.ts';
import {
  FIRST_VIRTUAL,
  inst,
  type MachineBlock,
  type MachineCondition,
  type MachineInst,
  type MachineOp,
  type MachineRoutine,
  PARAMETER_REGISTERS,
} from './machine.ts';
import { rematerialise } from './rematerialise.ts';

export interface SelectOptions {
  readonly hasClz: boolean;
  /** Make pointers again in each block that uses them: fewer registers, more additions. */
  readonly remakePointers: boolean;
}

/** Leiserson, Prokop, Randall 1998: the isolated bit times this has its index in the top five bits, through the table. */
export const DE_BRUIJN = 0x077cb531;

const tiedOps: Partial<Record<Value['op'], MachineOp>> = {
  mul: 'mul',
  and: 'and',
  or: 'orr',
  xor: 'eor',
  shl: 'lsl',
  shr: 'lsr',
  sar: 'asr',
};
const shiftImmediates: Partial<Record<Value['op'], MachineOp>> = { shl: 'lsli', shr: 'lsri', sar: 'asri' };
const commutative = new Set(['mul', 'and', 'or', 'xor']);

/** A loop is guessed to run this often, a way that only returns a constant this seldom. */
const LOOP_WEIGHT = 8;
const COLD_WEIGHT = 0.1;
/** A copy on a split edge costs a jump too, unless it is coalesced. */
const SPLIT_WEIGHT = 2;

export function select(routine: Routine, options: SelectOptions): MachineRoutine {
  rematerialise(routine, options.remakePointers);
  return new Selector(routine, options, splitCriticalEdges(routine)).run();
}

/** An edge from a block with two ways out to one with two ways in gets a block for the phis' copies. */
function splitCriticalEdges(routine: Routine): Set<Block> {
  const split = new Set<Block>();
  for (const block of [...routine.blocks]) {
    const term = block.term;
    if (term?.kind !== 'branch') continue;
    for (const side of ['yes', 'no'] as const) {
      const to = term[side];
      if (to.preds.length < 2 || !to.values.some(({ op }) => op === 'phi')) continue;
      const middle = newBlock(routine);
      middle.term = { kind: 'jump', to, at: term.at };
      middle.preds = [block];
      term[side] = middle;
      to.preds[to.preds.indexOf(block)] = middle;
      split.add(middle);
    }
  }
  return split;
}

class Selector {
  private readonly routine: Routine;
  private readonly options: SelectOptions;
  private readonly machine: MachineRoutine;
  private readonly registers = new Map<Value, number>();
  private readonly useCounts = new Map<Value, number>();
  private readonly folded = new Set<Value>();
  private readonly blocks = new Map<Block, MachineBlock>();
  private constants = new Map<number, number>();
  private out: MachineInst[] = [];
  private at = 0;

  private readonly split: ReadonlySet<Block>;

  constructor(routine: Routine, options: SelectOptions, split: ReadonlySet<Block>) {
    this.routine = routine;
    this.split = split;
    this.options = options;
    this.machine = {
      name: routine.name,
      parameterCount: routine.parameterCount,
      blocks: [],
      nextRegister: FIRST_VIRTUAL,
      frameBytes: 0,
      usedRegisters: new Set(),
    };
  }

  run(): MachineRoutine {
    const order = reversePostorder(this.routine);
    this.routine.blocks = order;
    this.countUses(order);
    const frequencies = blockFrequencies(order);
    for (const block of order) {
      this.blocks.set(block, {
        id: block.id,
        insts: [],
        term: { kind: 'return', hasValue: false, at: 0 },
        frequency: frequencies.get(block)!,
        copyWeight: frequencies.get(block)! * (this.split.has(block) ? SPLIT_WEIGHT : 1),
        loopBound: block.loopBound,
      });
    }
    for (const block of order) this.block(block);
    this.machine.blocks = order.map((block) => this.blocks.get(block)!);
    return this.machine;
  }

  private countUses(order: readonly Block[]): void {
    const pointers = new Map<Value, boolean>();
    const count = (value: Value): void => {
      this.useCounts.set(value, (this.useCounts.get(value) ?? 0) + 1);
    };
    for (const block of order) {
      for (const value of block.values) {
        value.args = value.args.map(resolve);
        value.args.forEach(count);
        value.args.forEach((arg, i) => {
          const direct = i === 0 && (value.op === 'load' || value.op === 'store') && value.imm === 0;
          const sum = arg.op === 'add' && arg.args[1]!.op !== 'const';
          pointers.set(arg, (pointers.get(arg) ?? true) && direct && sum);
        });
      }
      for (const arg of termArgs(block.term)) {
        count(arg);
        pointers.set(arg, false);
      }
    }
    for (const [value, foldable] of pointers) if (foldable && value.op === 'add') this.folded.add(value);
  }

  private fresh(): number {
    return this.machine.nextRegister++;
  }

  private emit(op: MachineOp, fields: Partial<MachineInst>): void {
    this.out.push(inst(op, { at: this.at, ...fields }));
  }

  private registerOf(value: Value): number {
    let register = this.registers.get(value);
    if (register === undefined) {
      register = this.fresh();
      this.registers.set(value, register);
    }
    return register;
  }

  /** The register that holds a value; constants are made once a block. */
  private use(value: Value): number {
    if (value.op !== 'const') return this.registerOf(value);
    let register = this.constants.get(value.imm);
    if (register === undefined) {
      register = this.fresh();
      this.makeConstant(register, value.imm);
      this.constants.set(value.imm, register);
    }
    return register;
  }

  private makeConstant(d: number, imm: number): void {
    this.emit(imm >= 0 && imm < 256 ? 'movi' : 'ldc', { d, imm });
  }

  private block(block: Block): void {
    this.out = [];
    this.constants = new Map();
    const machine = this.blocks.get(block)!;
    for (const value of block.values) {
      this.at = value.at;
      if (value.op === 'phi') this.registerOf(value);
      else if (!this.folded.has(value) && !this.isFoldedTest(value, block)) this.value(value);
    }
    const term = block.term!;
    this.at = term.at;
    if (term.kind === 'jump') {
      this.copies(block, term.to);
      machine.term = { kind: 'jump', to: this.blocks.get(term.to)!, at: term.at };
    } else if (term.kind === 'branch') {
      const cond = this.compare(term, block);
      const then = this.blocks.get(term.yes)!;
      machine.term = { kind: 'branch', cond, yes: then, no: this.blocks.get(term.no)!, at: term.at };
    } else if (term.kind === 'return') {
      if (term.value) {
        if (term.value.op === 'const') this.makeConstant(0, term.value.imm);
        else this.emit('mov', { d: 0, a: this.use(term.value) });
      }
      machine.term = { kind: 'return', hasValue: term.value !== null, at: term.at };
    } else {
      this.passArguments(term.args);
      machine.term = { kind: 'tail', callee: term.callee, registers: term.args.length, at: term.at };
    }
    machine.insts = this.out;
  }

  // ---- phis

  /** Copies for the phis of `to`, all at once: sources that are also targets go through fresh registers. */
  private copies(from: Block, to: Block): void {
    const i = to.preds.indexOf(from);
    const moves: { phi: number; source: Value }[] = [];
    for (const value of to.values) {
      if (value.op !== 'phi') continue;
      const source = resolve(value.args[i]!);
      if (source !== value) moves.push({ phi: this.registerOf(value), source });
    }
    const targets = new Set(moves.map(({ phi }) => phi));
    const parallel = moves.some(({ phi, source }) => {
      const register = this.registers.get(source);
      return register !== undefined && register !== phi && targets.has(register);
    });
    const values = moves.filter(({ source }) => source.op !== 'const');
    const temporaries = values.map(({ source }) => {
      if (!parallel) return this.use(source);
      const d = this.fresh();
      this.emit('mov', { d, a: this.use(source) });
      return d;
    });
    values.forEach(({ phi }, k) => {
      this.emit('mov', { d: phi, a: temporaries[k]! });
    });
    for (const { phi, source } of moves) if (source.op === 'const') this.makeConstant(phi, source.imm);
  }

  // ---- branches

  /** `(x & mask) !== 0` whose mask is one bit or the lowest bits: tested by shifting x into the flags. */
  private isFoldedTest(value: Value, block: Block): boolean {
    const term = block.term;
    if (term?.kind !== 'branch' || term.a !== value || value.op !== 'and') return false;
    if (this.useCounts.get(value) !== 1 || term.b.op !== 'const' || term.b.imm !== 0) return false;
    return term.cond === 'eq' || term.cond === 'ne';
  }

  private compare(term: Block['term'] & { kind: 'branch' }, block: Block): MachineCondition {
    const { a, b, cond } = term;
    if (this.isFoldedTest(a, block)) {
      const [x, mask] = a.args as [Value, Value];
      const m = mask.op === 'const' ? mask.imm >>> 0 : 0;
      if (m !== 0 && (m & (m - 1)) === 0) {
        const bit = 31 - Math.clz32(m);
        if (bit === 31) {
          this.emit('cmpi', { a: this.use(x), imm: 0 });
        } else this.emit('lsli', { d: this.fresh(), a: this.use(x), imm: 31 - bit });
        return cond === 'eq' ? 'pl' : 'mi';
      }
      if (m !== 0 && (m & (m + 1)) === 0 && m !== 0xffffffff) {
        this.emit('lsli', { d: this.fresh(), a: this.use(x), imm: Math.clz32(m) });
        return cond;
      }
      this.emit('tst', { a: this.use(x), b: this.use(mask) });
      return cond;
    }
    if (b.op === 'const' && b.imm >= 0 && b.imm < 256) {
      this.emit('cmpi', { a: this.use(a), imm: b.imm });
      if (b.imm === 0 && cond === 'lt') return 'mi';
      if (b.imm === 0 && cond === 'ge') return 'pl';
      return cond;
    }
    this.emit('cmp', { a: this.use(a), b: this.use(b) });
    return cond;
  }

  // ---- values

  private value(value: Value): void {
    const [a, b] = value.args as [Value, Value];
    switch (value.op) {
      case 'const':
        return;
      case 'base':
        this.emit('mov', { d: this.registerOf(value), a: 0 });
        return;
      case 'param':
        this.emit('mov', { d: this.registerOf(value), a: PARAMETER_REGISTERS[value.imm]! });
        return;
      case 'add':
        this.add(value, a, b);
        return;
      case 'sub':
        this.emit('sub', { a: this.use(a), b: this.use(b), d: this.registerOf(value) });
        return;
      case 'shl':
      case 'shr':
      case 'sar':
        if (b.op === 'const') {
          this.emit(shiftImmediates[value.op]!, { a: this.use(a), d: this.registerOf(value), imm: b.imm });
          return;
        }
        this.tied(value, a, b);
        return;
      case 'and':
        if (b.op === 'const' && this.maskByShifts(value, a, b.imm)) return;
        this.tied(value, a, b);
        return;
      case 'mul':
      case 'or':
      case 'xor':
        this.tied(value, a, b);
        return;
      case 'neg':
        this.emit('neg', { a: this.use(a), d: this.registerOf(value) });
        return;
      case 'not':
        this.emit('mvn', { a: this.use(a), d: this.registerOf(value) });
        return;
      case 'highest': {
        const count = this.fresh();
        const limit = this.fresh();
        this.emit('clz', { a: this.use(a), d: count });
        this.emit('movi', { d: limit, imm: 31 });
        this.emit('sub', { a: limit, b: count, d: this.registerOf(value) });
        return;
      }
      case 'lowest':
        this.lowest(value, a);
        return;
      case 'load':
        if (this.folded.has(a)) {
          const [base, index] = a.args as [Value, Value];
          this.emit('ldrx', {
            a: this.use(base),
            b: this.use(index),
            d: this.registerOf(value),
            width: value.width,
          });
          return;
        }
        this.emit('ldr', { a: this.use(a), d: this.registerOf(value), imm: value.imm, width: value.width });
        return;
      case 'store': {
        const c = this.use(b);
        if (this.folded.has(a)) {
          const [base, index] = a.args as [Value, Value];
          this.emit('strx', { a: this.use(base), b: this.use(index), c, width: value.width });
          return;
        }
        this.emit('str', { a: this.use(a), c, imm: value.imm, width: value.width });
        return;
      }
      case 'call': {
        this.passArguments(value.args);
        this.emit('bl', { callee: value.callee, imm: value.args.length });
        if (this.useCounts.has(value)) {
          this.emit('mov', { d: this.registerOf(value), a: 0 });
          return;
        }
        return;
      }
      case 'phi':
    }
  }

  private passArguments(args: readonly Value[]): void {
    const registers = args.map((arg) => (arg.op === 'const' ? -1 : this.use(arg)));
    const base = this.use(this.routine.blocks[0]!.values.find(({ op }) => op === 'base')!);
    args.forEach((arg, i) => {
      const d = PARAMETER_REGISTERS[i]!;
      if (arg.op !== 'const') this.emit('mov', { d, a: registers[i]! });
      else if (d < 8) this.makeConstant(d, arg.imm);
      else this.emit('mov', { d, a: this.use(arg) });
    });
    this.emit('mov', { d: 0, a: base });
  }

  private add(value: Value, a: Value, b: Value): void {
    if (b.op !== 'const') {
      this.emit('add', { a: this.use(a), b: this.use(b), d: this.registerOf(value) });
      return;
    }
    const size = Math.abs(b.imm);
    const op = b.imm < 0 ? 'subi' : 'addi';
    if (size < 8) {
      this.emit(op, { a: this.use(a), d: this.registerOf(value), imm: size });
      return;
    }
    if (size < 256) {
      const d = this.registerOf(value);
      this.emit('mov', { a: this.use(a), d });
      this.emit(op, { a: d, d, imm: size });
      return;
    }
    this.emit('add', { a: this.use(a), b: this.use(b), d: this.registerOf(value) });
  }

  /** d = a op b where the instruction overwrites its first operand. */
  private tied(value: Value, left: Value, right: Value): void {
    let [a, b] = [left, right];
    // The operand that is overwritten: a constant made for it, or one that nobody else reads.
    if (
      commutative.has(value.op) &&
      (b.op === 'const' || (this.useCounts.get(b) === 1 && this.useCounts.get(a) !== 1))
    ) {
      [a, b] = [b, a];
    }
    const d = this.registerOf(value);
    const other = this.use(b);
    if (a.op === 'const') this.makeConstant(d, a.imm);
    else this.emit('mov', { d, a: this.use(a) });
    this.emit(tiedOps[value.op]!, { d, a: d, b: other });
  }

  /** x & mask for a mask of adjacent ones at either end, as two shifts; bytes and halves have an instruction. */
  private maskByShifts(value: Value, x: Value, mask: number): boolean {
    const m = mask >>> 0;
    const d = this.registerOf(value);
    if (m === 0xff || m === 0xffff) {
      this.emit(m === 0xff ? 'uxtb' : 'uxth', { a: this.use(x), d });
      return true;
    }
    const inverse = ~m >>> 0;
    if (inverse !== 0 && (inverse & (inverse + 1)) === 0) {
      // The low bits are cleared.
      const bits = 32 - Math.clz32(inverse);
      this.emit('lsri', { a: this.use(x), d, imm: bits });
      this.emit('lsli', { a: d, d, imm: bits });
      return true;
    }
    if ((m & (m + 1)) === 0 && m > 0xff) {
      const bits = Math.clz32(m);
      this.emit('lsli', { a: this.use(x), d, imm: bits });
      this.emit('lsri', { a: d, d, imm: bits });
      return true;
    }
    return false;
  }

  private lowest(value: Value, x: Value): void {
    const d = this.registerOf(value);
    if (this.options.hasClz) {
      const reversed = this.fresh();
      this.emit('rbit', { a: this.use(x), d: reversed });
      this.emit('clz', { a: reversed, d });
      return;
    }
    // (x & -x) * DE_BRUIJN >>> 27 is different for every bit.
    const bit = this.fresh();
    const magic = this.fresh();
    const index = this.fresh();
    const table = this.fresh();
    this.emit('neg', { a: this.use(x), d: bit });
    this.emit('and', { a: bit, b: this.use(x), d: bit });
    this.emit('ldc', { d: magic, imm: DE_BRUIJN });
    this.emit('mul', { a: bit, b: magic, d: bit });
    this.emit('lsri', { a: bit, d: index, imm: 27 });
    this.emit('adr', { d: table });
    this.emit('ldrx', { a: table, b: index, d, width: 1 });
  }
}

/** How often each block runs, guessed: loops weigh more, ways that only return a constant less. */
function blockFrequencies(order: readonly Block[]): Map<Block, number> {
  const idom = dominators(order);
  const dominates = (a: Block, b: Block): boolean => {
    for (let at = b; ; at = idom.get(at)!) {
      if (at === a) return true;
      if (at === idom.get(at)) return false;
    }
  };
  const depth = new Map<Block, number>();
  for (const tail of order) {
    for (const head of [tail.term].flatMap((t) =>
      t?.kind === 'jump' ? [t.to] : t?.kind === 'branch' ? [t.yes, t.no] : [],
    )) {
      if (!dominates(head, tail)) continue;
      const body = new Set([head]);
      const work = [tail];
      for (let block = work.pop(); block; block = work.pop()) {
        if (body.has(block)) continue;
        body.add(block);
        work.push(...block.preds);
      }
      for (const block of body) depth.set(block, (depth.get(block) ?? 0) + 1);
    }
  }
  const frequencies = new Map<Block, number>();
  for (const block of order) {
    const cold =
      block.term?.kind === 'return' &&
      block.term.value?.op === 'const' &&
      block.values.every(({ op }) => op === 'const');
    frequencies.set(block, LOOP_WEIGHT ** (depth.get(block) ?? 0) * (cold ? COLD_WEIGHT : 1));
  }
  return frequencies;
}
