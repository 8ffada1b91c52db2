/**
 * One self-contained HTML file: opens from disk, asks no server for anything, and says all its figures as text. The
 * script (host/web/report.ts, built into dist/report-client.js) only adds the drawn map, its slider and the charts.
 *
 * Text from a board passes `html` or, in the page's JSON, `scriptJson` (escape.ts); the page's own policy forbids it
 * to load anything, so that not even a mistake there would reach out.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodes, Problem } from '../../../boards/problem.ts';
import { packageRoot } from '../../../boards/root.ts';
import { html, scriptJson } from '../escape.ts';
import { bytesText, countText, momentText, percentText } from '../units.ts';
import type { ReportData } from './recorder.ts';
import { reportStyle } from './style.ts';

export { type ReportData, ReportRecorder } from './recorder.ts';

/** The page's own scripts and styles and nothing else. */
const POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:";

export function clientScript(name: string): { script: string; style: string } {
  const read = (file: string): string => {
    try {
      return readFileSync(join(packageRoot, 'dist', file), 'utf8');
    } catch (error) {
      throw new Problem(
        exitCodes.missing,
        'the pages of Heapglass are not built',
        [(error as Error).message],
        'Run `npm run build`.',
      );
    }
  };
  return { script: read(`${name}.js`).replaceAll('</script', '<\\/script'), style: read(`${name}.css`) };
}

