// The header of a block whose policy has headers in line, as policies/live-header.ts draws it: of a live block
// 1 | size / 8 in 20 bits | 0111 | a flag | 1; of a free one its size and a flag.

export interface Header {
  isLive: boolean;
  size: number;
  /** Bit 1. */
  flag: boolean;
  /** All other bits are as they should be. */
  isSound: boolean;
}

export function readHeader(word: number): Header {
  const flag = (word & 2) !== 0;
  if ((word & 1) === 0) return { isLive: false, size: word & ~7, flag, isSound: (word & 4) === 0 && word >>> 23 === 0 };
  const isSound = word >>> 26 === 1 && (word & 0x3c) === 0x1c;
  return { isLive: true, size: ((word >>> 6) & 0xfffff) * 8, flag, isSound };
}

/** A live block of no bytes: what ends an arena. */
export const END_WORD = 0x400001d;
