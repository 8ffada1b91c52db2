/**
 * Decodes 16-bit Thumb instructions and BL (ARM DDI 0419, "ARMv6-M Architecture Reference Manual", A5.2) into the packed
 * words of operations.ts. What is rare is left as O.RARE, to be executed from its halfwords.
 */
import { ROR } from './flags.ts';
import { O, SCRAP, ZERO } from './operations.ts';

export interface DecodeOptions {
  /** ARMv7-M adds CBZ, CBNZ and IT. */
  readonly isV7: boolean;
  /** Halfwords before and behind this one in its window: a branch beyond them is left to O.RARE. */
  readonly before: number;
  readonly behind: number;
}

const SP = 13;
const PC = 15;

const pack = (op: number, d: number, n: number, m: number, imm: number): number =>
  op | (d << 6) | (n << 11) | (m << 16) | (imm << 21);
const packUpper = (op: number, d: number, n: number, upper: number): number =>
  op | (d << 6) | (n << 11) | (upper << 16);

/** Decodes the halfword `h` at an address whose bit 1 is `odd`; `next` is the halfword after it, for BL. */
export function decode(h: number, next: number, odd: number, options: DecodeOptions): number {
  const d = h & 7;
  const n = (h >> 3) & 7;
  const m = (h >> 6) & 7;
  const imm5 = (h >> 6) & 31;
  const imm8 = h & 255;
  const d8 = (h >> 8) & 7;
  const branch = (op: number, halfwords: number): number =>
    -halfwords <= options.before && halfwords <= options.behind ? op | (halfwords << 6) : O.RARE;
  switch (h >> 11) {
    case 0:
      // LSL by 0 is MOVS: the carry stays.
      return imm5 === 0 ? pack(O.ORR, d, n, ZERO, 0) : pack(O.LSLI, d, ZERO, n, imm5);
    case 1:
      return pack(O.LSRI, d, ZERO, n, imm5 === 0 ? 32 : imm5);
    case 2:
      return pack(O.ASRI, d, ZERO, n, imm5 === 0 ? 32 : imm5);
    case 3: {
      const op = (h & 0x200) === 0 ? O.ADD : O.SUB;
      return (h & 0x400) === 0 ? pack(op, d, n, m, 0) : pack(op, d, n, ZERO, m);
    }
    case 4:
      return pack(O.MOVI, d8, ZERO, ZERO, imm8);
    case 5:
      return pack(O.SUB, SCRAP, d8, ZERO, imm8);
    case 6:
      return pack(O.ADD, d8, d8, ZERO, imm8);
    case 7:
      return pack(O.SUB, d8, d8, ZERO, imm8);
    case 8:
      return (h & 0x400) === 0 ? decodeDataProcessing(h) : decodeHigh(h);
    case 9:
      return packUpper(O.LITERAL, d8, 0, (imm8 << 2) + 4 - 2 * odd);
    case 10:
    case 11:
      return pack(registerOffset[(h >> 9) & 7]!, d, n, m, 0);
    case 12:
      return pack(O.STR, d, n, ZERO, imm5 << 2);
    case 13:
      return pack(O.LDR, d, n, ZERO, imm5 << 2);
    case 14:
      return pack(O.STRB, d, n, ZERO, imm5);
    case 15:
      return pack(O.LDRB, d, n, ZERO, imm5);
    case 16:
      return pack(O.STRH, d, n, ZERO, imm5 << 1);
    case 17:
      return pack(O.LDRH, d, n, ZERO, imm5 << 1);
    case 18:
      return pack(O.STR, d8, SP, ZERO, imm8 << 2);
    case 19:
      return pack(O.LDR, d8, SP, ZERO, imm8 << 2);
    case 20:
      return packUpper(O.ADR, d8, 0, (imm8 << 2) + 4 - 2 * odd);
    case 21:
      return pack(O.MOVE, d8, SP, ZERO, imm8 << 2);
    case 22:
    case 23:
      return decodeMiscellaneous(h, options);
    case 24:
      return packUpper(O.STM, 0, d8, imm8);
    case 25:
      return packUpper(O.LDM, 0, d8, imm8);
    case 26:
    case 27: {
      const condition = (h >> 8) & 15;
      return condition >= 14 ? O.RARE : branch(O.BEQ + condition, ((imm8 << 24) >> 24) + 2);
    }
    case 28:
      return branch(O.B, (((h & 0x7ff) << 21) >> 21) + 2);
    default:
      // BL: 11110 s imm10, 11 j1 1 j2 imm11
      if (h >> 11 === 30 && (next & 0xd000) === 0xd000) return branch(O.BL, (branchLinkOffset(h, next) >> 1) + 2);
      return O.RARE;
  }
}

