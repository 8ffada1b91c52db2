// A slab heap from its raw bytes: the records give the pages, the masks are derived from the class, the lists are followed.
import { type HeapModel, ModelFault } from '../support/model.ts';

const FREE = 0;
const LARGE = 9;
const INSIDE = 10;
const CONTROL = 11;

export function walkSlab(bytes: Uint8Array, model: HeapModel): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const half = (index: number): number => view.getUint16(index * 2, true);
  const expect = (truth: boolean, text: string): void => {
    if (!truth) throw new ModelFault(`raw bytes: ${text}`);
  };
  const pages = half(0);
  const granuleOf = (page: number): number => half(2) + page * 16;
  const record = (page: number) => ({
    bits: half(20 + 3 * page),
    next: half(21 + 3 * page),
    kind: half(22 + 3 * page) >> 12,
    previous: half(22 + 3 * page) & 0xfff,
  });
  expect(
    granuleOf(pages + 1) * 8 === (bytes.length & ~7),
    `${pages} pages from granule ${granuleOf(1)} leave the arena`,
  );
  expect(granuleOf(1) * 8 >= 40 + 6 * (pages + 2), 'the records reach the pages');
  expect(record(0).kind === CONTROL && record(pages + 1).kind === CONTROL, 'the records at both ends');

  const live = new Map(model.live.map((block) => [block.offset, block.usable]));
  const take = (granule: number, granules: number): void => {
    expect(live.get(granule * 8) === granules * 8, `granule ${granule} holds ${granules * 8}`);
    live.delete(granule * 8);
  };
  const withFree = new Map<number, Set<number>>();
  let lowestFree = pages + 1;
  let previousKind = CONTROL;
  for (let page = 1; page <= pages; ) {
    const { bits, next, kind } = record(page);
    if (kind >= 1 && kind <= 8) {
      let begins = 0;
      for (let at = 0; at + kind <= 16; at += kind) {
        begins |= 1 << at;
        if (((bits >> at) & 1) === 0) take(granuleOf(page) + at, kind);
      }
      expect((bits & ~begins) === 0 && half(11 + kind) === begins, `bits or mask of page ${page}`);
      if (bits !== 0) withFree.set(kind, (withFree.get(kind) ?? new Set()).add(page));
      page++;
    } else {
      expect(kind === FREE || kind === LARGE, `page ${page} is of kind ${kind}`);
      expect(bits >= 1 && page + bits <= pages + 1, `${bits} pages at ${page}`);
      for (let at = page + 1; at < page + bits; at++) {
        expect(record(at).kind === (kind === FREE ? FREE : INSIDE), `page ${at} inside the run at ${page}`);
      }
      if (kind === LARGE) {
        take(granuleOf(page) + next, bits * 16 - next);
      } else {
        expect(previousKind !== FREE, `free neighbours at page ${page}`);
        expect(record(page + bits - 1).bits === bits, `the last record of the free run at ${page}`);
        lowestFree = Math.min(lowestFree, page);
      }
      page += bits;
    }
    previousKind = kind;
  }
  expect(half(1) <= lowestFree, `LOW is ${half(1)}, page ${lowestFree} is free`);
  expect(live.size === 0, `${live.size} live blocks are missing`);
  for (let kind = 1; kind <= 8; kind++) {
    const pagesLeft = withFree.get(kind) ?? new Set();
    let previous = 0;
    for (let page = half(3 + kind); page !== 0; page = record(page).next) {
      expect(pagesLeft.delete(page), `list ${kind} holds page ${page}`);
      expect(record(page).previous === previous, `the previous link of page ${page}`);
      previous = page;
    }
    expect(pagesLeft.size === 0, `pages ${[...pagesLeft]} are in no list`);
  }
}
