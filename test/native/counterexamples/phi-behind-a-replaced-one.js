// Seed 55132: the phi of b after the first if was dropped with its block, since what read it did so through a phi that had
// just been replaced by it.
import { u8, u16, u32 } from './arena.ts';
import { highestBit, lowestBit } from './bits.ts';
export function main(a, b, c) {
  a = Math.imul(Math.imul(b >= a ? a : a, a) | 0, ~(c << (c & 31))) | 0;
  b = (((((b + b) | 0) - 2113718008) | 0) - (((a >>> 13) | 0) << (a & 31))) | 0;
  u32[((((c >> 27) & 124) + 64) >> 2) - 8] = (a >>> 3) | 0;
  if ((-144605283 & 3) > ((a + c) | 0)) {
    if (1371849795 >= (-b | 0)) {
      let v0 = (((b - b) | 0) + (u32[(((a & 124) + 64) >> 2) - 2] | 0)) | 0;
      const _v1 = (~c + (-4 | 0)) | 0;
      v0 =
        Math.imul(
          highestBit((lowestBit((b & 0x7fffffff) | 128) & 0x7fffffff) | 1),
          ((Math.imul(v0, a) | 0) - ((a - b) | 0)) | 0,
        ) | 0;
      b = ~(Math.imul((b + 32) | 0, ~b) | 0);
    }
    const v2 = Math.imul(a, (-256 + b) | 0) | 0;
    let n3 = 5;
    while (n3 > 0) {
      n3 = n3 - 1;
      const _v4 = highestBit(((Math.imul(v2, 15) | 0) & 0x7fffffff) | 1);
    }
    let n5 = 4;
    while (n5 > 0) {
      n5 = n5 - 1;
      const v6 = (((a - -1365741040) | 0) + b) | 0;
      const _v7 = ((c | 256) - n5) | 0;
      const _v8 = Math.imul(lowestBit((c & 0x7fffffff) | 262144), v6 >> 1) | 0;
    }
  } else {
    if (c <= (c | 0)) return c << (b & 31);
    if ((a & 2048) !== 0 && c >>> 0 >= a >>> 0) {
      u16[((4 + 257) | 0) & 127] = (c + -2147483647) | 0;
    } else {
      u16[(142 + (((a & 7) - 2) << 3)) >> 1] = b >>> 0 < a >>> 0 ? b & 7 : b & a;
      u32[((((c << 5) & 124) + 64) >> 2) - 8] = (a + a) | 0;
      u32[((((a - a) | 0) & 124) + 24) >> 2] = ((a >>> 28) | 0) >> 12;
    }
  }
  u16[highestBit((a & 0x7fffffff) | 1) & 127] = c & 15;
  if (!(127 < a)) {
    if (b >> (3 & 31) <= ((a + c) | 0)) {
      u32[(Math.imul(256, 0) | 0) & 63] = (((2 >>> 30) | 0) >>> 19) | 0;
    }
    u8[((b + 511) | 0) & 255] = ~b;
    if (b >>> 0 > (b | 0) >>> 0) return ~b;
  }
  if (b !== c) return Math.imul(3, 0) | 0;
  return ~(c >> 20) << ((b ^ a) & -8 & 31);
}
