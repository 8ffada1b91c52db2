// A segregated heap from its raw bytes: headers up to the top give the blocks, the lists give the cached ones.
import type { HeapModel } from '../support/model.ts';
import { END_WORD, readHeader } from './header.ts';
import { rawView } from './raw.ts';

/** Lists 1 to 65 hold one size each; above, eight an octave. */
function listOf(granules: number): number {
  if (granules < 66) return granules;
  const octave = Math.floor(Math.log2(granules));
  return 66 + (octave - 6) * 8 + Math.floor(granules / 2 ** (octave - 3)) - 8;
}

export function walkSegregated(bytes: Uint8Array, model: HeapModel): void {
  const { word, expect, take, done } = rawView(bytes, model);
  const top = word(0);
  const end = word(4);
  const first = word(8);
  expect(end === (bytes.length & ~7) - 4 && word(end) === END_WORD, `the end word is at ${end}`);
  expect(first % 8 === 4 && first <= top && top <= end, `first ${first}, top ${top}`);
  const cached = new Map<number, number>();
  let at = first;
  while (at < top) {
    // A cached block's header is a live one's with LIVE clear.
    const isLive = (word(at) & 1) !== 0;
    const { size, flag, isSound } = readHeader(word(at) | 1);
    expect(size >= 8 && isSound && !flag, `header ${word(at)} at ${at}`);
    if (isLive) take(at + 4, size - 4);
    else cached.set(at, size);
    at += size;
  }
  expect(at === top, `the last block ends at ${at}, the top is ${top}`);
  done();
  for (let list = 1; 16 + list * 4 + 4 <= first; list++) {
    for (let block = word(16 + list * 4); block !== 0; block = word(block + 4)) {
      const size = cached.get(block);
      expect(size !== undefined && listOf(size / 8) === list, `list ${list} holds ${block} of ${size} bytes`);
      cached.delete(block);
    }
  }
  expect(cached.size === 0, `blocks ${[...cached.keys()].slice(0, 5)} are in no list`);
}
