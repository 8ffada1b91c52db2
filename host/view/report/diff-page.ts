/** Two reports on one page: what changed, the maps side by side, the live bytes of both over time. */
import type { DifferenceRow } from '../../report/diff.ts';
import { html } from '../escape.ts';
import type { ReportData } from './recorder.ts';
import { factsText } from './report.ts';
import { answersList, mapSection } from './sections.ts';
import { pageHtml } from './shell.ts';
import { section, table } from './table.ts';

/** More of these is better; of all others less is, and counts of calls are neither. */
const BETTER_WITH_MORE = new Set(['freeBytes', 'largestFreeBytes']);
const NEITHER = new Set(['mallocs', 'frees', 'arenaBytes', 'engineTotalBytes']);

/** `peakLiveBytes` as `peak live`: the unit stands beside the figure. Sites and marks keep their names. */
const wordsOf = (name: string): string =>
  /^[a-z][A-Za-z]+$/.test(name)
    ? name.replace(/Bytes$/, '').replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    : name;

function grade({ name, change }: DifferenceRow): string {
  if (change === 0 || NEITHER.has(name)) return 'number';
  return `number ${change > 0 === BETTER_WITH_MORE.has(name) ? 'is-less' : 'is-more'}`;
}

export function diffHtml(a: ReportData, b: ReportData, found: readonly DifferenceRow[]): string {
  const numbers = ['A', 'B', 'change'].map((title) => ({ title, isNumber: true }));
  const rows = found.map((row) => ({
    cells: [wordsOf(row.name), row.texts.a, row.texts.b, row.texts.change],
    className: grade(row),
  }));
  const series =
    a.series.length === 0 && b.series.length === 0
      ? ''
      : section('series-title', 'Live bytes over time', '<div id="both" class="chart"></div>');
  const body = `<header>
<h1>What changed</h1>
<p>A: ${html(a.title)} (${html(factsText(a))})</p>
<p>B: ${html(b.title)} (${html(factsText(b))})</p>
</header>
<main class="panels-of-two">
${section('changes', 'Figures', table([{ title: '' }, ...numbers], rows))}
${series}
<div class="columns">
<div>${answersList(a)}${mapSection(a, 'A: map', '', 0)}</div>
<div>${answersList(b)}${mapSection(b, 'B: map', '-b', 1)}</div>
</div>
</main>`;
  return pageHtml({ title: `${a.title} and ${b.title}`, body, data: [a, b] });
}
