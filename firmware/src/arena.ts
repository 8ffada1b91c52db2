/**
 * The arena: one static ArrayBuffer, and three views of it that every policy loads from and stores to.
 *
 * All of a policy's state lies in the arena (control words, side tables, block headers), so that
 *   - the footprint of a heap is exactly the number of bytes it was given,
 *   - two heaps are two buffers, switched by `bindArena`,
 *   - the native build needs only a base address, and its image can be compared byte for byte.
 *
 * An address is an `offset`: bytes from the arena's start. 0 is never a block, so it stands for "none".
 * The views are indexed in their own unit: `u32[offset >> 2]`, `u16[offset >> 1]`, `u8[offset]`.
 * Words stay below 2^27: larger integers become heap-allocated numbers on JerryScript.
 */
export let u8: Uint8Array = new Uint8Array(0);
export let u16: Uint16Array = new Uint16Array(0);
export let u32: Uint32Array = new Uint32Array(0);

/** Makes `buffer` (length a multiple of 8) the arena that every policy function works on until the next call. */
export function bindArena(buffer: ArrayBuffer): void {
  u8 = new Uint8Array(buffer);
  u16 = new Uint16Array(buffer);
  u32 = new Uint32Array(buffer);
}

/** Makes these three views of one buffer the bound ones: what bindArena does, without making views. */
export function selectViews(bytes: Uint8Array, halves: Uint16Array, words: Uint32Array): void {
  u8 = bytes;
  u16 = halves;
  u32 = words;
}
