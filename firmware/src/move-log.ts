/**
 * The moves of one operation, kept until the recorder has written them: takes the place of moves.ts in a bundle with
 * telemetry whose policy moves blocks. Bounded: with more moves than the log holds, `moveCount` says how many there were, and
 * the recorder counts the operation as one that it could not tell.
 */

export const isTellingMoves = true;

/** Compaction is one move, and one more for each pinned block on its way. */
export const MOST_MOVES = 8;
const WORDS = 3;
const log = new Uint16Array(MOST_MOVES * WORDS);

export let moveCount = 0;

export function noteMoved(from: number, until: number, to: number): void {
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

export function forgetMoves(): void {
  moveCount = 0;
}