export function reportHtml(data: ReportData): string {
  const { script, style } = clientScript('report-client');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Heapglass: ${html(data.title)}</title>
<style>${style}${reportStyle}</style>
</head>
<body>
<header>
<h1>${html(data.title)}</h1>
<p>${[data.source, data.policy ?? '', data.arenaBytes === null ? '' : `arena ${bytesText(data.arenaBytes)}`].filter(Boolean).map(html).join(' · ')}</p>
</header>
<main>
<section aria-labelledby="said"><h2 id="said">What it means</h2>
<ul>${data.verdicts.map((verdict) => `<li>${html(verdict)}</li>`).join('')}</ul></section>
${data.summary.length > 0 ? `<section aria-labelledby="sum"><h2 id="sum">Summary</h2><pre>${data.summary.map(html).join('\n')}</pre></section>` : ''}
${mapSection(data)}
${seriesSection(data)}
${figuresSection(data)}
${histogramSection(data)}
${sitesSection(data)}
${marksSection(data)}
${lineSection(data)}
</main>
<footer>Made by Heapglass. This file is whole: it loads nothing.</footer>
<script type="application/json" id="data">${scriptJson(data)}</script>
<script>${script}</script>
</body>
</html>
`;
}

function mapSection(data: ReportData): string {
  const { figures, arenaBytes, keyFrames } = data;
  if (figures === null || arenaBytes === null) return '';
  const last = keyFrames.at(-1)!;
  const said = `The arena of ${bytesText(arenaBytes)} at ${momentText({ clock: data.clock, atMs: last.atMs })}: ${countText(figures.liveBlocks)} live blocks with ${bytesText(figures.liveBytes)}, ${bytesText(figures.freeBytes)} free, the largest free block ${bytesText(figures.largestFreeBytes)}.`;
  return `<section aria-labelledby="map-title"><h2 id="map-title">Map</h2>
<p>${countText(data.cellBytes)} bytes a cell; addresses run from left to right and from top to bottom.
<span class="key free"></span> free <span class="key mixed"></span> mixed <span class="key live"></span> live <span class="key control"></span> the policy's own</p>
<canvas id="map" role="img" aria-label="${html(said)}" tabindex="0"></canvas>
<p id="map-at" aria-live="polite">${html(said)}</p>
<label for="time">Time</label> <input id="time" type="range" min="0" max="${keyFrames.length - 1}" value="${keyFrames.length - 1}" step="1"></section>`;
}

function seriesSection({ series, clock }: ReportData): string {
  if (series.length === 0) return '';
  const shown = series.filter((_, index) => index % Math.max(1, Math.ceil(series.length / 20)) === 0);
  const cell = (value: number | null, text: (value: number) => string) =>
    `<td>${value === null ? 'not known' : html(text(value))}</td>`;
  const rows = shown.map(
    (point) =>
      `<tr><th scope="row">${momentText({ clock, atMs: point.atMs })}</th>${cell(point.liveBytes, bytesText)}${cell(point.peakLiveBytes, bytesText)}${cell(point.largestFreeBytes, bytesText)}${cell(point.externalFragmentation, percentText)}</tr>`,
  );
  return `<section aria-labelledby="series-title"><h2 id="series-title">Over time</h2>
<div id="bytes" class="chart"></div><div id="fragmentation" class="chart"></div>
<details><summary>As a table</summary><table><thead><tr><th scope="col">time</th><th scope="col">live</th><th scope="col">peak</th><th scope="col">largest free</th><th scope="col">fragmentation</th></tr></thead><tbody>${rows.join('')}</tbody></table></details></section>`;
}

function rowsTable(id: string, title: string, rows: readonly [string, string][]): string {
  return `<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2><table><tbody>${rows
    .map(([name, value]) => `<tr><th scope="row">${html(name)}</th><td>${html(value)}</td></tr>`)
    .join('')}</tbody></table></section>`;
}

function figuresSection({ figures, engine }: ReportData): string {
  if (figures === null) return '';
  return rowsTable('figures', 'Figures at the end', [
    ['live', `${bytesText(figures.liveBytes)} in ${countText(figures.liveBlocks)} blocks`],
    ['peak live', bytesText(figures.peakLiveBytes)],
    ['free', bytesText(figures.freeBytes)],
    ['largest free block', bytesText(figures.largestFreeBytes)],
    ['external fragmentation', percentText(figures.externalFragmentation)],
    [
      'internal fragmentation',
      figures.internalFragmentation === null ? 'not known' : percentText(figures.internalFragmentation),
    ],
    ['mallocs, reallocs, frees', [figures.mallocs, figures.reallocs, figures.frees].map(countText).join(', ')],
    ['failed requests', countText(figures.failures)],
    ['misuse', countText(figures.misuses)],
    ...(engine
      ? ([
          ["the engine's own heap", `${bytesText(engine.usedBytes)} of ${bytesText(engine.totalBytes)}`],
          ["the engine's own heap, at most", bytesText(engine.peakUsedBytes)],
        ] as [string, string][])
      : []),
  ]);
}

function histogramSection({ histogram }: ReportData): string {
  const most = Math.max(1, ...histogram.map(({ liveBlocks }) => liveBlocks));
  const rows = histogram.map(
    ({ upToBytes, liveBlocks }) =>
      `<tr><th scope="row">to ${bytesText(upToBytes)}</th><td>${countText(liveBlocks)}</td><td class="bar"><span style="width:${((liveBlocks / most) * 100).toFixed(1)}%"></span></td></tr>`,
  );
  return `<section aria-labelledby="sizes"><h2 id="sizes">Live blocks by size</h2>${
    rows.length === 0
      ? '<p>No block is live.</p>'
      : `<table class="wide"><thead><tr><th scope="col">size</th><th scope="col">blocks</th><th></th></tr></thead><tbody>${rows.join('')}</tbody></table>`
  }</section>`;
}

function sitesSection({ sites }: ReportData): string {
  if (sites.length === 0) return '';
  const rows = sites.map(
    (site) =>
      `<tr><th scope="row">${html(site.name)}</th><td>${bytesText(site.liveBytes)}</td><td>${countText(site.liveBlocks)}</td><td>${countText(site.mallocs)}</td></tr>`,
  );
  return `<section aria-labelledby="sites"><h2 id="sites">Call sites</h2><table><thead><tr><th scope="col">site</th><th scope="col">live bytes</th><th scope="col">live blocks</th><th scope="col">blocks made</th></tr></thead><tbody>${rows.join('')}</tbody></table></section>`;
}

function marksSection({ marks, clock }: ReportData): string {
  if (marks.length === 0) return '';
  const rows = marks.map(
    ({ atMs, text, by, liveBytes, liveBlocks }) =>
      `<tr><th scope="row">${momentText({ clock, atMs })}</th><td>${html(text)}</td><td>${by === 'user' ? 'who watched' : 'the program'}</td><td>${bytesText(liveBytes)}</td><td>${countText(liveBlocks)}</td></tr>`,
  );
  return `<section aria-labelledby="marks"><h2 id="marks">Marks</h2><table><thead><tr><th scope="col">time</th><th scope="col">mark</th><th scope="col">set by</th><th scope="col">live bytes</th><th scope="col">live blocks</th></tr></thead><tbody>${rows.join('')}</tbody></table></section>`;
}

function lineSection({ line }: ReportData): string {
  if (line === null) return '';
  return rowsTable('line', 'The line', [
    ['frames', countText(line.frames)],
    ['bytes', countText(line.bytes)],
    ['frames lost', countText(line.framesLost)],
    ['damaged', countText(line.framesBad)],
    ['events dropped by the board', countText(line.eventsDropped)],
  ]);
}
