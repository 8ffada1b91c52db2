// Seed 55132, reduced: the phi of `b` after the `if` was dropped with an empty block, since what read it did so through a
// phi that had just been replaced by it.
import { u8, u32 } from './arena.ts';

export function main(a, b, c) {
  if (3 > ((a + c) | 0)) {
    if (1371849795 >= (-b | 0)) {
      b = ~Math.imul((b + 32) | 0, ~b);
    }
    let n3 = 5;
    while (n3 > 0) {
      n3 = n3 - 1;
    }
    let n5 = 4;
    while (n5 > 0) {
      n5 = n5 - 1;
    }
  } else {
    return c << (b & 31);
  }
  if (!(127 < a)) {
    if (b >> 3 <= ((a + c) | 0)) u32[0] = 0;
    u8[((b + 511) | 0) & 255] = ~b;
  }
  return b;
}
