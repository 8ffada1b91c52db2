// A compact heap from its raw bytes: the table of handles gives the blocks and holes, from the arena's end down.
import type { HeapModel } from '../support/model.ts';
import { rawView } from './raw.ts';

const TABLE = 12;
const FREE_BIT = 0x8000;

export function walkCompact(bytes: Uint8Array, model: HeapModel): void {
  const { half, expect, take, done } = rawView(bytes, model);
  const handles = half(2);
  const pins = half(4);
  const gap = half(6);
  const start = (handle: number): number => half(TABLE + 2 * handle) & (FREE_BIT - 1);
  const isFree = (handle: number): boolean => half(TABLE + 2 * handle) >= FREE_BIT;
  expect(half(TABLE) === bytes.length >> 3, `END is ${half(TABLE)} of ${bytes.length} bytes`);
  expect(TABLE + 2 * (handles + pins + 1) <= 8 * start(handles), `${handles} handles, ${pins} pins reach the blocks`);

  let free = 0;
  for (let handle = 1; handle <= handles; handle++) {
    const granules = start(handle - 1) - start(handle);
    expect(granules >= 0, `handle ${handle} begins above the one before`);
    if (isFree(handle)) free++;
    else take(handle, 8 * granules);
  }
  done();
  expect(free === half(8), `${half(8)} free handles are counted, ${free} found`);
  expect(gap === 0 || (gap <= handles && isFree(gap)), `the gap is handle ${gap}`);
  const pinned = Array.from({ length: pins }, (_, i) => half(TABLE + 2 * (handles + 1 + i)));
  expect(
    pinned.every((handle) => handle > 0 && handle <= handles && !isFree(handle)),
    `pins of ${pinned}`,
  );
  expect(new Set(pinned).size === pins, `pins of ${pinned}, one twice`);
}
