// A boundary-tag heap from its raw bytes: control words, headers, feet, the address-ordered list.
import { type HeapModel, ModelFault } from '../support/model.ts';
import { END_WORD, readHeader } from './header.ts';

export function walkBoundaryTags(bytes: Uint8Array, model: HeapModel): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const word = (offset: number): number => view.getUint32(offset, true);
  const expect = (truth: boolean, text: string): void => {
    if (!truth) throw new ModelFault(`raw bytes: ${text}`);
  };
  const end = word(4);
  expect(end === bytes.length - 4, `the end block is at ${end} of ${bytes.length}`);
  const live = new Map(model.live.map((block) => [block.offset, block.usable]));
  const listed: number[] = [];
  let previousLive = true;
  let at = 12;
  while (at < end) {
    const { isLive, size, flag, isSound } = readHeader(word(at));
    expect(size >= 8 && isSound, `header ${word(at)} at ${at}`);
    expect(flag === previousLive, `PREVIOUS_LIVE at ${at}`);
    expect(isLive === live.has(at + 4), `block ${at} is ${isLive ? 'live' : 'free'}`);
    if (isLive) {
      expect(live.get(at + 4) === size - 4, `block ${at} holds ${size - 4}`);
      live.delete(at + 4);
    } else {
      expect(previousLive, `free neighbours at ${at}`);
      expect(word(at + size - 4) === size, `the foot of ${at}`);
      if (size >= 16) listed.push(at);
    }
    previousLive = isLive;
    at += size;
  }
  expect(at === end && word(end) === (previousLive ? END_WORD | 2 : END_WORD), 'the end block');
  expect(live.size === 0, `${live.size} live blocks are missing`);
  let previous = 0;
  let link = word(0);
  for (const block of listed) {
    expect(link === block && word(block + 8) === previous, `the list at ${block}`);
    previous = block;
    link = word(block + 4);
  }
  expect(link === 0, `the list goes on to ${link}`);
  expect((word(8) & 1) !== 0 || word(8) === 0 || listed.includes(word(8)), `the rover ${word(8)}`);
}
