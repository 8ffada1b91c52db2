import { u32 } from './arena.ts';

// Seed 7: nothing here reads the arena but the routine that is called, which needs the base all the same.
/** @routine */
function stored(p) {
  u32[3] = p;
  return u32[3] | 0;
}
export function main(a) {
  return (stored(a) + stored((a + 1) | 0)) | 0;
}
