/**
 * The header of a live block, in the policies that have headers in line. A stray write must not pass for one: a bit above
 * any size tells it from numbers, offsets and short counts, bits below the size from an overflow of a single byte.
 *
 *   bit  26 | 25 ............... 6 | 5 4 3 2 |    1     |  0
 *         1 | size in granules of 8 | 0 1 1 1 | policy's | LIVE
 *
 * Words stay below 2^27 (arena.ts), so an arena has 8 MB at most. A free block's header is its size, LIVE clear.
 */

export const LIVE = 1;
/** The header of a live block of no bytes. */
export const TAG = 0x400001c | LIVE;
/** From a size to its place in the header. */
export const SIZE_SHIFT = 3;
/** The bits of sizes, and the same in the header. */
export const SIZE_MASK = 0x7ffff8;
export const SIZE_FIELD = 0x3ffffc0;
/** The rest of an arena that is larger than sizes can tell is not used. */
export const MAX_ARENA_BYTES = 0x7ffff8;
