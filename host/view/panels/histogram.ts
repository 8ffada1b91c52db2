/** Live blocks by request size, a bar a size class. */
import type { Grid, Rectangle } from '../grid.ts';
import type { Scene } from '../scene.ts';
import { type Form, glyphs, styles } from '../theme.ts';
import { bytesText, countText } from '../units.ts';

const LABEL_COLUMNS = 10;
const COUNT_COLUMNS = 6;

/** Draws the title and, of the rows that hold blocks, the most populous in order of size. */
export function drawHistogram(grid: Grid, { x, y, columns, rows }: Rectangle, scene: Scene, form: Form): void {
  grid.text(x, y, 'live blocks by size', styles.title, columns);
  const width = columns - LABEL_COLUMNS - COUNT_COLUMNS;
  if (rows < 2 || width < 2) return;
  const shown = scene.histogram
    .filter(({ liveBlocks }) => liveBlocks > 0)
    .sort((a, b) => b.liveBlocks - a.liveBlocks)
    .slice(0, rows - 1)
    .sort((a, b) => a.upToBytes - b.upToBytes);
  if (shown.length === 0) grid.text(x, y + 1, 'none', styles.quiet, columns);
  const most = Math.max(1, ...shown.map(({ liveBlocks }) => liveBlocks));
  shown.forEach(({ upToBytes, liveBlocks }, row) => {
    const at = y + 1 + row;
    grid.text(x, at, `to ${bytesText(upToBytes)}`, styles.quiet, LABEL_COLUMNS);
    const bar = Math.max(1, Math.round((liveBlocks / most) * width));
    grid.text(x + LABEL_COLUMNS, at, glyphs[form].bar.repeat(bar), styles.bar);
    grid.textRight(x + columns, at, countText(liveBlocks));
  });
}
