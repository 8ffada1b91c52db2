/**
 * The table of starts: one bit for each granule of 8 bytes, set where a block begins. It lies outside the blocks, at
 * the arena's end, so no payload overflow inside the blocks reaches it. A block's size is the distance to the next bit.
 *
 *   offset 0          8                                          END * 8
 *          [ control ][ granule 1 ][ granule 2 ] ... [ END - 1 ][ one bit a granule, 0 .. END ]
 *
 *   control, in 16-bit words   [ the policy's ][ END ][ the policy's ][ the policy's ]
 *
 * Bit END is always set: it ends the last block. Cost: 1/64 of the arena. A granule number fits 16 bits, so an arena
 * holds at most 65535 granules, 512 KB; larger memories are several regions.
 *
 * Bound: `nextStart` loads one 16-bit word for each 128 bytes of the block it measures.
 */
import { u16 } from '../arena.ts';
import { lowestBit } from '../bits.ts';

/** Index in u16 of the control word that holds END. */
const END = 1;

export const MAX_GRANULES = 65535;

/** Formats control word END and an empty table. Returns END, 0 when the arena is too small to hold a block. */
export function initStarts(arenaBytes: number): number {
  let end = ((arenaBytes << 3) / 65) | 0;
  if (arenaBytes < 0 || arenaBytes > (MAX_GRANULES + 1) * 9 || end > MAX_GRANULES) end = MAX_GRANULES;
  while (end > 1 && (end << 3) + (((end >> 4) + 1) << 1) > arenaBytes) end--;
  if (end < 2) return 0;
  u16[0] = 0;
  u16[END] = end;
  u16[2] = 0;
  u16[3] = 0;
  for (let i = 0; i <= end >> 4; i++) u16[(end << 2) + i] = 0;
  setStart(end);
  return end;
}

/** The granule after the last one of a block; also where the table begins. */
export function endGranule(): number {
  return u16[END]!;
}

export function isStart(granule: number): boolean {
  return (u16[(u16[END]! << 2) + (granule >> 4)]! & (1 << (granule & 15))) !== 0;
}

export function setStart(granule: number): void {
  const word = (u16[END]! << 2) + (granule >> 4);
  u16[word] = u16[word]! | (1 << (granule & 15));
}

export function clearStart(granule: number): void {
  const word = (u16[END]! << 2) + (granule >> 4);
  u16[word] = u16[word]! & ~(1 << (granule & 15));
}

/** The first start after `granule`, which is below END; END when there is none. */
export function nextStart(granule: number): number {
  const table = u16[END]! << 2;
  const after = granule + 1;
  let index = after >> 4;
  let bits = u16[table + index]! >> (after & 15);
  if (bits !== 0) return after + lowestBit(bits);
  const last = u16[END]! >> 4;
  while (bits === 0 && index < last) {
    index++;
    bits = u16[table + index]!;
  }
  return bits === 0 ? u16[END]! : (index << 4) + lowestBit(bits);
}
