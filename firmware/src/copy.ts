/** Moves contents inside the arena. Its own file, so that the toolchain can put an engine's `copyWithin` in its place. */
import { u8, u32 } from './arena.ts';

/** Moves `bytes` between two offsets, both multiples of 4; the ranges may overlap. */
export function moveBytes(to: number, from: number, bytes: number): void {
  const words = bytes >> 2;
  const toWord = to >> 2;
  const fromWord = from >> 2;
  if (to < from) {
    for (let i = 0; i < words; i++) u32[toWord + i] = u32[fromWord + i]!;
    for (let i = words << 2; i < bytes; i++) u8[to + i] = u8[from + i]!;
  } else {
    for (let i = bytes - 1; i >= words << 2; i--) u8[to + i] = u8[from + i]!;
    for (let i = words - 1; i >= 0; i--) u32[toWord + i] = u32[fromWord + i]!;
  }
}
