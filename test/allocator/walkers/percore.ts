// A percore heap from its raw bytes: the page map, each page's objects, the caches and the pages' own lists.
import type { HeapModel } from '../support/model.ts';
import { rawView } from './raw.ts';

const PAGE_BYTES = 512;
const LARGE = 254;
const INSIDE = 255;
const CONTROL = 253;

export function walkPercore(bytes: Uint8Array, model: HeapModel): void {
  const { half, byte, expect, take, done } = rawView(bytes, model);
  const pages = half(2);
  expect(pages === bytes.length >> 9 && half(4) === 0, `${pages} pages, lock ${half(4)}`);
  /** Objects that are not live, by granule. */
  const dead = new Map<number, number>();
  const pagesWithFree = new Map<number, Set<number>>();
  const outside = new Map<number, number>();
  for (let page = 0; page < pages; ) {
    const kind = byte(160 + page);
    const at = page * PAGE_BYTES;
    if (kind === 0 || kind === CONTROL) {
      expect(kind === 0 || at < 160 + pages, `page ${page} is control`);
      page++;
    } else if (kind === LARGE) {
      const count = half(at);
      expect(count >= 1 && page + count <= pages, `${count} pages at page ${page}`);
      for (let next = page + 1; next < page + count; next++) expect(byte(160 + next) === INSIDE, `page ${next}`);
      expect(page + count === pages || byte(160 + page + count) !== INSIDE, `page ${page + count} is inside nothing`);
      take(at + half(at + 4), count * PAGE_BYTES - half(at + 4));
      page += count;
    } else {
      expect(kind <= 15, `page ${page} is of kind ${kind}`);
      let objects = 0;
      for (let unit = 0; unit < 32; unit++) {
        const begins = unit >= 3 && (unit - 3) % kind === 0 && unit + kind <= 32;
        const mark = byte(at + 16 + unit);
        expect(mark === 0 || (mark === 1 && begins), `unit ${unit} of page ${page} is marked ${mark}`);
        if (!begins) continue;
        objects++;
        if (mark === 1) take(at + unit * 16, kind * 16);
        else dead.set((at + unit * 16) / 8, kind);
      }
      let own = 0;
      for (let granule = half(at + 6); granule !== 0; granule = half(granule * 8)) {
        expect(granule * 8 >= at && granule * 8 < at + PAGE_BYTES && dead.delete(granule), `list of page ${page}`);
        own++;
      }
      expect(half(at) === objects - own && half(at) !== 0, `page ${page} has ${half(at)} objects outside`);
      outside.set(page, half(at));
      if (own > 0) pagesWithFree.set(kind, (pagesWithFree.get(kind) ?? new Set()).add(page));
      page++;
    }
  }
  done();
  for (let context = 0; context < 3; context++) {
    for (let kind = 1; kind <= 15; kind++) {
      for (let granule = half(2 * (16 + 16 * context + kind)); granule !== 0; granule = half(granule * 8)) {
        expect(dead.get(granule) === kind, `the cache of class ${kind} holds granule ${granule}`);
        dead.delete(granule);
      }
    }
  }
  expect(dead.size === 0, `objects at granules ${[...dead.keys()].slice(0, 5)} are in no list`);
  for (let kind = 1; kind <= 15; kind++) {
    const left = pagesWithFree.get(kind) ?? new Set();
    let previous = 0;
    for (let page = half(2 * (64 + kind)); page !== 0; page = half(page * PAGE_BYTES + 2)) {
      expect(left.delete(page), `list ${kind} holds page ${page}`);
      expect(half(page * PAGE_BYTES + 4) === previous, `the previous link of page ${page}`);
      previous = page;
    }
    expect(left.size === 0, `pages ${[...left]} are in no list`);
  }
}
