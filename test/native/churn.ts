/** A workload for the cores: an arena of 32 KB, blocks of changing sizes allocated and freed by the tlsf policy. */
import { u32 } from '../../firmware/src/arena.ts';
import { free, init, malloc } from '../../firmware/src/policies/tlsf.ts';

const ARENA_BYTES = 32000;
const SLOTS = 8000; // word index of 64 slots behind the arena

export function churn(rounds: number): number {
  init(ARENA_BYTES);
  let state = 12345;
  let live = 0;
  for (let slot = 0; slot < 64; slot = slot + 1) u32[SLOTS + slot] = 0;
  while (rounds > 0) {
    for (let n = 0; n < 64; n = n + 1) {
      state = (state * 109 + 89) & 0xffff;
      const slot = SLOTS + ((state >> 4) & 63);
      const held = u32[slot]!;
      if (held !== 0) {
        free(held);
        u32[slot] = 0;
        live = live - 1;
      } else {
        u32[slot] = malloc((state >> 6) & 255);
        live = live + 1;
      }
    }
    rounds = rounds - 1;
  }
  return live;
}
