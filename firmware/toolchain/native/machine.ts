/**
 * Machine instructions before encoding: Thumb operations on virtual registers (16 and up) or processor registers.
 *
 * `d` is written, `a`, `b`, `c` are read; -1 is none. Operations marked "tied" read what they overwrite: `a` is `d`.
 */
export type MachineOp =
  | 'movi' // d = imm, 0..255
  | 'ldc' // d = imm, any constant
  | 'mov' // d = a, any registers
  | 'add'
  | 'addh' // tied, d += b: any registers, and the flags stay
  | 'addi' // d = a + imm: 0..7, or tied and 0..255
  | 'sub'
  | 'subi'
  | 'mul' // tied
  | 'and' // tied
  | 'orr' // tied
  | 'eor' // tied
  | 'bic' // tied
  | 'lsl' // tied, by register b
  | 'lsr' // tied
  | 'asr' // tied
  | 'lsli'
  | 'lsri'
  | 'asri'
  | 'neg'
  | 'mvn'
  | 'uxtb'
  | 'uxth'
  | 'clz'
  | 'rbit'
  | 'ldr' // d = [a + imm], width
  | 'ldrx' // d = [a + b]
  | 'str' // [a + imm] = c
  | 'strx' // [a + b] = c
  | 'ldrsp' // d = [sp + imm]
  | 'strsp' // [sp + imm] = c
  | 'adr' // d = address of the bit table
  | 'cmp'
  | 'cmpi'
  | 'tst'
  | 'bl'; // calls `callee`; imm: how many parameters it reads; keepsBase: it is one that keeps the base

export interface MachineInst {
  op: MachineOp;
  d: number;
  a: number;
  b: number;
  c: number;
  imm: number;
  width: 1 | 2 | 4;
  callee: string;
  keepsBase: boolean;
  at: number;
}

export type MachineCondition = import('./ir.ts').Condition | 'mi' | 'pl';

export type MachineTerminator =
  | { kind: 'jump'; to: MachineBlock; at: number }
  | { kind: 'branch'; cond: MachineCondition; yes: MachineBlock; no: MachineBlock; at: number }
  | { kind: 'return'; hasValue: boolean; keepsBase: boolean; at: number }
  | { kind: 'tail'; callee: string; registers: number; at: number };

export interface MachineBlock {
  readonly id: number;
  insts: MachineInst[];
  term: MachineTerminator;
  /** How often it runs, relative to the routine's entry. */
  frequency: number;
  /** What a copy in it costs, for coalescing. */
  copyWeight: number;
  loopBound: import('./ir.ts').LoopBound | null;
}

export interface MachineRoutine {
  readonly name: string;
  readonly parameterCount: number;
  /** In the order they are laid out; the first is the entry. */
  blocks: MachineBlock[];
  nextRegister: number;
  /** The virtual register of the arena's base; -1 where the routine needs none. */
  base: number;
  /** Bytes of stack slots. */
  frameBytes: number;
  /** Processor registers that are written. */
  usedRegisters: Set<number>;
}

export const R12 = 12;
export const SP = 13;
export const LR = 14;
export const PC = 15;
/** Virtual registers start here. */
export const FIRST_VIRTUAL = 16;
/** r0 holds the base; parameters follow in these registers. */
export const PARAMETER_REGISTERS = [1, 2, 3, R12] as const;
/** What a call may change; one of a routine that keeps the base changes all but r0. */
const CALL_CLOBBERS = [0, 1, 2, 3, R12, LR] as const;
const KEEPING_CLOBBERS = CALL_CLOBBERS.slice(1);
/** Where the result is: AAPCS's r0, or behind the base that stays in r0. */
export const resultRegister = (keepsBase: boolean): number => (keepsBase ? 1 : 0);

export function inst(op: MachineOp, fields: Partial<MachineInst> = {}): MachineInst {
  return { op, d: -1, a: -1, b: -1, c: -1, imm: 0, width: 4, callee: '', keepsBase: false, at: 0, ...fields };
}

/** Registers an instruction reads. */
export function uses(i: MachineInst): number[] {
  if (i.op === 'bl') return [0, ...PARAMETER_REGISTERS.slice(0, i.imm)];
  const read: number[] = [];
  if (i.a >= 0) read.push(i.a);
  if (i.b >= 0) read.push(i.b);
  if (i.c >= 0) read.push(i.c);
  return read;
}

/** Registers an instruction writes. */
export function writes(i: MachineInst): readonly number[] {
  if (i.op === 'bl') return i.keepsBase ? KEEPING_CLOBBERS : CALL_CLOBBERS;
  return i.d >= 0 ? [i.d] : [];
}

export function termUses(term: MachineTerminator): readonly number[] {
  if (term.kind === 'return') {
    const result = term.hasValue ? [resultRegister(term.keepsBase)] : [];
    return term.keepsBase ? [0, ...result] : result;
  }
  if (term.kind === 'tail') return [0, ...PARAMETER_REGISTERS.slice(0, term.registers)];
  return [];
}

export function machineSuccessors(block: MachineBlock): MachineBlock[] {
  if (block.term.kind === 'jump') return [block.term.to];
  if (block.term.kind === 'branch') return [block.term.yes, block.term.no];
  return [];
}
