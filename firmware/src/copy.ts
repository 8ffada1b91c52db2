/** Moves contents inside the arena. Its own file, so that the toolchain can put an engine's `copyWithin` in its place. */
import { u32 } from './arena.ts';

/** Moves `bytes` between two offsets, all three multiples of 4; the ranges may overlap. */
export function moveBytes(to: number, from: number, bytes: number): void {
  const words = bytes >> 2;
  const toWord = to >> 2;
  const fromWord = from >> 2;
  if (to < from) {
    // loop: at most words
    for (let i = 0; i < words; i++) u32[toWord + i] = u32[fromWord + i]!;
  } else {
    // loop: at most words
    for (let i = words - 1; i >= 0; i--) u32[toWord + i] = u32[fromWord + i]!;
  }
}
