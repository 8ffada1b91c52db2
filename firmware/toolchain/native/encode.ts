/**
 * Thumb encodings (ARM DDI 0419, "ARMv6-M Architecture Reference Manual", A5 and A6; CLZ and RBIT from DDI 0403,
 * "ARMv7-M Architecture Reference Manual", A7.7). One function turns one machine instruction into its halfwords.
 */
import type { MachineCondition, MachineInst } from './machine.ts';

const conditionCodes: Record<MachineCondition, number> = {
  eq: 0,
  ne: 1,
  hs: 2,
  lo: 3,
  mi: 4,
  pl: 5,
  hi: 8,
  ls: 9,
  ge: 10,
  lt: 11,
  gt: 12,
  le: 13,
};

/** Data processing on two low registers: 0100 00oo oomm mddd. */
const dataProcessing = {
  and: 0,
  eor: 1,
  lsl: 2,
  lsr: 3,
  asr: 4,
  tst: 8,
  neg: 9,
  cmp: 10,
  orr: 12,
  mul: 13,
  bic: 14,
  mvn: 15,
} as const;

const isHigh = (register: number): boolean => register > 7;

function low(register: number): number {
  if (register < 0 || register > 7) throw new Error(`r${register} in an instruction for r0 to r7`);
  return register;
}

function field(value: number, bits: number, scale = 1): number {
  const scaled = value / scale;
  if (!Number.isInteger(scaled) || scaled < 0 || scaled >= 1 << bits)
    throw new Error(`immediate ${value} does not fit`);
  return scaled;
}

export function encode(i: MachineInst): number[] {
  const { d, a, b, c, imm, width } = i;
  switch (i.op) {
    case 'movi':
      return [0x2000 | (low(d) << 8) | field(imm, 8)];
    case 'mov':
      return [0x4600 | ((d & 8) << 4) | (a << 3) | (d & 7)];
    case 'add':
      return [0x1800 | (low(b) << 6) | (low(a) << 3) | low(d)];
    case 'addh':
      if (d !== a) throw new Error('addh overwrites its first operand');
      return [0x4400 | ((d & 8) << 4) | (b << 3) | (d & 7)];
    case 'sub':
      return [0x1a00 | (low(b) << 6) | (low(a) << 3) | low(d)];
    case 'addi':
      if (d === a && imm > 7) return [0x3000 | (low(d) << 8) | field(imm, 8)];
      return [0x1c00 | (field(imm, 3) << 6) | (low(a) << 3) | low(d)];
    case 'subi':
      if (d === a && imm > 7) return [0x3800 | (low(d) << 8) | field(imm, 8)];
      return [0x1e00 | (field(imm, 3) << 6) | (low(a) << 3) | low(d)];
    case 'lsli':
      return [0x0000 | (field(imm, 5) << 6) | (low(a) << 3) | low(d)];
    case 'lsri':
      return [0x0800 | (field(imm, 5) << 6) | (low(a) << 3) | low(d)];
    case 'asri':
      return [0x1000 | (field(imm, 5) << 6) | (low(a) << 3) | low(d)];
    case 'and':
    case 'orr':
    case 'eor':
    case 'bic':
    case 'lsl':
    case 'lsr':
    case 'asr':
    case 'mul':
      if (d !== a) throw new Error(`${i.op} overwrites its first operand`);
      return [0x4000 | (dataProcessing[i.op] << 6) | (low(b) << 3) | low(d)];
    case 'neg':
    case 'mvn':
      return [0x4000 | (dataProcessing[i.op] << 6) | (low(a) << 3) | low(d)];
    case 'tst':
      return [0x4000 | (dataProcessing.tst << 6) | (low(b) << 3) | low(a)];
    case 'cmp':
      if (isHigh(a) || isHigh(b)) return [0x4500 | ((a & 8) << 4) | (b << 3) | (a & 7)];
      return [0x4000 | (dataProcessing.cmp << 6) | (b << 3) | a];
    case 'cmpi':
      return [0x2800 | (low(a) << 8) | field(imm, 8)];
    case 'uxth':
      return [0xb280 | (low(a) << 3) | low(d)];
    case 'uxtb':
      return [0xb2c0 | (low(a) << 3) | low(d)];
    case 'clz':
      return [0xfab0 | a, 0xf080 | (d << 8) | a];
    case 'rbit':
      return [0xfa90 | a, 0xf0a0 | (d << 8) | a];
    case 'ldr':
    case 'str': {
      const load = i.op === 'ldr' ? 0x0800 : 0;
      const group = width === 4 ? 0x6000 : width === 2 ? 0x8000 : 0x7000;
      return [group | load | (field(imm, 5, width) << 6) | (low(a) << 3) | low(i.op === 'ldr' ? d : c)];
    }
    case 'ldrx':
    case 'strx': {
      const group =
        i.op === 'ldrx'
          ? width === 4
            ? 0x5800
            : width === 2
              ? 0x5a00
              : 0x5c00
          : width === 4
            ? 0x5000
            : width === 2
              ? 0x5200
              : 0x5400;
      return [group | (low(b) << 6) | (low(a) << 3) | low(i.op === 'ldrx' ? d : c)];
    }
    case 'ldrsp':
      return [0x9800 | (low(d) << 8) | field(imm, 8, 4)];
    case 'strsp':
      return [0x9000 | (low(c) << 8) | field(imm, 8, 4)];
    case 'ldc':
    case 'adr':
    case 'bl':
      throw new Error(`${i.op} is placed by the layout`);
  }
}

export const encodePush = (low: number, lr: boolean): number => 0xb400 | (lr ? 0x100 : 0) | low;
export const encodePop = (low: number, pc: boolean): number => 0xbc00 | (pc ? 0x100 : 0) | low;
export const encodeSpAdd = (bytes: number): number => 0xb000 | field(bytes, 7, 4);
export const encodeSpSub = (bytes: number): number => 0xb080 | field(bytes, 7, 4);
export const BX_LR = 0x4770;

/** LDR d, [pc, #...]: `distance` from the aligned PC (instruction + 4, rounded down to 4). */
export const encodeLiteralLoad = (d: number, distance: number): number =>
  0x4800 | (low(d) << 8) | field(distance, 8, 4);
export const encodeAdr = (d: number, distance: number): number => 0xa000 | (low(d) << 8) | field(distance, 8, 4);

/** Reach of a conditional branch and of B from the instruction's own address. */
export const fitsConditional = (distance: number): boolean => distance - 4 >= -256 && distance - 4 <= 254;
export const fitsBranch = (distance: number): boolean => distance - 4 >= -2048 && distance - 4 <= 2046;

export function encodeConditional(cond: MachineCondition, distance: number): number {
  return 0xd000 | (conditionCodes[cond] << 8) | (((distance - 4) >> 1) & 0xff);
}

export function encodeBranch(distance: number): number {
  return 0xe000 | (((distance - 4) >> 1) & 0x7ff);
}

export function encodeBranchLink(distance: number): number[] {
  const offset = distance - 4;
  const s = offset < 0 ? 1 : 0;
  const j1 = ((offset >> 23) & 1) ^ s ^ 1;
  const j2 = ((offset >> 22) & 1) ^ s ^ 1;
  return [0xf000 | (s << 10) | ((offset >> 12) & 0x3ff), 0xd000 | (j1 << 13) | (j2 << 11) | ((offset >> 1) & 0x7ff)];
}
