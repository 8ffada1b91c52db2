// A percore heap from its raw bytes: the kinds of the pages, the states of their objects, the caches and lists of pages.
import type { HeapModel } from '../support/model.ts';
import { rawView } from './raw.ts';

const PAGE_BYTES = 512;
const STATES = 160;
const LARGE = 254;
const INSIDE = 255;
const CONTROL = 253;

export function walkPercore(bytes: Uint8Array, model: HeapModel): void {
  const { half, byte, expect, take, done } = rawView(bytes, model);
  const pages = half(2);
  const links = STATES + 32 * pages;
  const kinds = links + 2 * pages;
  expect(pages === bytes.length >> 9 && half(4) === 0, `${pages} pages, lock ${half(4)}`);
  expect(half(14) === 32 * pages && half(16) * 2 === links && half(18) === kinds, 'where the tables begin');
  const linkOf = (page: number): number => half(links + 2 * page);
  /** Units of objects that are not live, by who has them. */
  const dead = new Map<number, Set<number>>();
  const pagesWithOwn = new Map<number, Set<number>>();
  const held = (of: Map<number, Set<number>>, key: number): Set<number> => {
    if (!of.has(key)) of.set(key, new Set());
    return of.get(key)!;
  };
  for (let page = 0; page < pages; ) {
    const kind = byte(kinds + page);
    if (kind === 0 || kind === CONTROL) {
      expect((kind === CONTROL) === page * PAGE_BYTES < kinds + pages + 64, `page ${page} is of kind ${kind}`);
      page++;
    } else if (kind === LARGE) {
      const count = linkOf(page);
      expect(count >= 1 && page + count <= pages, `${count} pages at page ${page}`);
      for (let next = page + 1; next < page + count; next++) expect(byte(kinds + next) === INSIDE, `page ${next}`);
      expect(page + count === pages || byte(kinds + page + count) !== INSIDE, `page ${page + count} is inside nothing`);
      take(page * PAGE_BYTES, count * PAGE_BYTES);
      page += count;
    } else {
      expect(kind <= 15, `page ${page} is of kind ${kind}`);
      let own = 0;
      let objects = 0;
      for (let unit = 32 * page; unit + kind <= 32 * (page + 1); unit += kind) {
        const state = byte(STATES + unit);
        expect(state % 16 === kind && state < 80, `unit ${unit} of kind ${kind} is in state ${state}`);
        objects++;
        if (state === kind) take(unit * 16, kind * 16);
        else if (state < 64) held(dead, state).add(unit);
        else own++;
      }
      expect(own < objects, `page ${page} has all its objects`);
      if (own > 0) held(pagesWithOwn, kind).add(page);
      page++;
    }
  }
  done();
  for (let cache = 16; cache < 64; cache++) {
    if (cache % 16 === 0) {
      expect(half(2 * cache) === 0, `the caches from ${cache} have lost objects`);
      continue;
    }
    const left = held(dead, cache);
    let before = 0;
    for (let unit = half(2 * cache); unit !== before; unit = half(16 * unit)) {
      expect(left.delete(unit), `cache ${cache} holds unit ${unit}`);
      before = unit;
    }
    expect(left.size === 0, `units ${[...left].slice(0, 5)} are not in cache ${cache}`);
  }
  for (let kind = 1; kind <= 15; kind++) {
    const left = held(pagesWithOwn, kind);
    for (let page = half(2 * (64 + kind)); page !== 0; page = linkOf(page)) {
      expect(left.delete(page), `list ${kind} holds page ${page}`);
    }
    expect(left.size === 0, `pages ${[...left]} are in no list`);
  }
}
