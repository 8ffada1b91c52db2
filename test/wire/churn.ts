// Random work on a recorded heap: blocks of 8 to 67 bytes from 12 sites, made while few are live, freed in any order.
import type { Heap } from '../../firmware/src/heap.ts';
import { below, type Random } from './random.ts';

const FEWEST_LIVE = 40;
/** What a board of the tests does in one of its turns. */
const TURN_OPERATIONS = 64;
const TURN_MS = 18;

/** `operations` calls that got what they asked for; yields after each turn, with the heap's clock put forward. */
export function* churn(
  { heap, clock }: { heap: Heap; clock: { ms: number } },
  next: Random,
  operations: number,
  mostLive: number,
): Generator<void> {
  const live: number[] = [];
  for (let i = 0; i < operations; ) {
    if (live.length < FEWEST_LIVE || (live.length < mostLive && next() < 0.5)) {
      const offset = heap.malloc(8 + below(next, 60), below(next, 12));
      if (offset === 0) continue;
      live.push(offset);
    } else {
      const index = below(next, live.length);
      heap.free(live[index]!);
      live[index] = live[live.length - 1]!;
      live.pop();
    }
    if (++i % TURN_OPERATIONS === 0) {
      clock.ms += TURN_MS;
      yield;
    }
  }
}
