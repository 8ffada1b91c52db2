/** The charts of a report: bytes and fragmentation of one, or the live bytes of two; gaps are gaps. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { ReportData } from '../view/report/recorder.ts';
import type { Scene, SeriesPoint } from '../view/scene.ts';
import { bytesText, durationText, percentText } from '../view/units.ts';

const HEIGHT = 200;
const FONT = '11px system-ui, sans-serif';

interface Line {
  label: string;
  /** Name of a colour of the page's style. */
  colour: string;
  values: (number | null)[];
  isFilled?: boolean;
  dash?: number[];
}

const css = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function chart(id: string, times: number[], lines: readonly Line[], text: (value: number) => string, isTime: boolean) {
  const parent = document.getElementById(id);
  if (!parent) return;
  const moment = (at: number) => (isTime ? durationText(at) : String(Math.round(at)));
  const size = () => ({ width: Math.max(120, parent.clientWidth), height: HEIGHT });
  let plot: uPlot | null = null;
  const draw = () => {
    const axis = { stroke: css('quiet'), font: FONT, grid: { stroke: css('line'), width: 1 }, ticks: { show: false } };
    plot?.destroy();
    plot = new uPlot(
      {
        ...size(),
        scales: { x: { time: false } },
        axes: [
          { ...axis, values: (_, splits) => splits.map(moment) },
          { ...axis, size: 66, values: (_, splits) => splits.map(text) },
        ],
        series: [
          { label: isTime ? 'time' : 'operation', value: (_, at) => (at === null ? '' : moment(at)) },
          ...lines.map(({ label, colour, isFilled, dash }) => ({
            label,
            stroke: css(colour),
            width: 1.75,
            points: { show: false },
            value: (_: uPlot, value: number | null, __: number, index: number | null) =>
              index === null ? '' : value === null ? 'not known' : text(value),
            ...(isFilled && { fill: `${css(colour)}22` }),
            ...(dash && { dash }),
          })),
        ],
      },
      [times, ...lines.map(({ values }) => values)],
      parent,
    );
  };
  draw();
  new ResizeObserver(() => plot?.setSize(size())).observe(parent);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
}

export function drawCharts(series: readonly SeriesPoint[], clock: Scene['clock']): void {
  if (series.length === 0) return;
  const times = series.map(({ atMs }) => atMs);
  const isTime = clock === 'time';
  chart(
    'bytes',
    times,
    [
      { label: 'live', colour: 'live', values: series.map((point) => point.liveBytes), isFilled: true },
      { label: 'peak', colour: 'peak', values: series.map((point) => point.peakLiveBytes), dash: [4, 4] },
      { label: 'largest free', colour: 'largest', values: series.map((point) => point.largestFreeBytes) },
    ],
    bytesText,
    isTime,
  );
  const fragmentation = series.map((point) => point.externalFragmentation);
  chart(
    'fragmentation',
    times,
    [{ label: 'fragmentation', colour: 'fragmentation', values: fragmentation }],
    percentText,
    isTime,
  );
}

/** Live bytes of two, on one axis of time. */
export function drawBoth(a: ReportData, b: ReportData): void {
  const points = (data: ReportData): uPlot.AlignedData => [
    data.series.map(({ atMs }) => atMs),
    data.series.map(({ liveBytes }) => liveBytes),
  ];
  const [times = [], left = [], right = []] = uPlot.join([points(a), points(b)]);
  const lines = [
    { label: 'A', colour: 'live', values: [...left] as (number | null)[] },
    { label: 'B', colour: 'largest', values: [...right] as (number | null)[] },
  ];
  chart('both', [...times], lines, bytesText, a.clock === 'time' && b.clock === 'time');
}
