/** Copies inside the arena. Its own file, so that the toolchain can put an engine's `copyWithin` in its place. */
import { u8, u32 } from './arena.ts';

/** Copies `bytes` from one offset to another, both multiples of 4; ranges may overlap only when `to` < `from`. */
export function copyBytes(to: number, from: number, bytes: number): void {
  const words = bytes >> 2;
  const toWord = to >> 2;
  const fromWord = from >> 2;
  for (let i = 0; i < words; i++) u32[toWord + i] = u32[fromWord + i]!;
  for (let i = words << 2; i < bytes; i++) u8[to + i] = u8[from + i]!;
}
