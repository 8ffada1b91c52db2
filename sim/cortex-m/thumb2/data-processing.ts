/** Data processing with an immediate or a shifted register (ARM DDI 0403, A5.3.1, A5.3.3, A5.3.11). */
import type { Core } from '../core.ts';
import { ASR, addWithCarry, LSL, LSR, rotateRight, shiftWithCarry } from '../flags.ts';
import { Fault } from '../memory.ts';
import { saturateSigned, saturateUnsigned } from './saturate.ts';

const PC = 15;
const OP_TEQ_EOR = 4;

/** i:imm3:imm8 as a constant: a byte, a byte in a pattern, or a rotated byte, whose top bit is the carry (A5.3.2). */
function expandImmediate(h: number, g: number, carry: { c: number }): number {
  const imm12 = ((h & 0x400) << 1) | ((g >> 4) & 0x700) | (g & 0xff);
  const byte = imm12 & 0xff;
  switch (imm12 >> 8) {
    case 0:
      return byte;
    case 1:
      return (byte << 16) | byte;
    case 2:
      return (byte << 24) | (byte << 8);
    case 3:
      return (byte << 24) | (byte << 16) | (byte << 8) | byte;
    default:
      carry.c = rotateRight(0x80 | (imm12 & 0x7f), imm12 >> 7);
      return carry.c;
  }
}

export function modifiedImmediate(core: Core, r: Int32Array, pc: number, h: number, g: number): number {
  const carry = { c: core.c };
  return operate(core, r, pc, h, g, expandImmediate(h, g, carry), carry.c);
}

export function shiftedRegister(core: Core, r: Int32Array, pc: number, h: number, g: number): number {
  const count = ((g >> 10) & 0x1c) | ((g >> 6) & 3);
  const kind = (g >> 4) & 3;
  const carry = { c: core.c };
  const x = r[g & 15]!;
  if (((h >> 5) & 15) === 6) {
    core.cycles += core.timing.alu;
    r[(g >> 8) & 15] = packHalfwords(r[h & 15]!, shiftImmediate(carry, kind, x, count), (g & 0x20) !== 0);
    return pc + 4;
  }
  return operate(core, r, pc, h, g, shiftImmediate(carry, kind, x, count), carry.c);
}

/** A shift as instructions with an immediate encode it: 0 means 32 for LSR and ASR, and RRX for ROR (A7.4.2). */
function shiftImmediate(carry: { c: number }, kind: number, x: number, count: number): number {
  if (count !== 0 || kind === LSL) return shiftWithCarry(carry, kind, x, count);
  if (kind === LSR || kind === ASR) return shiftWithCarry(carry, kind, x, 32);
  const rotated = (carry.c & 0x80000000) | (x >>> 1);
  carry.c = x << 31;
  return rotated;
}

/** PKHBT, or with `topOfX` PKHTB: `y` is the shifted register. */
function packHalfwords(x: number, y: number, topOfX: boolean): number {
  return topOfX ? (x & 0xffff0000) | (y & 0xffff) : (y & 0xffff0000) | (x & 0xffff);
}

/** op S Rn, Rd and the second operand, in bits that both forms have in the same places. */
function operate(core: Core, r: Int32Array, pc: number, h: number, g: number, y: number, carry: number): number {
  const op = (h >> 5) & 15;
  const sets = (h & 0x10) !== 0;
  const n = h & 15;
  const d = (g >> 8) & 15;
  const x = r[n]!;
  core.cycles += core.timing.alu;
  if (op >= 8) {
    const { nz, c, v } = core;
    let result: number;
    if (op === 8) result = addWithCarry(core, x, y, 0);
    else if (op === 10) result = addWithCarry(core, x, y, c);
    else if (op === 11) result = addWithCarry(core, x, ~y, c);
    else if (op === 13) result = addWithCarry(core, x, ~y, -1);
    else if (op === 14) result = addWithCarry(core, ~x, y, -1);
    else throw new Fault('undefined', pc, pc);
    if (d !== PC) r[d] = result;
    if (!sets) {
      core.nz = nz;
      core.c = c;
      core.v = v;
    }
    return pc + 4;
  }
  const result = logical(op, n, x, y);
  if (result === null) throw new Fault('undefined', pc, pc);
  // TST and TEQ.
  if (d !== PC || (op !== 0 && op !== OP_TEQ_EOR)) r[d] = result;
  if (sets) {
    core.nz = result;
    core.c = carry;
  }
  return pc + 4;
}

function logical(op: number, n: number, x: number, y: number): number | null {
  switch (op) {
    case 0:
      return x & y;
    case 1:
      return x & ~y;
    case 2:
      return n === PC ? y : x | y;
    case 3:
      return n === PC ? ~y : x | ~y;
    case OP_TEQ_EOR:
      return x ^ y;
    default:
      return null;
  }
}

/** ADDW, SUBW, ADR, MOVW, MOVT, saturation and bit fields. */
export function plainImmediate(core: Core, r: Int32Array, pc: number, h: number, g: number): number {
  const n = h & 15;
  const d = (g >> 8) & 15;
  const imm12 = ((h & 0x400) << 1) | ((g >> 4) & 0x700) | (g & 0xff);
  const imm16 = (n << 12) | imm12;
  const base = n === PC ? (pc + 4) & ~3 : r[n]!;
  // Bit fields: from `low` up, `width` or (for BFI and BFC) up to `high`.
  const low = ((g >> 10) & 0x1c) | ((g >> 6) & 3);
  const last = g & 31;
  core.cycles += core.timing.alu;
  switch ((h >> 4) & 31) {
    case 0:
      r[d] = base + imm12;
      break;
    case 10:
      r[d] = base - imm12;
      break;
    case 4:
      r[d] = imm16;
      break;
    case 12:
      r[d] = (r[d]! & 0xffff) | (imm16 << 16);
      break;
    case 16:
    case 18:
      if ((h & 0x20) !== 0 && low === 0) r[d] = halves(r[n]!, (x) => saturateSigned(core, x, (g & 15) + 1));
      else r[d] = saturateSigned(core, saturated(h, low, r[n]!), last + 1);
      break;
    case 20:
      r[d] = (r[n]! << (31 - low - last)) >> (31 - last);
      break;
    case 22: {
      if (last < low) throw new Fault('undefined', pc, pc);
      const mask = (0xffffffff >>> (31 - last + low)) << low;
      r[d] = (r[d]! & ~mask) | ((n === PC ? 0 : r[n]! << low) & mask);
      break;
    }
    case 24:
    case 26:
      if ((h & 0x20) !== 0 && low === 0) r[d] = halves(r[n]!, (x) => saturateUnsigned(core, x, g & 15));
      else r[d] = saturateUnsigned(core, saturated(h, low, r[n]!), last);
      break;
    case 28:
      r[d] = (r[n]! << (31 - low - last)) >>> (31 - last);
      break;
    default:
      throw new Fault('undefined', pc, pc);
  }
  return pc + 4;
}

/** The operand of SSAT and USAT: shifted left, or right (32 for 0). */
function saturated(h: number, low: number, x: number): number {
  if ((h & 0x20) === 0) return x << low;
  return x >> (low === 0 ? 31 : low);
}

/** Both halves, sign-extended, each through `saturate`. */
function halves(x: number, saturate: (half: number) => number): number {
  return (saturate(x >> 16) << 16) | (saturate((x << 16) >> 16) & 0xffff);
}
