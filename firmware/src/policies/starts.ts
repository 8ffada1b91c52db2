/**
 * The table of starts: one bit for each granule of 8 bytes, set where a block begins. A block's size is the distance to
 * the next bit. It lies below the blocks, so that a write past a payload's end, the last one's too, does not reach it.
 *
 *   offset 0          8                                first * 8                                END * 8
 *          [ control ][ one bit a granule, 0 .. END ][ granule first ] ... [ granule END - 1 ]
 *
 *   control, in 16-bit words   [ the policy's ][ END ][ the policy's ][ the policy's ]
 *
 * Bit END is always set: it ends the last block. Cost: 1/64 of the arena. A granule number fits 16 bits, so an arena
 * holds at most 65535 granules, 512 KB; larger memories are several regions.
 *
 * Bound: `nextStart` loads one 16-bit word for each 128 bytes of the block it measures.
 */
import { u16 } from '../arena.ts';

/** Indices in u16. */
const END = 1;
const TABLE = 4;

export const MAX_GRANULES = 65535;

/** Formats control word END and an empty table. Returns END, 0 when the arena is too small to hold a block. */
export function initStarts(arenaBytes: number): number {
  const end = Math.min(arenaBytes >> 3, MAX_GRANULES);
  if (end < 3) return 0;
  for (let word = 0; word <= TABLE + (end >> 4); word++) u16[word] = 0;
  u16[END] = end;
  setStart(end);
  return firstGranule() < end ? end : 0;
}

/** The granule after the last one of a block: the arena's end. */
export function endGranule(): number {
  return u16[END]!;
}

/** The first granule that is no control data. */
export function firstGranule(): number {
  return (TABLE + (u16[END]! >> 4) + 4) >> 2;
}

export function isStart(granule: number): boolean {
  return (u16[TABLE + (granule >> 4)]! & (1 << (granule & 15))) !== 0;
}

export function setStart(granule: number): void {
  u16[TABLE + (granule >> 4)] |= 1 << (granule & 15);
}

export function clearStart(granule: number): void {
  const word = TABLE + (granule >> 4);
  u16[word] = u16[word]! & ~(1 << (granule & 15));
}

/** The first start after `granule`, which is below END; END when there is none. */
export function nextStart(granule: number): number {
  const end = u16[END]!;
  let next = granule + 1;
  let bits = u16[TABLE + (next >> 4)]! >> (next & 15);
  // loop: at most startWords
  while (bits === 0) {
    next = (next | 15) + 1;
    if (next > end) return end;
    bits = u16[TABLE + (next >> 4)]!;
  }
  // The lowest bit of 16, in line: bits.ts counts up to 31.
  if ((bits & 255) === 0) {
    bits >>= 8;
    next += 8;
  }
  if ((bits & 15) === 0) {
    bits >>= 4;
    next += 4;
  }
  if ((bits & 3) === 0) {
    bits >>= 2;
    next += 2;
  }
  return next + (~bits & 1);
}