const registerOffset = [O.STR, O.STRH, O.STRB, O.LDRSB, O.LDR, O.LDRH, O.LDRB, O.LDRSH] as const;

/** The distance from the end of a BL or B.W (T4) to its target in bytes, from both halfwords. */
export function branchLinkOffset(h: number, next: number): number {
  const s = (h >> 10) & 1;
  const i1 = ((next >> 13) & 1) ^ s ^ 1;
  const i2 = ((next >> 11) & 1) ^ s ^ 1;
  return (((s << 24) | (i1 << 23) | (i2 << 22) | ((h & 0x3ff) << 12) | ((next & 0x7ff) << 1)) << 7) >> 7;
}

/** Two low registers: 010000 oooo mmm ddd. */
function decodeDataProcessing(h: number): number {
  const d = h & 7;
  const m = (h >> 3) & 7;
  const o = (h >> 6) & 15;
  switch (o) {
    case 0:
      return pack(O.AND, d, d, m, 0);
    case 1:
      return pack(O.EOR, d, d, m, 0);
    case 5:
      return pack(O.ADC, d, d, m, 0);
    case 6:
      return pack(O.SBC, d, d, m, 0);
    case 8:
      return pack(O.AND, SCRAP, d, m, 0);
    case 9:
      return pack(O.SUB, d, ZERO, m, 0);
    case 10:
      return pack(O.SUB, SCRAP, d, m, 0);
    case 11:
      return pack(O.ADD, SCRAP, d, m, 0);
    case 12:
      return pack(O.ORR, d, d, m, 0);
    case 13:
      return pack(O.MUL, d, d, m, 0);
    case 14:
      return pack(O.BIC, d, d, m, 0);
    case 15:
      return pack(O.MVN, d, ZERO, m, 0);
    default:
      // LSL, LSR, ASR, ROR
      return pack(O.SHIFT, d, d, m, o === 7 ? ROR : o - 2);
  }
}

/** ADD, CMP, MOV, BX and BLX with any registers: 010001 oo d mmmm ddd. */
function decodeHigh(h: number): number {
  const d = ((h >> 4) & 8) | (h & 7);
  const m = (h >> 3) & 15;
  const op = (h >> 8) & 3;
  if (op === 3) return (h & 7) === 0 && m !== PC ? pack((h & 0x80) !== 0 ? O.BLX : O.BX, 0, ZERO, m, 0) : O.RARE;
  // PC as an operand, and what would make SP unaligned, are not worth a place in the loop.
  if (d === PC || m === PC || (d === SP && op !== 1)) return O.RARE;
  if (op === 1) return pack(O.SUB, SCRAP, d, m, 0);
  return pack(O.MOVE, d, op === 0 ? d : ZERO, m, 0);
}

/** 1011 oooo ... */
function decodeMiscellaneous(h: number, options: DecodeOptions): number {
  const d = h & 7;
  const m = (h >> 3) & 7;
  switch ((h >> 8) & 15) {
    case 0:
      return pack(O.MOVE, SP, SP, ZERO, (h & 0x80) !== 0 ? -((h & 127) << 2) : (h & 127) << 2);
    case 2:
      return pack([O.SXTH, O.SXTB, O.UXTH, O.UXTB][(h >> 6) & 3]!, d, ZERO, m, 0);
    case 4:
    case 5:
      return packUpper(O.PUSH, 0, SP, (h & 255) | ((h & 0x100) << 6));
    case 10:
      return ((h >> 6) & 3) === 2 ? O.RARE : pack([O.REV, O.REV16, 0, O.REVSH][(h >> 6) & 3]!, d, ZERO, m, 0);
    case 12:
    case 13:
      return packUpper(O.POP, 0, SP, (h & 255) | ((h & 0x100) << 7));
    case 15:
      if ((h & 15) === 0) return O.NOP;
      return options.isV7 ? O.IT : O.RARE;
    default: {
      // CBZ, CBNZ: 1011 o0i1 iiii innn
      if (!options.isV7 || (h & 0x0500) !== 0x0100) return O.RARE;
      const halfwords = (((h >> 9) & 1) << 5) + ((h >> 3) & 31) + 2;
      return halfwords > options.behind ? O.RARE : packUpper((h & 0x800) === 0 ? O.CBZ : O.CBNZ, 0, d, halfwords);
    }
  }
}
