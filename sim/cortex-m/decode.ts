/**
 * Decoding of 16-bit Thumb instructions (ARM DDI 0419, A5.2) into one packed word that the interpreter and the block
 * compiler switch on:  imm << 16 | c << 12 | b << 8 | op, with `a` in bits 28 to 31 where there are four registers.
 *
 * Packed:  bits 0-7 operation, 8-11 register d, 12-15 register n, 16-31 register m or a signed immediate.
 */

/** Operations; 0 is "not decoded yet". */
export const O = {
  LSLI: 1,
  LSRI: 2,
  ASRI: 3,
  ADDR: 4,
  SUBR: 5,
  ADDI3: 6,
  SUBI3: 7,
  MOVI: 8,
  CMPI: 9,
  ADDI: 10,
  SUBI: 11,
  AND: 12,
  EOR: 13,
  LSLR: 14,
  LSRR: 15,
  ASRR: 16,
  ADC: 17,
  SBC: 18,
  ROR: 19,
  TST: 20,
  NEG: 21,
  CMP: 22,
  CMN: 23,
  ORR: 24,
  MUL: 25,
  BIC: 26,
  MVN: 27,
  ADDH: 28,
  CMPH: 29,
  MOVH: 30,
  BX: 31,
  BLX: 32,
  LDRPC: 33,
  STRR: 34,
  STRHR: 35,
  STRBR: 36,
  LDRSBR: 37,
  LDRR: 38,
  LDRHR: 39,
  LDRBR: 40,
  LDRSHR: 41,
  STRI: 42,
  LDRI: 43,
  STRBI: 44,
  LDRBI: 45,
  STRHI: 46,
  LDRHI: 47,
  ADR: 48,
  ADDSPI: 49,
  ADDSP: 50,
  SXTH: 51,
  SXTB: 52,
  UXTH: 53,
  UXTB: 54,
  PUSH: 55,
  POP: 56,
  REV: 57,
  REV16: 58,
  REVSH: 59,
  BKPT: 60,
  NOP: 61,
  STM: 62,
  LDM: 63,
  BCC: 64,
  B: 65,
  SVC: 66,
  UDF: 67,
  /** First halfword of a 32-bit instruction that is not BL. */
  T32: 68,
  BL: 69,
  CPS: 70,
  CBZ: 71,
  IT: 72,
  /** ADD or MOV that writes PC. */
  ADDPC: 73,
  MOVPC: 74,
} as const;

const pack = (op: number, d = 0, n = 0, m = 0): number => op | (d << 8) | (n << 12) | (m << 16);

const dataProcessing = [
  O.AND, O.EOR, O.LSLR, O.LSRR, O.ASRR, O.ADC, O.SBC, O.ROR, O.TST, O.NEG, O.CMP, O.CMN, O.ORR, O.MUL, O.BIC, O.MVN,
] as const; // biome-ignore format: one row, as in the manual
const registerOffset = [O.STRR, O.STRHR, O.STRBR, O.LDRSBR, O.LDRR, O.LDRHR, O.LDRBR, O.LDRSHR] as const;

export interface DecodeOptions {
  /** ARMv7-M adds CBZ, CBNZ and IT. */
  readonly isV7: boolean;
}

