/** The cost of telemetry as a table, for people and for docs/telemetry.md. */
import type { Board } from '../../boards/board.ts';
import { countText } from '../view/units.ts';
import type { ProbeCost } from './probe-cost.ts';

const HEADINGS = [
  'level',
  'cycles a call',
  'added in it',
  'in the timer',
  'together, µs',
  'bytes an operation',
  'idle: core',
  'idle: bytes/s',
  'bundle',
];

function probeRows(rows: readonly ProbeCost[], { clockHz }: Board): string[][] {
  return rows.map((row) => [
    row.level,
    countText(row.callCycles),
    countText(row.addedCallCycles),
    countText(row.timerCycles),
    countText(((row.addedCallCycles + row.timerCycles) / clockHz) * 1e6),
    row.lineBytes.toFixed(2),
    `${(row.idlePart * 100).toFixed(1)} %`,
    row.idleLineBytesPerSecond.toFixed(0),
    countText(row.bundleBytes),
  ]);
}

export function probeText(rows: readonly ProbeCost[], board: Board): string {
  const table = [HEADINGS, ...probeRows(rows, board)];
  const widths = HEADINGS.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table
    .map((row) =>
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
    )
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

export const probeMarkdown = (rows: readonly ProbeCost[], board: Board): string =>
  [HEADINGS, HEADINGS.map((_, column) => (column === 0 ? '---' : '---:')), ...probeRows(rows, board)]
    .map((row) => `| ${row.join(' | ')} |\n`)
    .join('');
