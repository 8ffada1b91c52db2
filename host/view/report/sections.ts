/** The parts of a report, each a section of HTML that says all it shows as text. */
import { html } from '../escape.ts';
import { bytesText, countText, momentText, percentText, plural } from '../units.ts';
import type { ReportData } from './recorder.ts';
import { pairs, section, table } from './table.ts';

/** Rows of the series' table. */
const SERIES_ROWS = 20;

const partText = (part: number | null): string => (part === null ? 'not known' : percentText(part));

/** The figures at the end, large. */
export function figuresList({ figures, arenaBytes }: ReportData): string {
  if (figures === null) return '';
  const one = (label: string, value: string, note: string, isBad = false) =>
    `<div class="figure${isBad ? ' is-bad' : ''}"><dt>${label}</dt><dd class="value">${html(value)}</dd><dd class="note">${html(note)}</dd></div>`;
  const ofArena = arenaBytes === null ? '' : `${percentText(figures.peakLiveBytes / arenaBytes)} of the arena`;
  return `<dl class="figures">${[
    one('live', bytesText(figures.liveBytes), plural(figures.liveBlocks, 'block')),
    one('peak', bytesText(figures.peakLiveBytes), ofArena),
    one('free', bytesText(figures.freeBytes), 'at the end'),
    one('largest free', bytesText(figures.largestFreeBytes), 'at the end'),
    one('fragmentation', partText(figures.externalFragmentation), `inside ${partText(figures.internalFragmentation)}`),
    one(
      'failed',
      countText(figures.failures),
      plural(figures.misuses, 'misuse'),
      figures.failures + figures.misuses > 0,
    ),
  ].join('')}</dl>`;
}

/** Verdicts that begin so report what went well. */
const FINE = /^(Nothing was lost|The peak took .* were never live)/;
const BAD = / failed\. | named no live block/;

export const answersList = ({ verdicts }: ReportData): string =>
  `<ul class="answers" aria-label="What it means">${verdicts
    .map((verdict) => {
      const grade = FINE.test(verdict) ? ' class="grade-fine"' : BAD.test(verdict) ? ' class="grade-bad"' : '';
      return `<li${grade}>${html(verdict)}</li>`;
    })
    .join('')}</ul>`;

export const summarySection = ({ summary }: ReportData): string =>
  summary.length === 0 ? '' : section('sum', 'Summary', `<pre>${summary.map(html).join('\n')}</pre>`);

/** `suffix` tells the maps of two reports apart; `index` is the report's place in the page's data. */
export function mapSection(data: ReportData, title = 'Map', suffix = '', index = 0): string {
  const { figures, arenaBytes, keyFrames } = data;
  if (figures === null || arenaBytes === null) return '';
  const last = keyFrames.at(-1)!;
  const said = `The arena of ${bytesText(arenaBytes)} at ${momentText({ clock: data.clock, atMs: last.atMs })}: ${countText(figures.liveBlocks)} live blocks with ${bytesText(figures.liveBytes)}, ${bytesText(figures.freeBytes)} free, the largest free block ${bytesText(figures.largestFreeBytes)}.`;
  return section(
    `map-title${suffix}`,
    title,
    `<canvas id="map${suffix}" class="cells" data-report="${index}" role="img" aria-label="${html(said)}" tabindex="0"></canvas>
<p id="map-at${suffix}" class="map-at" aria-live="polite">${html(said)}</p>
<div class="time"><label for="time${suffix}">Time</label><input id="time${suffix}" type="range" min="0" max="${keyFrames.length - 1}" value="${keyFrames.length - 1}" step="1"></div>
<p class="quiet">${countText(data.cellBytes)} bytes a cell; addresses from left to right, from top to bottom.</p>
<p class="quiet keys"><span class="key free"></span>free<span class="key mixed"></span>mixed<span class="key live"></span>live<span class="key control"></span>the policy's own${keyFrames.some(({ cells }) => cells.includes('b')) ? '<span class="key beyond"></span>unused' : ''}</p>${regionsTable(data)}`,
  );
}

