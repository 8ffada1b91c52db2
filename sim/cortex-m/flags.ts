/**
 * The condition flags, kept as numbers that are at hand when they are set: N is the sign of `nz`, and Z is that `nz` is 0;
 * the sign of `c` is C, and the sign of `v` is V.
 */

export interface Flags {
  nz: number;
  c: number;
  v: number;
}

/** Whether condition `cond` (0 to 14, as encoded) holds. ARM DDI 0419, A6.3. */
export function conditionHolds(cond: number, nz: number, c: number, v: number): boolean {
  switch (cond) {
    case 0:
      return nz === 0;
    case 1:
      return nz !== 0;
    case 2:
      return c < 0;
    case 3:
      return c >= 0;
    case 4:
      return nz < 0;
    case 5:
      return nz >= 0;
    case 6:
      return v < 0;
    case 7:
      return v >= 0;
    case 8:
      return c < 0 && nz !== 0;
    case 9:
      return c >= 0 || nz === 0;
    case 10:
      return (nz ^ v) >= 0;
    case 11:
      return (nz ^ v) < 0;
    case 12:
      return nz !== 0 && (nz ^ v) >= 0;
    case 13:
      return nz === 0 || (nz ^ v) < 0;
    default:
      return true;
  }
}

/** The carry out of x + y (+ carry) = sum is its sign. */
function carryOf(x: number, y: number, sum: number): number {
  return (x & y) | ((x | y) & ~sum);
}

/** x + y + 1 or 0 for the sign of `carry`, with the flags. A subtraction adds the complement and 1. */
export function addWithCarry(flags: Flags, x: number, y: number, carry: number): number {
  const sum = (x + y + (carry >>> 31)) | 0;
  flags.nz = sum;
  flags.c = carryOf(x, y, sum);
  flags.v = (x ^ sum) & (y ^ sum);
  return sum;
}

/** Kinds of shift, as the encodings of 32-bit instructions number them. */
export const LSL = 0;
export const LSR = 1;
export const ASR = 2;
export const ROR = 3;

/** x shifted by `count`, 0 to 255, as by a register; the sign of `flags.c` becomes the carry out, but for a count of 0. */
export function shiftWithCarry(flags: { c: number }, kind: number, x: number, count: number): number {
  if (count === 0) return x;
  switch (kind) {
    case LSL:
      flags.c = count > 32 ? 0 : x << (count - 1);
      return count > 31 ? 0 : x << count;
    case LSR:
      flags.c = count > 32 ? 0 : x << (32 - count);
      return count > 31 ? 0 : (x >>> count) | 0;
    case ASR:
      flags.c = count > 31 ? x : x << (32 - count);
      return count > 31 ? x >> 31 : x >> count;
    default:
      flags.c = rotateRight(x, count & 31);
      return flags.c;
  }
}

export function rotateRight(x: number, count: number): number {
  return (x >>> (count & 31)) | (x << (-count & 31));
}

/** The flags as the APSR has them: N, Z, C, V in bits 31 to 28. */
export function packFlags({ nz, c, v }: Flags): number {
  return (nz & 0x80000000) | (nz === 0 ? 0x40000000 : 0) | ((c >>> 31) << 29) | ((v >>> 31) << 28);
}

/** N and Z together, which are the result of nothing, become N. */
export function unpackFlags(flags: Flags, apsr: number): void {
  flags.nz = apsr < 0 ? -1 : (apsr & 0x40000000) !== 0 ? 0 : 1;
  flags.c = apsr << 2;
  flags.v = apsr << 3;
}
