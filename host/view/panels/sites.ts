/** The call sites that hold the most live bytes. */
import { visible } from '../escape.ts';
import type { Grid, Rectangle } from '../grid.ts';
import type { Scene } from '../scene.ts';
import { styles } from '../theme.ts';
import { bytesText, countText } from '../units.ts';

const BYTES_COLUMNS = 10;
const BLOCKS_COLUMNS = 8;

export function drawSites(grid: Grid, { x, y, columns, rows }: Rectangle, scene: Scene): void {
  const end = x + columns;
  const nameColumns = columns - BYTES_COLUMNS - BLOCKS_COLUMNS;
  grid.text(x, y, 'top sites', styles.title, columns);
  grid.textRight(end - BLOCKS_COLUMNS, y, 'bytes', styles.quiet);
  grid.textRight(end, y, 'blocks', styles.quiet);
  if (scene.sites.length === 0 && rows > 1) grid.text(x, y + 1, 'no call sites are known', styles.quiet, columns);
  scene.sites.slice(0, rows - 1).forEach((site, row) => {
    grid.text(x, y + 1 + row, visible(site.name, Math.max(1, nameColumns - 1)));
    grid.textRight(end - BLOCKS_COLUMNS, y + 1 + row, bytesText(site.liveBytes));
    grid.textRight(end, y + 1 + row, countText(site.liveBlocks));
  });
}