/** Decodes the halfword `h`; `next` is the one after it, for BL. */
export function decode(h: number, next: number, { isV7 }: DecodeOptions): number {
  const d = h & 7;
  const n = (h >> 3) & 7;
  const m = (h >> 6) & 7;
  const imm5 = (h >> 6) & 31;
  const imm8 = h & 255;
  const d8 = (h >> 8) & 7;
  switch (h >> 11) {
    case 0:
      return pack(O.LSLI, d, n, imm5);
    case 1:
      return pack(O.LSRI, d, n, imm5 === 0 ? 32 : imm5);
    case 2:
      return pack(O.ASRI, d, n, imm5 === 0 ? 32 : imm5);
    case 3:
      return pack([O.ADDR, O.SUBR, O.ADDI3, O.SUBI3][(h >> 9) & 3]!, d, n, m);
    case 4:
      return pack(O.MOVI, d8, d8, imm8);
    case 5:
      return pack(O.CMPI, d8, d8, imm8);
    case 6:
      return pack(O.ADDI, d8, d8, imm8);
    case 7:
      return pack(O.SUBI, d8, d8, imm8);
    case 8:
      if ((h & 0x400) === 0) return pack(dataProcessing[(h >> 6) & 15]!, d, n, n);
      return decodeHigh(h);
    case 9:
      return pack(O.LDRPC, d8, 0, imm8 << 2);
    case 10:
    case 11:
      return pack(registerOffset[(h >> 9) & 7]!, d, n, m);
    case 12:
      return pack(O.STRI, d, n, imm5 << 2);
    case 13:
      return pack(O.LDRI, d, n, imm5 << 2);
    case 14:
      return pack(O.STRBI, d, n, imm5);
    case 15:
      return pack(O.LDRBI, d, n, imm5);
    case 16:
      return pack(O.STRHI, d, n, imm5 << 1);
    case 17:
      return pack(O.LDRHI, d, n, imm5 << 1);
    case 18:
      return pack(O.STRI, d8, 13, imm8 << 2);
    case 19:
      return pack(O.LDRI, d8, 13, imm8 << 2);
    case 20:
      return pack(O.ADR, d8, 0, imm8 << 2);
    case 21:
      return pack(O.ADDSPI, d8, 13, imm8 << 2);
    case 22:
    case 23:
      return decodeMiscellaneous(h, isV7);
    case 24:
      return pack(O.STM, 0, d8, imm8);
    case 25:
      return pack(O.LDM, 0, d8, imm8);
    case 26:
    case 27: {
      const cond = (h >> 8) & 15;
      if (cond === 14) return pack(O.UDF);
      if (cond === 15) return pack(O.SVC, 0, 0, imm8);
      return pack(O.BCC, cond, 0, ((imm8 << 24) >> 23) + 4);
    }
    case 28:
      return pack(O.B, 0, 0, (((h & 0x7ff) << 21) >> 20) + 4);
    default:
      // BL: 11110 s imm10, 11 j1 1 j2 imm11
      if (h >> 11 === 30 && (next & 0xd000) === 0xd000) return pack(O.BL);
      return pack(O.T32);
  }
}

/** The distance from a BL to its target, from both halfwords. */
export function branchLinkOffset(h: number, next: number): number {
  const s = (h >> 10) & 1;
  const i1 = ((next >> 13) & 1) ^ s ^ 1;
  const i2 = ((next >> 11) & 1) ^ s ^ 1;
  return (((s << 24) | (i1 << 23) | (i2 << 22) | ((h & 0x3ff) << 12) | ((next & 0x7ff) << 1)) << 7) >> 7;
}

function decodeHigh(h: number): number {
  const d = ((h >> 4) & 8) | (h & 7);
  const m = (h >> 3) & 15;
  switch ((h >> 8) & 3) {
    case 0:
      return pack(d === 15 ? O.ADDPC : O.ADDH, d, d, m);
    case 1:
      return pack(O.CMPH, d, d, m);
    case 2:
      return pack(d === 15 ? O.MOVPC : O.MOVH, d, m, m);
    default:
      return (h & 7) !== 0 ? pack(O.UDF) : pack((h & 0x80) !== 0 ? O.BLX : O.BX, 0, m, m);
  }
}

function decodeMiscellaneous(h: number, isV7: boolean): number {
  const d = h & 7;
  const n = (h >> 3) & 7;
  switch ((h >> 8) & 15) {
    case 0:
      return pack(O.ADDSP, 13, 13, (h & 0x80) !== 0 ? -((h & 127) << 2) : (h & 127) << 2);
    case 2:
      return pack([O.SXTH, O.SXTB, O.UXTH, O.UXTB][(h >> 6) & 3]!, d, n, n);
    case 4:
    case 5:
      return pack(O.PUSH, 0, 0, h & 0x1ff);
    case 6:
      return (h & 0xffef) === 0xb662 ? pack(O.CPS, 0, 0, (h >> 4) & 1) : pack(O.UDF);
    case 10:
      if (((h >> 6) & 3) === 2) return pack(O.UDF);
      return pack([O.REV, O.REV16, O.UDF, O.REVSH][(h >> 6) & 3]!, d, n, n);
    case 12:
    case 13:
      return pack(O.POP, 0, 0, h & 0x1ff);
    case 14:
      return pack(O.BKPT, 0, 0, h & 255);
    case 15:
      if ((h & 15) === 0) return pack(O.NOP, 0, 0, (h >> 4) & 15);
      return isV7 ? pack(O.IT, 0, 0, h & 255) : pack(O.UDF);
    default:
      // CBZ, CBNZ: 1011 o0i1 iiii innn
      if (isV7 && (h & 0x0500) === 0x0100) {
        return pack(O.CBZ, (h >> 11) & 1, d, (((h >> 9) & 1) << 6) + (((h >> 3) & 31) << 1) + 4);
      }
      return pack(O.UDF);
  }
}
