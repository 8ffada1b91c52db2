/**
 * One self-contained HTML file: opens from disk, asks no server for anything, and says all its figures as text. The
 * script (host/web/report.ts, built into dist/report-client.js) only adds the drawn map, its slider and the charts.
 */
import { html } from '../escape.ts';
import { bytesText } from '../units.ts';
import type { ReportData } from './recorder.ts';
import {
  answersList,
  countsSection,
  figuresList,
  histogramSection,
  lineSection,
  mapSection,
  marksSection,
  seriesSection,
  sitesSection,
  summarySection,
} from './sections.ts';
import { pageHtml } from './shell.ts';

export { type ReportData, ReportRecorder } from './recorder.ts';

/** Where it comes from, with which policy, in how much memory. */
export const factsText = ({ source, policy, arenaBytes }: ReportData): string =>
  [source, policy ?? '', arenaBytes === null ? '' : `arena ${bytesText(arenaBytes)}`].filter(Boolean).join(' · ');

export function reportHtml(data: ReportData): string {
  const body = `<header>
<h1>${html(data.title)}</h1>
<p>${html(factsText(data))}</p>
</header>
<main>
${figuresList(data)}
${answersList(data)}
<div class="panels">
<div>${mapSection(data)}${seriesSection(data)}${summarySection(data)}</div>
<div>${sitesSection(data)}${marksSection(data)}${histogramSection(data)}${countsSection(data)}${lineSection(data)}</div>
</div>
</main>`;
  return pageHtml({ title: data.title, body, data });
}
