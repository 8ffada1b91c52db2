/** Cycles of `bench --board` and `--native` as text, and why there are none where a board has no room for the arena. */
import type { Board } from '../../boards/board.ts';
import { bytesText, countText } from '../view/units.ts';
import type { BenchRow } from './bench.ts';
import { textTable } from './bench-table.ts';
import type { CycleStats } from './cycles.ts';

const pair = (stats: CycleStats | null): string =>
  stats === null ? '-' : `${countText(Math.round(stats.mean))}, ${countText(stats.max)}`;

/** A line a trace and policy; empty where no cycles were asked for. */
export function cyclesTable(results: readonly BenchRow[]): string {
  const target = results.find(({ cycles }) => cycles !== null)?.cycles?.target;
  if (target === undefined) return '';
  const rows = [[`cycles on ${target}: mean, most`, '', 'malloc', 'free', 'realloc']];
  for (const { trace, policy, cycles } of results) {
    const calls = cycles === null ? ['-', '-', '-'] : [cycles.malloc, cycles.free, cycles.realloc].map(pair);
    rows.push([trace, policy, ...calls]);
  }
  return textTable(rows);
}

/** Why a row has no cycles on a board. Its arena there is ample, or else twice the footprint (bench.ts). */
export function whyNotCounted({ trace, policy, footprintBytes }: BenchRow, board: Board): string {
  const { jsvars, engineHeapBytes } = board;
  const engineBytes = jsvars ? jsvars.count * jsvars.bytesEach : engineHeapBytes;
  const told = `${trace}, ${policy}: no cycles on ${board.id}`;
  if (footprintBytes === null) return `${told}: no arena completes the trace`;
  const arena = `an arena of ${bytesText(2 * footprintBytes)}, twice the footprint`;
  return engineBytes !== null && engineBytes < 2.1 * footprintBytes
    ? `${told}: they are counted in ${arena}, and its engine has ${bytesText(engineBytes)} in all`
    : `${told}: it did not complete in ${arena}`;
}
