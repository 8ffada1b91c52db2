/** What `compact` shows of itself: its blocks in address order, and whether its invariants hold (compact.ts numbers them). */
import { u16 } from '../arena.ts';
import { BLOCK_CONTROL, BLOCK_FREE, BLOCK_LIVE } from '../policy.ts';
import {
  CHECK,
  ENTRY,
  endOfTable,
  FREES,
  GAP,
  HANDLES,
  isFree,
  isLive,
  isTable,
  lengthOf,
  PINS,
  startOf,
  tableEnd,
} from './handle-table.ts';

/** The handle whose block or hole covers a granule; one more than all handles for room. */
function handleAt(granule: number): number {
  let low = 1;
  let high = u16[HANDLES]! + 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (startOf(middle) <= granule) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The words of handles and pins come first, as a block of control data. */
export function firstBlock(): number {
  return endOfTable(0) << 3;
}

export function nextBlock(block: number): number {
  const granule = block >> 3;
  const table = tableEnd();
  const next = granule < table ? table : startOf(handleAt(granule) - 1);
  return next === startOf(0) ? 0 : next << 3;
}

export function blockKind(block: number): number {
  const granule = block >> 3;
  if (granule < tableEnd()) return BLOCK_CONTROL;
  return isLive(handleAt(granule)) ? BLOCK_LIVE : BLOCK_FREE;
}

export function blockPayload(block: number): number {
  return handleAt(block >> 3);
}

function violated(invariant: number, granule: number): number {
  u16[CHECK] = granule;
  return invariant;
}

export function check(): number {
  const handles = u16[HANDLES]!;
  const pins = u16[PINS]!;
  if (!isTable()) return violated(1, startOf(handles));
  let frees = 0;
  for (let handle = 1; handle <= handles; handle++) {
    const length = lengthOf(handle);
    if (length < 0 || (length === 0 && !isFree(handle))) return violated(2, startOf(handle));
    if (isFree(handle)) frees++;
  }
  for (let word = 1; word <= pins; word++) {
    const handle = u16[ENTRY + handles + word]!;
    if (!isLive(handle)) return violated(3, 0);
    for (let other = 1; other < word; other++) {
      if (u16[ENTRY + handles + other] === handle) return violated(3, startOf(handle));
    }
  }
  const gap = u16[GAP]!;
  if (frees !== u16[FREES]) return violated(4, startOf(handles));
  return gap === 0 || (gap <= handles && isFree(gap)) ? 0 : violated(4, 0);
}

export function checkOffset(): number {
  return u16[CHECK]! << 3;
}
