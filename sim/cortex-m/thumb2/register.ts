/** Data processing on registers: shifts, extensions, bit counts and reversals, saturating sums (ARM DDI 0403, A5.3.12). */
import type { Core } from '../core.ts';
import { rotateRight, shiftWithCarry } from '../flags.ts';
import { Fault } from '../memory.ts';
import { parallel } from './parallel.ts';
import { saturateSigned } from './saturate.ts';

const NONE = 15;

export function dataProcessingRegister(core: Core, r: Int32Array, pc: number, h: number, g: number): number {
  const op = (h >> 4) & 15;
  const second = (g >> 4) & 15;
  const d = (g >> 8) & 15;
  const x = r[h & 15]!;
  const y = r[g & 15]!;
  core.cycles += core.timing.alu;
  if (op < 8 && second === 0) {
    const carry = { c: core.c };
    const result = shiftWithCarry(carry, op >> 1, x, y & 255);
    r[d] = result;
    if ((op & 1) !== 0) {
      core.nz = result;
      core.c = carry.c;
    }
  } else if (op < 6 && second >= 8) {
    const extended = extend(op, rotateRight(y, (second & 3) * 8));
    r[d] = (h & 15) === NONE ? extended : op === 2 || op === 3 ? addHalves(x, extended) : x + extended;
  } else if (op >= 8 && second < 8) r[d] = parallel(core, pc, op & 7, second, x, y);
  else if (op >= 8 && op < 12 && second >= 8 && second < 12) r[d] = single(core, pc, op & 3, second & 3, x, y);
  else throw new Fault('undefined', pc, pc);
  return pc + 4;
}

/** SXTH, UXTH, SXTB16, UXTB16, SXTB, UXTB. */
function extend(op: number, x: number): number {
  switch (op) {
    case 0:
      return (x << 16) >> 16;
    case 1:
      return x & 0xffff;
    case 2:
      return (((x << 8) >> 24) << 16) | (((x << 24) >> 24) & 0xffff);
    case 3:
      return x & 0x00ff00ff;
    case 4:
      return (x << 24) >> 24;
    default:
      return x & 0xff;
  }
}

function addHalves(x: number, y: number): number {
  return (((x >>> 16) + (y >>> 16)) << 16) | ((x + y) & 0xffff);
}

/** QADD and the like, REV and the like, SEL, CLZ. */
function single(core: Core, pc: number, op: number, second: number, x: number, y: number): number {
  switch (op * 4 + second) {
    case 0:
      return saturateSigned(core, y + x, 32);
    case 1:
      return saturateSigned(core, y + saturateSigned(core, 2 * x, 32), 32);
    case 2:
      return saturateSigned(core, y - x, 32);
    case 3:
      return saturateSigned(core, y - saturateSigned(core, 2 * x, 32), 32);
    case 4:
      return reverseBytes(y);
    case 5:
      return rotateRight(reverseBytes(y), 16);
    case 6:
      return reverseBits(y);
    case 7:
      return reverseBytes(y) >> 16;
    case 8: {
      let mask = 0;
      for (let lane = 0; lane < 4; lane++) if ((core.ge & (1 << lane)) !== 0) mask |= 255 << (8 * lane);
      return (x & mask) | (y & ~mask);
    }
    case 12:
      return Math.clz32(y);
    default:
      throw new Fault('undefined', pc, pc);
  }
}

function reverseBytes(x: number): number {
  return (x << 24) | ((x & 0xff00) << 8) | ((x >> 8) & 0xff00) | (x >>> 24);
}

function reverseBits(x: number): number {
  let y = x;
  y = ((y >>> 1) & 0x55555555) | ((y & 0x55555555) << 1);
  y = ((y >>> 2) & 0x33333333) | ((y & 0x33333333) << 2);
  y = ((y >>> 4) & 0x0f0f0f0f) | ((y & 0x0f0f0f0f) << 4);
  return reverseBytes(y);
}
