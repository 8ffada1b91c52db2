/** Two reports side by side: two builds, two policies, or a board against its simulation. */
import type { ReportData } from '../view/report/report.ts';
import { bytesText, countText, percentText } from '../view/units.ts';

export interface Difference {
  name: string;
  a: number;
  b: number;
  /** b - a. */
  change: number;
}

type Unit = 'bytes' | 'count' | 'part';

const rows: readonly { name: string; unit: Unit; value: (data: ReportData) => number | null | undefined }[] = [
  { name: 'arenaBytes', unit: 'bytes', value: (data) => data.arenaBytes },
  { name: 'peakLiveBytes', unit: 'bytes', value: (data) => data.figures?.peakLiveBytes },
  { name: 'liveBytes', unit: 'bytes', value: (data) => data.figures?.liveBytes },
  { name: 'liveBlocks', unit: 'count', value: (data) => data.figures?.liveBlocks },
  { name: 'freeBytes', unit: 'bytes', value: (data) => data.figures?.freeBytes },
  { name: 'largestFreeBytes', unit: 'bytes', value: (data) => data.figures?.largestFreeBytes },
  { name: 'externalFragmentation', unit: 'part', value: (data) => data.figures?.externalFragmentation },
  { name: 'mallocs', unit: 'count', value: (data) => data.figures?.mallocs },
  { name: 'frees', unit: 'count', value: (data) => data.figures?.frees },
  { name: 'failures', unit: 'count', value: (data) => data.figures?.failures },
  { name: 'engineUsedBytes', unit: 'bytes', value: (data) => data.engine?.usedBytes },
  { name: 'engineTotalBytes', unit: 'bytes', value: (data) => data.engine?.totalBytes },
  { name: 'misuses', unit: 'count', value: (data) => data.figures?.misuses },
];

/** The figures that both have, the live bytes of each site of either where they differ, and those at each common mark. */
export function differences(a: ReportData, b: ReportData): Difference[] {
  const figures = rows.flatMap(({ name, value }) => {
    const [left, right] = [value(a), value(b)];
    return typeof left === 'number' && typeof right === 'number'
      ? [{ name, a: left, b: right, change: right - left }]
      : [];
  });
  const live = (data: ReportData) => new Map(data.sites.map((site) => [site.name, site.liveBytes]));
  const [left, right] = [live(a), live(b)];
  const sites = [...new Set([...left.keys(), ...right.keys()])].map((name) => {
    const [was, is] = [left.get(name) ?? 0, right.get(name) ?? 0];
    return { name: `site ${name}`, a: was, b: is, change: is - was };
  });
  return [...figures, ...sites.filter(({ change }) => change !== 0), ...atMarks(a, b)];
}

/** Live bytes at each mark that both have, by its text and by how often it was set before. */
function atMarks(a: ReportData, b: ReportData): Difference[] {
  const named = (data: ReportData): Map<string, number> => {
    const times = new Map<string, number>();
    return new Map(
      data.marks.map(({ text, liveBytes }) => {
        const time = (times.get(text) ?? 0) + 1;
        times.set(text, time);
        return [time === 1 ? text : `${text} (${time})`, liveBytes];
      }),
    );
  };
  const right = named(b);
  return [...named(a)].flatMap(([text, was]) => {
    const is = right.get(text);
    return is === undefined ? [] : [{ name: `live at ${text}`, a: was, b: is, change: is - was }];
  });
}

/** A difference with its figures as people read them. */
export interface DifferenceRow extends Difference {
  texts: { a: string; b: string; change: string };
}

export function differenceRows(found: readonly Difference[]): DifferenceRow[] {
  const text = (name: string, value: number): string => {
    const unit = rows.find((row) => row.name === name)?.unit ?? 'bytes';
    if (unit === 'part') return percentText(value);
    return unit === 'count' ? countText(value) : bytesText(value);
  };
  return found.map((difference) => {
    const { name, a, b, change } = difference;
    const changed = change === 0 ? 'same' : `${change > 0 ? '+' : '-'}${text(name, Math.abs(change))}`;
    return { ...difference, texts: { a: text(name, a), b: text(name, b), change: changed } };
  });
}

export function differencesText(found: readonly Difference[]): string {
  const lines = differenceRows(found).map(({ name, texts }) => [name, texts.a, texts.b, texts.change]);
  const table = [['', 'A', 'B', 'change'], ...lines];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]!.length)));
  return table
    .map((row) =>
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
    )
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}
