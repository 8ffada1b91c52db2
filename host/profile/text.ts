/** A profile as tables for the terminal: lines and functions, the most expensive first, with a bar for each share. */
import { basename } from 'node:path';
import { visible } from '../view/escape.ts';
import { bytesText, durationText } from '../view/units.ts';
import type { FunctionCost, LineCost } from './places.ts';
import type { ProfiledRun } from './run.ts';

const barCells = 12;

/** `812`, `12.3 k`, `4.56 M`: three significant figures from 1,000 up. */
function cyclesText(cycles: number): string {
  for (const [size, unit] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const)
    if (cycles >= size * 0.9995) return `${(cycles / size).toPrecision(3)} ${unit}`;
  return String(Math.round(cycles));
}

export interface ProfileText {
  entry: string;
  /** What was called, null where the program ran by itself. */
  call: string | null;
  top: number;
  columns: number;
  color: boolean;
}

export function profileText(
  run: ProfiledRun,
  lines: readonly LineCost[],
  functions: readonly FunctionCost[],
  { entry, call, top, columns, color }: ProfileText,
): string {
  const { board, cycles, ms } = run;
  const busy = call === null ? `, ${share(Math.min(1, cycles / ((ms / 1000) * board.clockHz)))} of its core` : '';
  const what = call === null ? durationText(ms) : `${call}, ${durationText(ms)}`;
  const out = [`${basename(entry)} on ${board.id}: ${what}, ${cyclesText(cycles)} cycles${busy}`, ''];
  const bold = (text: string): string => (color ? `\x1b[1m${text}\x1b[22m` : text);
  const counts = run.board.engine === 'kaluma';

  const head = `${'cycles'.padStart(8)} ${'share'.padStart(6)}  ${''.padEnd(barCells)}  ${counts ? `${'heap'.padStart(8)}  ` : ''}`;
  out.push(bold(`${head}line`));
  for (const line of lines.slice(0, top)) {
    const heap = counts ? `${(line.allocatedBytes ? bytesText(line.allocatedBytes) : '').padStart(8)}  ` : '';
    const place = line.line === 0 ? line.source : `${line.source}:${line.line}`;
    out.push(visible(`${costs(line.cycles, cycles)}  ${heap}${place}  ${line.text}`, columns));
  }
  if (lines.length > top) out.push(rest(lines.slice(top), cycles, counts));

  out.push(
    '',
    bold(`${'self'.padStart(8)} ${'share'.padStart(6)}  ${''.padEnd(barCells)}  ${'total'.padStart(8)}  function`),
  );
  for (const { name, source, line, selfCycles, totalCycles } of functions.slice(0, top)) {
    const place = source === '' ? '' : `  ${source}${line === 0 ? '' : `:${line}`}`;
    out.push(visible(`${costs(selfCycles, cycles)}  ${cyclesText(totalCycles).padStart(8)}  ${name}${place}`, columns));
  }
  return `${out.join('\n')}\n`;
}

function costs(part: number, whole: number): string {
  const filled = whole === 0 ? 0 : Math.round((part / whole) * barCells);
  return `${cyclesText(part).padStart(8)} ${share(whole === 0 ? 0 : part / whole).padStart(6)}  ${'#'.repeat(filled).padEnd(barCells)}`;
}

function rest(lines: readonly LineCost[], whole: number, counts: boolean): string {
  const sum = lines.reduce((total, { cycles }) => total + cycles, 0);
  return `${costs(sum, whole)}  ${counts ? ' '.repeat(10) : ''}${lines.length} more lines (--top N)`;
}

const share = (part: number): string => `${(part * 100).toFixed(1)} %`;
