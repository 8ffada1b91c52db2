/**
 * The moves of one operation, kept until the recorder has written them: takes the place of moves.ts in a bundle with
 * telemetry whose policy moves blocks. Bounded: with more moves than the log holds, `moveCount` says how many there were, and
 * the recorder counts the operation as one that it could not tell.
 */

export const isTellingMoves = true;

/** The gap on its way is one move, one more where it turns or passes a pinned block. */
export const MOST_MOVES = 8;
const WORDS = 3;
const log = new Uint16Array(MOST_MOVES * WORDS);

export let moveCount = 0;

/** Where the blocks of the last move end now. */
let end = 0;

export function noteMoved(from: number, until: number, to: number): void {
  const last = (moveCount - 1) * WORDS;
  const before = end;
  end = to + until - from;
  // Blocks that now lie against those of the last move, as they did before: one move of both.
  if (moveCount > 0 && moveCount <= MOST_MOVES) {
    if (end === log[last + 2]! && until <= log[last]!) {
      log[last] = from;
      log[last + 2] = to;
      end = before;
      return;
    }
    if (to === before && from >= log[last + 1]!) {
      log[last + 1] = until;
      return;
    }
  }
  if (moveCount < MOST_MOVES) {
    log[moveCount * WORDS] = from;
    log[moveCount * WORDS + 1] = until;
    log[moveCount * WORDS + 2] = to;
  }
  moveCount++;
}

export function moveWord(index: number, word: number): number {
  return log[index * WORDS + word]!;
}

export let leftGranule = 0;

export function noteLeft(granule: number): void {
  leftGranule = granule;
}

export function forgetMoves(): void {
  moveCount = 0;
  leftGranule = 0;
}
