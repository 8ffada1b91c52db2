/** Multiplications, multiplications with an addition, and divisions (ARM DDI 0403, A5.3.16, A5.3.17). */
import type { Core } from '../core.ts';
import { Fault } from '../memory.ts';

const NONE = 15;
const low16 = (x: number): number => (x << 16) >> 16;
const high16 = (x: number): number => x >> 16;
const half = (x: number, high: number): number => (high !== 0 ? high16(x) : low16(x));

/** A sum that may leave 32 bits, which sets Q. */
function accumulate(core: Core, sum: number): number {
  if (sum > 0x7fffffff || sum < -0x80000000) core.q = true;
  return sum | 0;
}

export function multiply(core: Core, r: Int32Array, pc: number, h: number, g: number): number {
  const x = r[h & 15]!;
  const y = r[g & 15]!;
  const a = (g >> 12) & 15;
  const add = a === NONE ? 0 : r[a]!;
  const d = (g >> 8) & 15;
  const op = (g >> 4) & 3;
  core.cycles += core.timing.multiply;
  switch ((h >> 4) & 7) {
    case 0:
      // MLA, MUL, MLS
      if (op > 1) throw new Fault('undefined', pc, pc);
      r[d] = op === 0 ? Math.imul(x, y) + add : add - Math.imul(x, y);
      break;
    case 1:
      // SMLAxy, SMULxy
      r[d] = accumulate(core, half(x, op & 2) * half(y, op & 1) + add);
      break;
    case 2:
    case 4: {
      // SMLAD, SMUAD, SMLSD, SMUSD; X swaps the halves of the second operand
      const other = (op & 1) !== 0 ? (y << 16) | (y >>> 16) : y;
      const products = [low16(x) * low16(other), high16(x) * high16(other)] as const;
      const sum = ((h >> 4) & 7) === 2 ? products[0] + products[1] : products[0] - products[1];
      r[d] = accumulate(core, sum + add);
      break;
    }
    case 3:
      // SMLAWy, SMULWy: the upper 32 of 48 bits
      r[d] = accumulate(core, Math.floor((x * half(y, op & 1)) / 0x10000) + add);
      break;
    case 5:
    case 6: {
      // SMMLA, SMMUL, SMMLS: the upper word, rounded with R
      const product = BigInt(x) * BigInt(y);
      const base = BigInt(add) << 32n;
      const sum = (((h >> 4) & 7) === 5 ? base + product : base - product) + ((op & 1) !== 0 ? 0x80000000n : 0n);
      r[d] = Number(BigInt.asIntN(32, sum >> 32n));
      break;
    }
    default: {
      // USAD8, USADA8
      let sum = add;
      for (let shift = 0; shift < 32; shift += 8) sum += Math.abs(((x >>> shift) & 255) - ((y >>> shift) & 255));
      r[d] = sum;
    }
  }
  return pc + 4;
}

export function longMultiply(core: Core, r: Int32Array, pc: number, h: number, g: number): number {
  const x = r[h & 15]!;
  const y = r[g & 15]!;
  const low = (g >> 12) & 15;
  const high = (g >> 8) & 15;
  const op = (g >> 4) & 15;
  const kind = (h >> 4) & 7;
  if (kind === 1 || kind === 3) {
    if (op !== 15) throw new Fault('undefined', pc, pc);
    core.cycles += core.timing.divide;
    r[high] = divide(kind === 1 ? x : x >>> 0, kind === 1 ? y : y >>> 0);
    return pc + 4;
  }
  core.cycles += core.timing.multiply;
  const product = (): bigint => BigInt(x) * BigInt(y);
  const unsigned = (): bigint => BigInt(x >>> 0) * BigInt(y >>> 0);
  const before = (BigInt(r[high]!) << 32n) | BigInt(r[low]! >>> 0);
  let result: bigint;
  if (kind === 0) result = product();
  else if (kind === 2) result = unsigned();
  else if (kind === 4 && op === 0) result = before + product();
  else if (kind === 4 && op >= 8 && op < 12) result = before + BigInt(half(x, op & 2) * half(y, op & 1));
  else if ((kind === 4 && (op & 14) === 12) || (kind === 5 && (op & 14) === 12)) {
    // SMLALD, SMLSLD
    const other = (op & 1) !== 0 ? (y << 16) | (y >>> 16) : y;
    const second = BigInt(high16(x) * high16(other));
    result = before + BigInt(low16(x) * low16(other)) + (kind === 4 ? second : -second);
  } else if (kind === 6 && op === 0) result = before + unsigned();
  else if (kind === 6 && op === 6) result = unsigned() + BigInt(r[low]! >>> 0) + BigInt(r[high]! >>> 0);
  else throw new Fault('undefined', pc, pc);
  r[low] = Number(BigInt.asIntN(32, result));
  r[high] = Number(BigInt.asIntN(32, result >> 32n));
  return pc + 4;
}

/** Towards 0; a division by 0 gives 0 as long as its trap is not enabled. */
function divide(x: number, y: number): number {
  return y === 0 ? 0 : Math.trunc(x / y) | 0;
}
