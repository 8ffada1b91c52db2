/** A routine during selection: the instructions of the block being made, and which register holds which value. */
import type { Block, Routine, Value } from '../ir.ts';
import {
  FIRST_VIRTUAL,
  inst,
  type MachineBlock,
  type MachineInst,
  type MachineOp,
  type MachineRoutine,
} from '../machine.ts';

export interface SelectOptions {
  readonly hasClz: boolean;
  /** Make pointers again in each block that uses them: fewer registers, more additions. */
  readonly remakePointers: boolean;
  /** The routines that leave the base in r0, of which this may be one (convention.ts). */
  readonly keepingBase: ReadonlySet<string>;
}

export class Selection {
  readonly routine: Routine;
  readonly options: SelectOptions;
  readonly machine: MachineRoutine;
  readonly blocks = new Map<Block, MachineBlock>();
  /** How many values and branches read a value. */
  readonly useCounts: ReadonlyMap<Value, number>;
  /** Sums that become the two registers of a load or store. */
  readonly folded: ReadonlySet<Value>;
  /** Instructions of the current block. */
  out: MachineInst[] = [];
  /** Where what is selected now was written. */
  at = 0;
  private readonly registers = new Map<Value, number>();
  /** Constants that the current block has made. */
  private constants = new Map<number, number>();

  constructor(
    routine: Routine,
    options: SelectOptions,
    uses: { useCounts: ReadonlyMap<Value, number>; folded: ReadonlySet<Value> },
  ) {
    this.routine = routine;
    this.options = options;
    this.useCounts = uses.useCounts;
    this.folded = uses.folded;
    this.machine = {
      name: routine.name,
      parameterCount: routine.parameterCount,
      blocks: [],
      nextRegister: FIRST_VIRTUAL,
      base: -1,
      frameBytes: 0,
      usedRegisters: new Set(),
    };
  }

  /** Whether this routine leaves the base in r0. */
  get keepsBase(): boolean {
    return this.options.keepingBase.has(this.routine.name);
  }

  /** The register of the base. */
  base(): number {
    return this.use(this.routine.blocks[0]!.values.find(({ op }) => op === 'base')!);
  }

  beginBlock(): void {
    this.out = [];
    this.constants = new Map();
  }

  fresh(): number {
    return this.machine.nextRegister++;
  }

  emit(op: MachineOp, fields: Partial<MachineInst>): void {
    this.out.push(inst(op, { at: this.at, ...fields }));
  }

  registerOf(value: Value): number {
    let register = this.registers.get(value);
    if (register === undefined) {
      register = this.fresh();
      this.registers.set(value, register);
    }
    return register;
  }

  /** The register that a value has got already. */
  knownRegister(value: Value): number | undefined {
    return this.registers.get(value);
  }

  /** The register that holds a value; constants are made once a block. */
  use(value: Value): number {
    if (value.op !== 'const') return this.registerOf(value);
    let register = this.constants.get(value.imm);
    if (register === undefined) {
      register = this.fresh();
      this.makeConstant(register, value.imm);
      this.constants.set(value.imm, register);
    }
    return register;
  }

  makeConstant(d: number, imm: number): void {
    this.emit(imm >= 0 && imm < 256 ? 'movi' : 'ldc', { d, imm });
  }
}
