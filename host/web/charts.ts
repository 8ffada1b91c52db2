/** The series as charts: bytes in one, fragmentation in the other; gaps are gaps. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Scene, SeriesPoint } from '../view/scene.ts';
import { bytesText, percentText } from '../view/units.ts';

const css = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function chart(
  id: string,
  title: string,
  times: number[],
  lines: { label: string; stroke: string; values: (number | null)[] }[],
  text: (value: number) => string,
  unit: string,
): void {
  const parent = document.getElementById(id);
  if (!parent) return;
  const axis = { stroke: css('--fg'), grid: { stroke: css('--line') }, ticks: { stroke: css('--line') } };
  const size = () => ({ width: parent.clientWidth, height: 220 });
  const plot = new uPlot(
    {
      title,
      ...size(),
      scales: { x: { time: false } },
      axes: [
        { ...axis, values: (_, splits) => splits.map((at) => `${at}${unit}`) },
        { ...axis, size: 72, values: (_, splits) => splits.map(text) },
      ],
      series: [
        { label: 'time', value: (_, at) => (at === null ? '' : `${Number(at.toFixed(2))}${unit}`) },
        ...lines.map(({ label, stroke }) => ({
          label,
          stroke,
          width: 2,
          value: (_: uPlot, value: number | null) => (value === null ? '--' : text(value)),
        })),
      ],
    },
    [times, ...lines.map(({ values }) => values)],
    parent,
  );
  addEventListener('resize', () => plot.setSize(size()));
}

export function drawCharts(series: readonly SeriesPoint[], clock: Scene['clock']): void {
  if (series.length === 0) return;
  const times = series.map(({ atMs }) => (clock === 'time' ? atMs / 1000 : atMs));
  const unit = clock === 'time' ? ' s' : '';
  chart(
    'bytes',
    'Bytes',
    times,
    [
      { label: 'live', stroke: css('--live'), values: series.map((point) => point.liveBytes) },
      { label: 'peak', stroke: css('--bar'), values: series.map((point) => point.peakLiveBytes) },
      { label: 'largest free', stroke: '#c08a2e', values: series.map((point) => point.largestFreeBytes) },
    ],
    bytesText,
    unit,
  );
  chart(
    'fragmentation',
    'External fragmentation',
    times,
    [{ label: 'fragmentation', stroke: '#d9603b', values: series.map((point) => point.externalFragmentation) }],
    percentText,
    unit,
  );
}
