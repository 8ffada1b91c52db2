/**
 * Fills and compares stretches of the arena. Its own file, so that the toolchain can put a loop in the place of `fill`
 * for the engines that have no such method, or a slow one.
 */

/** Writes `value` to every byte of [from, to). */
export function fillBytes(u8: Uint8Array, from: number, to: number, value: number): void {
  u8.fill(value, from, to);
}
