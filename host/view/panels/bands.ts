/**
 * The bands of a map, one for each region of the heap: how many lines each has, and what stands at its left.
 *
 *     sram0    4.0 KB │ cells
 *     break    1.2 KB │ cells
 *     psram   64.0 KB │ cells
 *     large   24.0 KB │ cells
 */
import { visible } from '../escape.ts';
import type { Grid, Rectangle } from '../grid.ts';
import type { RegionRow } from '../scene.ts';
import { styles } from '../theme.ts';
import { bytesText } from '../units.ts';

/** Name and size, a line each for the break and the large blocks. */
export const LABEL_COLUMNS = 17;

/** Lines of each band, together `lines`: one each, and the rest by size, the largest remainder first. */
export function bandLines(regions: readonly Pick<RegionRow, 'bytes'>[], lines: number): number[] {
  const total = regions.reduce((sum, { bytes }) => sum + bytes, 0);
  const spare = lines - regions.length;
  const shares = regions.map(({ bytes }) => (bytes / total) * spare);
  const bands = shares.map((share) => 1 + Math.floor(share));
  const order = shares.map((share, i) => ({ i, rest: share - Math.floor(share) })).sort((a, b) => b.rest - a.rest);
  let left = lines - bands.reduce((sum, rows) => sum + rows, 0);
  for (const { i } of order) if (left-- > 0) bands[i]!++;
  return bands;
}

/** What a band says besides its name and size, the most telling first. */
function bandFacts({ breakBytes, bytes, isLarge, largeBytes, unusedBytes }: RegionRow): [string, number][] {
  const facts: [string, number][] = [];
  if (!isLarge && breakBytes < bytes) facts.push(['break', breakBytes]);
  if (isLarge || largeBytes > 0) facts.push(['large', largeBytes]);
  if (unusedBytes > 0) facts.push(['unused', unusedBytes]);
  return facts;
}

export function drawBandLabel(grid: Grid, { x, y, columns, rows }: Rectangle, region: RegionRow): void {
  const size = bytesText(region.bytes);
  grid.text(x, y, visible(region.name, columns - size.length - 1), styles.title, columns);
  grid.textRight(x + columns, y, size, styles.quiet);
  bandFacts(region)
    .slice(0, rows - 1)
    .forEach(([word, bytes], i) => {
      grid.text(x + 1, y + 1 + i, word, styles.quiet);
      grid.textRight(x + columns, y + 1 + i, bytesText(bytes), styles.quiet);
    });
}
