/**
 * Percore's control data and its page heap: what percore.ts draws below the pages. Everything here is reached with LOCK
 * taken, but for the deferred list of the running context.
 *
 *   findPages   | 0 | LARGE | INSIDE | 0 | 0 | 0 | class |    the first run that is long enough and begins as aligned
 *   freePages   | 0 | 0     | 0      | 0 | 0 | 0 | class |
 */
import { u8, u16 } from '../arena.ts';

/** Indices in u16. */
export const CACHE = 0;
export const PAGES = 1;
export const LOCK = 2;
export const CHECK = 3;
export const DEFERRED = 4;
export const UNITS = 7;
/** Where the tables begin: of pages' links (an index in u16), and of their kinds (an index in u8). */
export const LINKS_AT = 8;
export const KINDS_AT = 9;
export const CACHES = 16;
export const CONTEXTS = 3;
export const CLASS_PAGES = 64;
/** Index in u8: a state a unit. */
export const STATES = 160;

export const PAGE_BYTES = 512;
export const PAGE_UNITS = 32;
export const CLASSES = 15;
/** Kinds of pages that are of no class; 0 is free. */
export const WAITING = 252;
export const CONTROL = 253;
export const LARGE = 254;
export const INSIDE = 255;

/** Bytes of the tables for each page: 32 states, a link, a kind. */
const TABLE_BYTES = 35;
/** Between the tables and the first page, so that a write that far before a payload does not reach them. */
const GAP_BYTES = 64;
const MAX_PAGES = 1023;

/** Formats the control data for an arena; the pages that are left for blocks. */
export function initPages(arenaBytes: number): number {
  let pages = arenaBytes >> 9;
  if (pages > MAX_PAGES) pages = MAX_PAGES;
  const control = (STATES + pages * TABLE_BYTES + GAP_BYTES + PAGE_BYTES - 1) >> 9;
  if (pages <= control) return 0;
  for (let word = 0; word < (control << 9) >> 1; word++) u16[word] = 0;
  u16[CACHE] = CACHES;
  u16[PAGES] = pages;
  u16[UNITS] = pages << 5;
  u16[LINKS_AT] = (STATES + (pages << 5)) >> 1;
  u16[KINDS_AT] = STATES + pages * 34;
  for (let page = 0; page < control; page++) u8[u16[KINDS_AT]! + page] = CONTROL;
  return pages - control;
}

/** Index in u8 of what a page is. */
export function kindAt(page: number): number {
  return u16[KINDS_AT]! + page;
}

/** Index in u16 of a page's link: the next of its list, or how many pages a large block has. */
export function linkAt(page: number): number {
  return u16[LINKS_AT]! + page;
}

/** Index in u16 of the running context's deferred list. */
function deferredAt(): number {
  return DEFERRED + ((u16[CACHE]! - CACHES) >> 4);
}

/** The first run of `count` free pages that begins at a multiple of `alignment` pages, 0 when there is none. */
export function findPages(count: number, alignment: number): number {
  const kinds = u16[KINDS_AT]!;
  const end = kinds + u16[PAGES]!;
  const mask = alignment - 1;
  let run = 0;
  // loop: at most pages512
  for (let at = kinds + 1; at < end; at++) {
    if (u8[at] !== 0) run = 0;
    else if (run !== 0 || ((at - kinds) & mask) === 0) run = run + 1;
    if (run === count) return at - kinds - count + 1;
  }
  return 0;
}

/** Makes the pages of a large block free. */
export function freePages(page: number): void {
  let at = kindAt(page);
  const end = u16[KINDS_AT]! + u16[PAGES]!;
  u8[at] = 0;
  at = at + 1;
  // loop: at most pages512
  while (at < end && u8[at] === INSIDE) {
    u8[at] = 0;
    at = at + 1;
  }
}

/** Frees the large blocks that this context could not free before. What does not wait is none of them, and ends the list. */
export function drainDeferred(): void {
  let page = u16[deferredAt()]!;
  u16[deferredAt()] = 0;
  // loop: at most deferred
  while (page !== 0 && u8[kindAt(page)] === WAITING) {
    const next = u16[linkAt(page)]!;
    freePages(page);
    page = next;
  }
}

/** Frees a large block, now or when this context has the lock. */
export function freeLarge(page: number): void {
  if (u16[LOCK] === 0) {
    u16[LOCK] = 1;
    freePages(page);
    u16[LOCK] = 0;
  } else {
    u8[kindAt(page)] = WAITING;
    u16[linkAt(page)] = u16[deferredAt()]!;
    u16[deferredAt()] = page;
  }
}

/** Marks the pages after `from` up to `to` of a large block that begins at `page`, and notes its length. */
function markInside(page: number, from: number, to: number): void {
  const end = kindAt(page + to);
  // loop: at most pages512
  for (let at = kindAt(page + from); at < end; at++) u8[at] = INSIDE;
  u16[linkAt(page)] = to;
}

/** Makes `count` free pages a large block; its payload's offset. */
export function makeLarge(page: number, count: number): number {
  u8[kindAt(page)] = LARGE;
  markInside(page, 1, count);
  return page << 9;
}

/** Gives a large block `count` pages where it lies, if the pages after it allow. */
export function resizeLarge(page: number, count: number): boolean {
  const held = u16[linkAt(page)]!;
  const end = kindAt(page + count);
  if (page + count > u16[PAGES]! || page + held > u16[PAGES]!) return false;
  // loop: at most pages512
  for (let at = kindAt(page + held); at < end; at++) if (u8[at] !== 0) return false;
  // loop: at most pages512
  for (let at = end; at < kindAt(page + held); at++) u8[at] = 0;
  markInside(page, held, count);
  return true;
}

/** Bytes of a large block whose payload begins there; 0 when none does. */
export function largeBytes(offset: number): number {
  const page = offset >> 9;
  if ((offset & (PAGE_BYTES - 1)) !== 0 || u8[kindAt(page)] !== LARGE) return 0;
  return u16[linkAt(page)]! << 9;
}