/** The regions at the end. */
function regionsTable({ regions }: ReportData): string {
  if (regions === undefined || regions.length === 0) return '';
  const columns = ['bytes', 'break', 'in large blocks', 'unused'].map((title) => ({ title, isNumber: true }));
  const rows = regions.map(({ name, bytes, breakBytes, largeBytes, unusedBytes }) => ({
    cells: [name, ...[bytes, breakBytes, largeBytes, unusedBytes].map(bytesText)],
  }));
  return table([{ title: 'region' }, ...columns], rows);
}

export function seriesSection({ series, clock }: ReportData): string {
  if (series.length === 0) return '';
  const shown = series.filter((_, index) => index % Math.max(1, Math.ceil(series.length / SERIES_ROWS)) === 0);
  const text = (value: number | null) => (value === null ? 'not known' : bytesText(value));
  const rows = shown.map((point) => ({
    cells: [
      momentText({ clock, atMs: point.atMs }),
      text(point.liveBytes),
      text(point.peakLiveBytes),
      text(point.largestFreeBytes),
      partText(point.externalFragmentation),
    ],
  }));
  const columns = ['live', 'peak', 'largest free', 'fragmentation'].map((title) => ({ title, isNumber: true }));
  return section(
    'series-title',
    'Over time',
    `<div id="bytes" class="chart"></div><div id="fragmentation" class="chart"></div>
<details><summary>As a table</summary>${table([{ title: 'time' }, ...columns], rows)}</details>`,
  );
}

export function histogramSection({ histogram }: ReportData): string {
  const most = Math.max(1, ...histogram.map(({ liveBlocks }) => liveBlocks));
  const rows = histogram.map(({ upToBytes, liveBlocks }) => ({
    cells: [`to ${bytesText(upToBytes)}`, countText(liveBlocks)],
    part: liveBlocks / most,
  }));
  const columns = [{ title: 'size' }, { title: 'blocks', isNumber: true }];
  return section('sizes', 'Live blocks by size', rows.length === 0 ? '<p>No block is live.</p>' : table(columns, rows));
}

export function sitesSection({ sites }: ReportData): string {
  if (sites.length === 0) return '';
  const rows = sites.map(({ name, liveBytes, liveBlocks, mallocs }) => ({
    cells: [name, bytesText(liveBytes), countText(liveBlocks), countText(mallocs)],
  }));
  const columns = ['live', 'blocks', 'made'].map((title) => ({ title, isNumber: true }));
  return section('sites', 'Call sites', table([{ title: 'site' }, ...columns], rows));
}

export function marksSection({ marks, clock }: ReportData): string {
  if (marks.length === 0) return '';
  const rows = marks.map(({ atMs, text, by, liveBytes, liveBlocks }) => ({
    cells: [
      momentText({ clock, atMs }),
      text,
      by === 'user' ? 'who watched' : 'the program',
      bytesText(liveBytes),
      countText(liveBlocks),
    ],
  }));
  const columns = [
    { title: 'time' },
    { title: 'mark' },
    { title: 'set by' },
    { title: 'live', isNumber: true },
    { title: 'blocks', isNumber: true },
  ];
  return section('marks', 'Marks', table(columns, rows));
}

export function countsSection({ figures, engine }: ReportData): string {
  if (figures === null) return '';
  return section(
    'figures',
    'Counted',
    pairs([
      ['mallocs, reallocs, frees', [figures.mallocs, figures.reallocs, figures.frees].map(countText).join(', ')],
      ['failed requests', countText(figures.failures)],
      ['misuse', countText(figures.misuses)],
      ...(engine
        ? ([
            ["the engine's own heap", `${bytesText(engine.usedBytes)} of ${bytesText(engine.totalBytes)}`],
            ["the engine's own heap, at most", bytesText(engine.peakUsedBytes)],
          ] as const)
        : []),
    ]),
  );
}

export function lineSection({ line }: ReportData): string {
  if (line === null) return '';
  return section(
    'line',
    'The line',
    pairs([
      ['frames', countText(line.frames)],
      ['bytes', countText(line.bytes)],
      ['frames lost', countText(line.framesLost)],
      ['damaged', countText(line.framesBad)],
      ['events dropped by the board', countText(line.eventsDropped)],
    ]),
  );
}
