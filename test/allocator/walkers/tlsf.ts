// A TLSF heap from its raw bytes: headers and footers, the list of each class, both levels of bits.
import type { HeapModel } from '../support/model.ts';
import { END_WORD, readHeader } from './header.ts';
import { rawView } from './raw.ts';

/** Sixteen classes an octave of granules. */
function classOf(size: number): number {
  const granules = size / 8;
  const halvings = Math.max(0, Math.floor(Math.log2(granules)) - 4);
  return 16 * halvings + Math.floor(granules / 2 ** halvings);
}

export function walkTlsf(bytes: Uint8Array, model: HeapModel): void {
  const { word, half, expect, take, done } = rawView(bytes, model);
  const end = word(0);
  const first = word(8);
  const free = new Map<number, number>();
  let previousFree = 0;
  let at = first;
  while (at < end) {
    const { isLive, size, flag, isSound } = readHeader(word(at));
    expect(size >= 16 && isSound, `header ${word(at)} at ${at}`);
    expect(flag === (previousFree !== 0), `PREV_FREE at ${at}`);
    if (previousFree !== 0) expect(word(at - 4) === previousFree, `the footer before ${at}`);
    if (isLive) {
      take(at + 4, size - 4);
      previousFree = 0;
    } else {
      expect(previousFree === 0, `free neighbours at ${at}`);
      free.set(at, size);
      previousFree = at;
    }
    at += size;
  }
  expect(
    at === end && word(end) === (previousFree !== 0 ? END_WORD | 2 : END_WORD),
    `the end word ${word(end)} at ${end}`,
  );
  if (previousFree !== 0) expect(word(end - 4) === previousFree, 'the footer before the end');
  done();
  for (let row = 0; row < 17; row++) {
    const bits = half(16 + 2 * row);
    expect((bits !== 0) === (((word(4) >>> row) & 1) !== 0), `the bit of row ${row}`);
    for (let column = 0; column < 16; column++) {
      const slot = 44 + 4 * (16 * row + column);
      // Before class 2 and from the first block on there are no heads.
      if (slot < 52 || slot + 4 > first) {
        expect(((bits >> column) & 1) === 0, `class ${16 * row + column} has a bit and no list`);
        continue;
      }
      expect((word(slot) !== 0) === (((bits >> column) & 1) !== 0), `the bit of class ${16 * row + column}`);
      let link = slot;
      for (let block = word(slot); block !== 0; block = word(block + 4)) {
        const size = free.get(block);
        expect(size !== undefined && classOf(size) === 16 * row + column, `class ${16 * row + column} holds ${block}`);
        expect(word(block + 8) === link, `the link of ${block}`);
        free.delete(block);
        link = block + 4;
      }
    }
  }
  expect(free.size === 0, `blocks ${[...free.keys()].slice(0, 5)} are in no list`);
}
