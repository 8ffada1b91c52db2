/**
 * The operations that 16-bit Thumb instructions are decoded to, and the word they are packed in. Forms that differ only
 * in where an operand comes from share one operation: every operand is `r[n] + r[m] + imm`, with ZERO for a register
 * that is not there and SCRAP for a result that nobody wants.
 *
 *   31        21 20   16 15   11 10    6 5     0
 *  |    imm     |   m   |   n   |   d   |  op   |   data and single accesses; imm is signed
 *  |      list or offset |   n   |   d   |  op   |   PUSH, POP, LDM, STM, LITERAL, ADR (bits 16 to 31)
 *  |              offset in halfwords   |  op   |   branches (bits 6 to 31, signed, from the instruction itself)
 */

/** Index in the register file of a register that is always 0. */
export const ZERO = 16;
/** Index in the register file of what comparisons write. */
export const SCRAP = 17;

export const O = {
  /** Not decoded yet, or behind the last halfword. */
  UNDECODED: 0,
  LSLI: 1,
  LSRI: 2,
  ASRI: 3,
  /** d = r[n] + r[m] + imm with flags: ADD, CMN. */
  ADD: 4,
  /** d = r[n] - (r[m] + imm) with flags: SUB, RSB, CMP. */
  SUB: 5,
  ADC: 6,
  SBC: 7,
  MOVI: 8,
  AND: 9,
  EOR: 10,
  ORR: 11,
  BIC: 12,
  MVN: 13,
  MUL: 14,
  /** Shift by a register; imm is the kind, as in flags.ts. */
  SHIFT: 15,
  /** d = r[n] + r[m] + imm without flags: MOV, ADD of high registers and of SP. */
  MOVE: 16,
  SXTH: 17,
  SXTB: 18,
  UXTH: 19,
  UXTB: 20,
  REV: 21,
  REV16: 22,
  REVSH: 23,
  LDR: 24,
  LDRH: 25,
  LDRB: 26,
  LDRSH: 27,
  LDRSB: 28,
  STR: 29,
  STRH: 30,
  STRB: 31,
  /** LDR d, [pc, #]: the offset counts from the instruction. */
  LITERAL: 32,
  ADR: 33,
  PUSH: 34,
  POP: 35,
  STM: 36,
  LDM: 37,
  BEQ: 38,
  BNE: 39,
  BCS: 40,
  BCC: 41,
  BMI: 42,
  BPL: 43,
  BVS: 44,
  BVC: 45,
  BHI: 46,
  BLS: 47,
  BGE: 48,
  BLT: 49,
  BGT: 50,
  BLE: 51,
  B: 52,
  BL: 53,
  BX: 54,
  BLX: 55,
  /** CBZ and CBNZ: r[n], offset in bits 16 to 31. */
  CBZ: 56,
  CBNZ: 57,
  NOP: 58,
  /** Executed from its halfwords, away from the interpreter's loop: rare.ts. */
  RARE: 59,
  IT: 60,
} as const;

export const isConditional = (op: number): boolean => op >= O.BEQ && op <= O.BLE;
/** The condition field of a conditional branch. */
export const conditionOf = (op: number): number => op - O.BEQ;

/** Reads `d`, `n`, `m` and `imm` of a packed word. */
export const dOf = (w: number): number => (w >> 6) & 31;
export const nOf = (w: number): number => (w >> 11) & 31;
export const mOf = (w: number): number => (w >> 16) & 31;
export const immOf = (w: number): number => w >> 21;
/** The list or offset in the upper half. */
export const upperOf = (w: number): number => w >>> 16;
/** A branch's offset in halfwords. */
export const branchOf = (w: number): number => w >> 6;
