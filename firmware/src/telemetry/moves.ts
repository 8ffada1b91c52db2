/**
 * Where a policy that moves blocks says that it did. These bodies are empty, so a bundle without telemetry, and one whose
 * policy moves nothing, pays nothing. In a bundle with telemetry of such a policy, move-log.ts takes this file's place, by
 * exporting the same names.
 */

/** Whether blocks may move, and are told of here. */
export const isTellingMoves = false;

/** More moves than these in one operation are counted, not kept. */
export const MOST_MOVES = 0;

/** Moves that nobody has read yet. */
export const moveCount = 0;

/** The live blocks that begin at granules in [from, until) now lie one behind the other from `to` on, in the same order. */
export function noteMoved(_from: number, _until: number, _to: number): void {}

/** The block that realloc has given a new place began at this granule, when all moves told before were done. */
export function noteLeft(_granule: number): void {}

/** That granule; 0 when the operation was no such realloc. */
export const leftGranule = 0;

/** Word `word` of move `index`: 0 from, 1 until, 2 to. */
export function moveWord(_index: number, _word: number): number {
  return 0;
}

export function forgetMoves(): void {}
