/** Ticks under the series, where marks were set: `m` for a mark of who watches, `p` for one of the program. */
import type { Grid, Rectangle } from '../grid.ts';
import type { Scene } from '../scene.ts';
import { styles } from '../theme.ts';
import { LABEL_COLUMNS, VALUE_COLUMNS } from './series.ts';

export function drawMarks(grid: Grid, area: Rectangle, { marks = [], series }: Scene): void {
  const width = Math.min(area.columns - LABEL_COLUMNS - VALUE_COLUMNS - 1, series.length);
  const [first, last] = [series[0], series.at(-1)];
  if (marks.length === 0 || width < 4 || first === undefined || last === undefined) return;
  grid.text(area.x, area.y, 'marks', styles.quiet, LABEL_COLUMNS);
  const spanMs = Math.max(1, last.atMs - first.atMs);
  for (const { atMs, by } of marks) {
    const column = Math.round(((atMs - first.atMs) / spanMs) * (width - 1));
    grid.set(
      area.x + LABEL_COLUMNS + Math.max(0, Math.min(column, width - 1)),
      area.y,
      by === 'user' ? 'm' : 'p',
      styles.quiet,
    );
  }
}
