/** A heap's addresses as cells of equal size, each with what most of it is: what every map of a view is made of. */
import { BLOCK_BEYOND, BLOCK_CONTROL, BLOCK_LIVE } from '../../../firmware/src/policy.ts';
import type { Scene } from '../scene.ts';

/** Cell bytes are multiples of this: every policy aligns payloads to it. */
const GRAIN_BYTES = 8;

/** In the place of a part: a cell that is mostly the policy's own, and one that is mostly nobody's. */
const CELL_CONTROL = -1;
export const CELL_BEYOND = -2;

export interface MapCells {
  cellBytes: number;
  /** Part of each cell that is live, 0 to 1; or CELL_; NaN beyond the end. */
  parts: Float64Array;
}

/** Bytes of a cell when `count` of them hold `bytes`. */
export const cellBytesFor = (bytes: number, count: number): number =>
  Math.max(GRAIN_BYTES, Math.ceil(bytes / count / GRAIN_BYTES) * GRAIN_BYTES);

/** Sums the blocks of [start, start + bytes), by default of all, into `count` cells of equal size. */
export function mapCells(
  scene: Pick<Scene, 'arenaBytes' | 'walk'>,
  count: number,
  start = 0,
  bytes = scene.arenaBytes ?? 0,
): MapCells {
  const cellBytes = cellBytesFor(bytes, count);
  const live = new Float64Array(count);
  const control = new Float64Array(count);
  const beyond = new Float64Array(count);
  scene.walk((offset, sizeBytes, kind) => {
    const into = kind === BLOCK_LIVE ? live : kind === BLOCK_CONTROL ? control : kind === BLOCK_BEYOND ? beyond : null;
    if (into === null) return;
    const end = Math.min(offset + sizeBytes - start, bytes);
    for (let at = Math.max(0, offset - start); at < end; ) {
      const cell = Math.floor(at / cellBytes);
      const until = Math.min(end, (cell + 1) * cellBytes);
      into[cell]! += until - at;
      at = until;
    }
  });
  const parts = new Float64Array(count);
  for (let cell = 0; cell < count; cell++) {
    const inCell = Math.min(cellBytes, bytes - cell * cellBytes);
    if (inCell <= 0) parts[cell] = Number.NaN;
    else if (control[cell]! * 2 > inCell) parts[cell] = CELL_CONTROL;
    else if (beyond[cell]! * 2 > inCell) parts[cell] = CELL_BEYOND;
    else parts[cell] = live[cell]! / inCell;
  }
  return { cellBytes, parts };
}

/** 0 is wholly free and the last step wholly live; everything between is mixed. */
export function step(part: number, steps: number): number {
  if (part <= 0) return 0;
  if (part >= 1) return steps - 1;
  return 1 + Math.min(steps - 3, Math.floor(part * (steps - 2)));
}
