/** Percore's check(): the invariants that percore.ts states, from the tables below the pages and the lists. */
import { u8, u16 } from '../arena.ts';
import {
  CACHE,
  CACHES,
  CHECK,
  CLASS_PAGES,
  CLASSES,
  CONTEXTS,
  CONTROL,
  DEFERRED,
  INSIDE,
  kindAt,
  LARGE,
  LOCK,
  linkAt,
  PAGES,
  STATES,
  WAITING,
} from './percore-pages.ts';

function violated(invariant: number, page: number): number {
  u16[CHECK] = page;
  return invariant;
}

/** Objects of a page whose state is that of one of the lists from `least` to `most`; -1 when a state is none. */
function objectsHeld(page: number, kind: number, least: number, most: number): number {
  let count = 0;
  for (let unit = 0; unit + kind <= 32; unit += kind) {
    const state = u8[STATES + (page << 5) + unit]!;
    if ((state & 15) !== kind || state > CLASS_PAGES + CLASSES) return -1;
    if (state >= least && state <= most) count++;
  }
  return count;
}

/** How many objects a cache's list has, all of its state; -1 when one has not, or there are more than `most`. */
function listLength(cache: number, most: number): number {
  let count = 0;
  let unit = u16[cache]!;
  while (unit !== 0) {
    if (unit >= u16[PAGES]! << 5 || u8[STATES + unit] !== cache || count === most) return -1;
    count++;
    const next = u16[unit << 3]!;
    unit = next === unit ? 0 : next;
  }
  return count;
}

/** Whether the pages after the first of a large block are INSIDE, as many as its link says. */
function isWhole(page: number): boolean {
  const end = page + u16[linkAt(page)]!;
  if (end === page || end > u16[PAGES]!) return false;
  for (let at = page + 1; at < end; at++) if (u8[kindAt(at)] !== INSIDE) return false;
  return end === u16[PAGES] || u8[kindAt(end)] !== INSIDE;
}

export function check(): number {
  const pages = u16[PAGES]!;
  if (u16[LOCK] !== 0) return violated(5, 0);
  if (u8[kindAt(0)] !== CONTROL || (u16[CACHE]! & 15) !== 0) return violated(1, 0);
  if (u16[CACHE]! < CACHES || u16[CACHE]! >= CACHES + (CONTEXTS << 4)) return violated(1, 0);
  let cached = 0;
  let listedPages = 0;
  for (let page = 1; page < pages; page++) {
    const kind = u8[kindAt(page)]!;
    const before = u8[kindAt(page - 1)]!;
    if (kind === INSIDE && before !== LARGE && before !== INSIDE && before !== WAITING) return violated(1, page);
    if ((kind > CLASSES && kind < WAITING) || (kind === LARGE && !isWhole(page))) return violated(1, page);
    if (kind >= 1 && kind <= CLASSES) {
      const own = objectsHeld(page, kind, CLASS_PAGES, CLASS_PAGES + CLASSES);
      if (own < 0 || own === objectsHeld(page, kind, 0, CLASS_PAGES + CLASSES)) return violated(2, page);
      cached += objectsHeld(page, kind, CACHES, CLASS_PAGES - 1);
      if (own !== 0) listedPages++;
    }
  }
  for (let kind = 1; kind <= CLASSES; kind++) {
    for (let page = u16[CLASS_PAGES + kind]!; page !== 0; page = u16[linkAt(page)]!) {
      if (page >= pages || u8[kindAt(page)] !== kind || listedPages === 0) return violated(4, page);
      if (objectsHeld(page, kind, CLASS_PAGES, CLASS_PAGES + CLASSES) === 0) return violated(4, page);
      listedPages--;
    }
  }
  if (listedPages !== 0) return violated(4, 0);
  for (let context = 0; context < CONTEXTS; context++) {
    let steps = pages;
    for (let page = u16[DEFERRED + context]!; page !== 0; page = u16[linkAt(page)]!) {
      steps--;
      if (page >= pages || steps < 0 || u8[kindAt(page)] !== WAITING) return violated(5, page);
    }
    for (let kind = 1; kind <= CLASSES; kind++) {
      const length = listLength(CACHES + (context << 4) + kind, cached);
      if (length < 0) return violated(3, u16[CACHES + (context << 4) + kind]! >> 5);
      cached -= length;
    }
  }
  return cached === 0 ? 0 : violated(3, 0);
}

export function checkOffset(): number {
  return u16[CHECK]! << 9;
}
