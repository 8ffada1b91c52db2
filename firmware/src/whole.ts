/**
 * What a program asks, as the policies take it: whole numbers of 32 bits.
 *
 * A fraction, NaN, undefined, a text, 2^32: each would be cut to another number by the first mask or shift, one here and
 * another there, and a header or a map would be wrong for ever.
 */

/** No policy serves so many bytes or aligns to them, and no block lies there: an arena ends below 2^27, and it is odd. */
export const ABSURD = 0x7ffffff;

/** `n`, or ABSURD when it is no whole number of 32 bits. */
export function whole(n: number): number {
  return (n | 0) === n ? n : ABSURD;
}
