/**
 * Free runs of pages, for a policy whose pages are told by entries of four halves (slab.ts draws the arena).
 *
 *   entry of a page      kind | pages of the run | next | previous        links are page numbers, 0 is none
 *     FREE               the first page of a free run
 *     LAST               the last page of a free run of two or more; has the run's length, not the links
 *     LARGE              the first page of a block in use
 *     INSIDE             any other page of a run or block
 *     from 4 up          in use, told by the policy
 *
 *   giveRun   | free | given | free |  =>  | free .............. |
 *   carve     | free .............. |  =>  | taken | free ...... |
 *
 * Pages are numbered from 1; the entries before the first page and after the last are INSIDE for ever, so that neither
 * end needs a test. Runs beside each other are joined at once.
 */
import { u16, u32 } from '../arena.ts';

/** Bytes of all pages, 256 each: a word. */
export const LIMIT = 0;
/** Head of the list of free runs: a half. */
export const RUNS = 12;
/** Offset of the entry of page 0, and the fields of an entry. */
export const PAGES = 136;
export const LENGTH = 2;
export const NEXT = 4;
export const PREVIOUS = 6;

export const INSIDE = 0;
export const LARGE = 1;
export const FREE = 2;
export const LAST = 3;

/** Puts a page or run at the head of the list that begins at `head`. @routine */
export function enlist(head: number, page: number): void {
  const next = u16[head >> 1]!;
  const at = PAGES + (page << 3);
  u16[(at + NEXT) >> 1] = next;
  u16[(at + PREVIOUS) >> 1] = 0;
  if (next !== 0) u16[(PAGES + PREVIOUS + (next << 3)) >> 1] = page;
  u16[head >> 1] = page;
}

/** @routine */
export function unlist(head: number, page: number): void {
  const at = PAGES + (page << 3);
  const next = u16[(at + NEXT) >> 1]!;
  const previous = u16[(at + PREVIOUS) >> 1]!;
  if (previous === 0) u16[head >> 1] = next;
  else u16[(PAGES + NEXT + (previous << 3)) >> 1] = next;
  if (next !== 0) u16[(PAGES + PREVIOUS + (next << 3)) >> 1] = previous;
}

/**
 * The shortest free run of `length` pages or more, the lowest of these; 0 when there is none. An underflow of the lowest
 * page can make the list a circle: no walk takes more steps than there are pages, and there are none whose entries have
 * no end (beyond the arena nothing is loaded, and that is not INSIDE). @routine
 */
export function shortestRun(length: number): number {
  let best = 0;
  let bestLength = 0x10000;
  let run = u16[RUNS >> 1]!;
  let steps = u32[LIMIT >> 2]! >>> 8;
  if (u16[(PAGES + ((steps + 1) << 3)) >> 1] !== INSIDE) return 0;
  // loop: at most runs
  while (run !== 0 && steps !== 0) {
    steps--;
    const at = PAGES + (run << 3);
    const has = u16[(at + LENGTH) >> 1]!;
    if (has >= length && (has < bestLength || (has === bestLength && run < best))) {
      best = run;
      bestLength = has;
    }
    run = u16[(at + NEXT) >> 1]!;
  }
  return best;
}

/** Takes the first `length` pages of a free run: | run ......... | => | taken | run .. |. @routine */
export function carve(run: number, length: number): void {
  const has = u16[(PAGES + LENGTH + (run << 3)) >> 1]!;
  unlist(RUNS, run);
  u16[(PAGES + (run << 3)) >> 1] = INSIDE;
  u16[(PAGES + ((run + has - 1) << 3)) >> 1] = INSIDE;
  if (has > length) placeRun(run + length, has - length);
}

/** @routine */
function placeRun(page: number, length: number): void {
  const last = PAGES + ((page + length - 1) << 3);
  u16[last >> 1] = LAST;
  u16[(last + LENGTH) >> 1] = length;
  const at = PAGES + (page << 3);
  u16[at >> 1] = FREE;
  u16[(at + LENGTH) >> 1] = length;
  enlist(RUNS, page);
}

/** Makes pages free, as one run with the free runs beside them. Their entries are 0 but for the first. @routine */
export function giveRun(page: number, length: number): void {
  u16[(PAGES + (page << 3)) >> 1] = INSIDE;
  const after = PAGES + ((page + length) << 3);
  if (u16[after >> 1] === FREE) {
    unlist(RUNS, page + length);
    u16[after >> 1] = INSIDE;
    length = length + u16[(after + LENGTH) >> 1]!;
  }
  const before = PAGES + ((page - 1) << 3);
  const kind = u16[before >> 1];
  if (kind === FREE || kind === LAST) {
    const more = u16[(before + LENGTH) >> 1]!;
    u16[before >> 1] = INSIDE;
    page = page - more;
    length = length + more;
    unlist(RUNS, page);
  }
  placeRun(page, length);
}

/** The first page whose entry is not as it should be, of the block or run at `page`; 0 when none does. */
export function brokenPage(page: number, kind: number, length: number): number {
  const end = page + length;
  if ((kind !== LARGE && kind !== FREE) || length < 1 || end > (u32[LIMIT >> 2]! >> 8) + 1) return page;
  for (let inside = page + 1; inside < end; inside++) {
    const at = PAGES + (inside << 3);
    const isLast = kind === FREE && inside === end - 1;
    if (u16[at >> 1] !== (isLast ? LAST : INSIDE)) return inside;
    if (isLast && u16[(at + LENGTH) >> 1] !== length) return inside;
  }
  return 0;
}
