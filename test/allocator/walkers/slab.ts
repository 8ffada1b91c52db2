// A slab heap from its raw bytes: the entries give the pages, slots are derived from the drawn table of classes, the
// lists are followed.
import { type HeapModel, ModelFault } from '../support/model.ts';

const ENTRIES = 136;
/** Offset of a class's record, and slot bytes with it. */
const classes = [16, 24, 32, 40, 48, 64, 80, 128].map((slotBytes, index) => ({ record: 16 + 12 * index, slotBytes }));
const [INSIDE, LARGE, FREE, LAST] = [0, 1, 2, 3];

export function walkSlab(bytes: Uint8Array, model: HeapModel): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const half = (offset: number): number => view.getUint16(offset, true);
  const entry = (page: number) => {
    const at = ENTRIES + 8 * page;
    return { kind: half(at), second: half(at + 2), third: half(at + 4), fourth: half(at + 6) };
  };
  const expect = (truth: boolean, text: string): void => {
    if (!truth) throw new ModelFault(`raw bytes: ${text}`);
  };
  const pages = view.getUint32(0, true) / 256;
  const base = view.getUint32(4, true);
  expect(Number.isInteger(pages) && base === ENTRIES + 8 * (pages + 2), `${pages} pages from ${base}`);
  expect(base + pages * 256 <= bytes.length && bytes.length - base - pages * 256 < 264, 'the pages fill the arena');
  expect(entry(0).kind === INSIDE && entry(pages + 1).kind === INSIDE, 'the entries at both ends');

  const live = new Map(model.live.map((block) => [block.offset, block.usable]));
  const take = (offset: number, usable: number): void => {
    expect(live.get(offset) === usable, `the block at ${offset} holds ${usable}`);
    live.delete(offset);
  };
  /** What the lists must hold, by the offset of their heads. */
  const listed = new Map<number, Set<number>>([[12, new Set()]]);
  for (const { record, slotBytes } of classes) {
    const open = new Set<number>();
    const emptyPages = [];
    const slots = Math.floor(256 / slotBytes);
    for (let page = 1; page <= pages; page++) {
      const { kind, second: bitmap } = entry(page);
      if (kind !== record) continue;
      expect(bitmap >> slots === 0, `the bitmap of page ${page} has bits beyond its slots`);
      for (let slot = 0; slot < slots; slot++) {
        if (((bitmap >> slot) & 1) === 0) take(base + (page - 1) * 256 + slot * slotBytes, slotBytes);
      }
      if (bitmap !== 0) open.add(page);
      if (bitmap === 2 ** slots - 1) emptyPages.push(page);
    }
    expect(emptyPages.length <= 1, `pages ${emptyPages} of slots of ${slotBytes} are empty`);
    listed.set(record, open);
  }
  let previousKind = INSIDE;
  for (let page = 1; page <= pages; ) {
    const { kind, second: length, third } = entry(page);
    if (kind >= 16) {
      page++;
    } else {
      expect(kind === FREE || kind === LARGE, `page ${page} is of kind ${kind}`);
      expect(length >= 1 && page + length <= pages + 1, `${length} pages at ${page}`);
      for (let at = page + 1; at < page + length; at++) {
        const last = kind === FREE && at === page + length - 1;
        expect(entry(at).kind === (last ? LAST : INSIDE), `page ${at} inside the run at ${page}`);
        if (last) expect(entry(at).second === length, `the last page of the free run at ${page}`);
      }
      if (kind === LARGE) take(base + (page - 1) * 256 + third * 8, length * 256 - third * 8);
      else {
        expect(previousKind !== FREE, `free neighbours at page ${page}`);
        listed.get(12)!.add(page);
      }
      page += length;
    }
    previousKind = kind;
  }
  expect(live.size === 0, `${live.size} live blocks are missing`);
  for (const [head, left] of listed) {
    let previous = 0;
    for (let page = half(head); page !== 0; page = entry(page).third) {
      expect(left.delete(page), `the list at ${head} holds page ${page}`);
      expect(entry(page).fourth === previous, `the previous link of page ${page}`);
      previous = page;
    }
    expect(left.size === 0, `pages ${[...left]} are in no list`);
  }
}
