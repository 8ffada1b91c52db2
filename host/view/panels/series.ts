/** The series: live, peak, largest free block and fragmentation over the whole session, a gap where nothing is known. */
import type { Grid, Rectangle } from '../grid.ts';
import type { Figures, Scene, SeriesPoint } from '../scene.ts';
import { type Form, glyphs, type Style, styles } from '../theme.ts';
import { bytesText, percentText } from '../units.ts';

export const LABEL_COLUMNS = 15;
export const VALUE_COLUMNS = 9;

interface Series {
  label: string;
  style: Style;
  key: keyof SeriesPoint & keyof Figures;
  text: (value: number) => string;
}

const series: readonly Series[] = [
  { label: 'live', style: styles.live, key: 'liveBytes', text: bytesText },
  { label: 'peak', style: styles.peak, key: 'peakLiveBytes', text: bytesText },
  { label: 'largest free', style: styles.largest, key: 'largestFreeBytes', text: bytesText },
  { label: 'fragmentation', style: styles.fragmentation, key: 'externalFragmentation', text: percentText },
];

export const seriesCount = series.length;

/** Level of a value in eighths of `rows` rows; at least one for a value above 0, so that it is seen. */
export function level(value: number, top: number, rows: number): number {
  if (value <= 0) return 0;
  return Math.max(1, Math.min(rows * 8, Math.round((value / top) * rows * 8)));
}

/** Draws the four series, each `area.rows / 4` rows high. Points are right-aligned: the latest is at the right edge. */
export function drawSeries(grid: Grid, area: Rectangle, scene: Scene, form: Form): void {
  const rows = Math.floor(area.rows / series.length);
  const width = area.columns - LABEL_COLUMNS - VALUE_COLUMNS - 1;
  if (rows < 1 || width < 4) return;
  const points = resample(scene.series, width);
  const spark = glyphs[form].spark;
  series.forEach((one, index) => {
    const top = area.y + index * rows;
    const bottom = top + rows - 1;
    grid.text(area.x, bottom, one.label, styles.quiet, LABEL_COLUMNS);
    const values = points.map((point) => point[one.key]);
    // Bytes are drawn against their highest value, fragmentation (a part) against the whole.
    const highest = Math.max(1, ...values.map((value) => value ?? 0));
    values.forEach((value, column) => {
      if (value === null) return;
      const eighths = level(value, highest, rows);
      const x = area.x + LABEL_COLUMNS + column;
      for (let row = 0; row < rows; row++) {
        const here = Math.min(8, eighths - row * 8);
        if (here > 0) grid.set(x, bottom - row, spark[here - 1]!, one.style);
      }
      if (eighths === 0) grid.set(x, bottom, form === 'ascii' ? '_' : '▁', styles.quiet);
    });
    const latest = scene.figures?.[one.key] ?? null;
    grid.textRight(area.x + area.columns, bottom, latest === null ? '?' : one.text(latest), one.style);
  });
}

/** Shortens a series to `columns` points, keeping the highest live and fragmentation and the lowest largest-free. */
function resample(points: readonly SeriesPoint[], columns: number): readonly SeriesPoint[] {
  if (points.length <= columns) return points;
  return Array.from({ length: columns }, (_, column) => {
    const from = Math.floor((column * points.length) / columns);
    const to = Math.floor(((column + 1) * points.length) / columns);
    return points.slice(from, to).reduce((a, b) => ({
      atMs: a.atMs,
      liveBytes: higher(a.liveBytes, b.liveBytes),
      peakLiveBytes: higher(a.peakLiveBytes, b.peakLiveBytes),
      largestFreeBytes: lower(a.largestFreeBytes, b.largestFreeBytes),
      externalFragmentation: higher(a.externalFragmentation, b.externalFragmentation),
    }));
  });
}

const higher = (a: number | null, b: number | null) => (a === null || b === null ? (a ?? b) : Math.max(a, b));
const lower = (a: number | null, b: number | null) => (a === null || b === null ? (a ?? b) : Math.min(a, b));
