/**
 * What the boot ROM's functions take, in cycles: means over some hundred arguments each, counted on the real ROM
 * (RP2040-B1) in rp2040js 1.4.1 with the cycles of LR and PC in PUSH and POP added, call and return included.
 *
 * The ROM's instructions are fetched without waiting, so nothing is missing here but the spread: 10 to 20 % of an entry.
 */

/** Bit functions of one word. */
export const wordCycles = { P3: 22, R3: 24, L3: 12, T3: 13 } as const;

const sinCosFloatCycles = 587 + 576;
const sinCosDoubleCycles = 1622 + 1619;

/** In the order of the float and the double table; the B1's table has no sincos: the sum of both. */
export const floatCycles: readonly number[] = [
  ...[71, 75, 57, 71, 13, 13, 63, 40, 39, 37, 37, 108, 108, 111, 110, 587, 576, 652],
  ...[sinCosFloatCycles, 524, 791, 25, 677, 105, 104, 107, 106, 54, 53, 31, 31, 15],
];
export const doubleCycles: readonly number[] = [
  ...[86, 95, 156, 185, 27, 27, 170, 74, 73, 48, 47, 51, 51, 50, 48, 1622, 1619, 1891],
  ...[sinCosDoubleCycles, 802, 905, 39, 2166, 122, 122, 120, 121, 64, 63, 40, 37, 24],
];

/** memset (MS), memset4 (S4), memcpy (MC), memcpy44 (C4): to `to`, from `from` where they copy. Fits within 5 cycles. */
export function memoryCycles(name: 'MS' | 'S4' | 'MC' | 'C4', to: number, from: number, sizeBytes: number): number {
  const isOdd = sizeBytes % 4 !== 0;
  switch (name) {
    case 'MS':
      if (sizeBytes < 8) return 13 + 2 * sizeBytes;
      return 39 + (sizeBytes >> 1);
    case 'S4':
      return (sizeBytes < 4 ? 23 : 30) + (sizeBytes >> 1);
    case 'MC':
    case 'C4':
      if (sizeBytes < 8) return 13 + 4 * sizeBytes;
      // Bytes that are not equally far from a word's start are copied one by one.
      if (name === 'MC' && (to - from) % 4 !== 0) return 9 + 7 * sizeBytes;
      return (name === 'MC' ? 37 : 25) + Math.round(0.8125 * sizeBytes) + (isOdd ? 8 : 0);
  }
}
