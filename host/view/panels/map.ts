/**
 * The block map: the arena from left to right and top to bottom, each cell a range of addresses (map-cells.ts).
 *
 * In the colour form a character holds two cells, one above the other (`▀`: foreground above, background below), so
 * the map has twice the rows. Half-blocks belong to two map rows, the addresses still run along each row:
 *
 *     row 0   0 ....................... W-1      upper halves of line 0
 *     row 1   W ...................... 2W-1      lower halves of line 0
 *
 * A heap of several regions has a band of lines for each, with its name and its break at the left (bands.ts); each band has
 * a scale of its own, so that a bank of 4 KB is seen beside one of 256 KB.
 */
import type { Grid, Rectangle } from '../grid.ts';
import type { Scene } from '../scene.ts';
import { beyondColour, controlColour, type Form, glyphs, mapColours, style, styles } from '../theme.ts';
import { bytesText } from '../units.ts';
import { bandLines, drawBandLabel, LABEL_COLUMNS } from './bands.ts';
import { CELL_BEYOND, cellBytesFor, mapCells, step } from './map-cells.ts';

function colour(part: number): number | undefined {
  if (Number.isNaN(part)) return undefined;
  if (part < 0) return part === CELL_BEYOND ? beyondColour : controlColour;
  return mapColours[step(part, mapColours.length)];
}

/** Draws the title with the legend on the first row and the map on the others. */
export function drawMap(grid: Grid, area: Rectangle, scene: Scene, form: Form): void {
  const { x, y, columns } = area;
  const lines = area.rows - 1;
  const perLine = form === 'colour' ? 2 : 1;
  if (scene.arenaBytes === null || lines <= 0) {
    grid.text(x, y, 'map', styles.title);
    if (lines > 0) grid.text(x, y + 1, 'no snapshot of the heap has arrived yet', styles.quiet, columns);
    return;
  }
  const regions = scene.regions ?? [];
  const bands = regions.length > lines || columns < 3 * LABEL_COLUMNS ? [] : bandLines(regions, lines);
  const isBanded = bands.length > 0;
  drawTitle(grid, area, scene, form, isBanded ? null : cellBytesFor(scene.arenaBytes, columns * lines * perLine));
  if (!isBanded) {
    drawCells(grid, { x, y: y + 1, columns, rows: lines }, scene, form, 0, scene.arenaBytes);
    return;
  }
  let top = y + 1;
  regions.forEach((region, i) => {
    const rows = bands[i]!;
    drawBandLabel(grid, { x, y: top, columns: LABEL_COLUMNS, rows }, region);
    const cells = { x: x + LABEL_COLUMNS + 1, y: top, columns: columns - LABEL_COLUMNS - 1, rows };
    drawCells(grid, cells, scene, form, region.start, region.bytes);
    top += rows;
  });
}

/** The cells of [start, start + bytes) fill the rectangle. */
function drawCells(
  grid: Grid,
  { x, y, columns, rows }: Rectangle,
  scene: Scene,
  form: Form,
  start: number,
  bytes: number,
): void {
  const perLine = form === 'colour' ? 2 : 1;
  const { parts } = mapCells(scene, columns * rows * perLine, start, bytes);
  for (let line = 0; line < rows; line++) {
    for (let column = 0; column < columns; column++) {
      const upper = parts[line * perLine * columns + column]!;
      if (perLine === 1) {
        if (!Number.isNaN(upper)) grid.set(x + column, y + line, cellGlyph(upper, form), 0);
        continue;
      }
      const fg = colour(upper);
      const bg = colour(parts[(line * 2 + 1) * columns + column]!);
      if (fg !== undefined) grid.set(x + column, y + line, '▀', style({ fg, ...(bg !== undefined && { bg }) }));
    }
  }
}

/** One character for a cell within the heap. */
export function cellGlyph(part: number, form: Form): string {
  const { fill, control, beyond } = glyphs[form];
  if (part < 0) return part === CELL_BEYOND ? beyond : control;
  return fill[step(part, fill.length)]!;
}

/** `cellBytes` is null where each band has its own. */
function drawTitle(grid: Grid, { x, y, columns }: Rectangle, scene: Scene, form: Form, cellBytes: number | null): void {
  const { fill, control, beyond } = glyphs[form];
  const swatch = (at: number) => (form === 'colour' ? '▀' : fill[at]!);
  let left = grid.text(x, y, 'map', styles.title);
  const scale =
    cellBytes === null
      ? `  ${scene.regions!.length} regions, ${bytesText(scene.arenaBytes!)}`
      : `  ${bytesText(cellBytes)} a cell of ${bytesText(scene.arenaBytes!)}`;
  left = grid.text(left, y, scale, styles.quiet);
  if (!scene.exact) grid.text(left, y, '  NOT EXACT until the next snapshot', styles.warning, x + columns - left);

  const legend: [string, number, string][] = [
    [swatch(0), mapColours[0], 'free'],
    [swatch(3), mapColours[3], 'mixed'],
    [swatch(5), mapColours[5], 'live'],
    [form === 'colour' ? '▀' : control, controlColour, "policy's"],
  ];
  if (cellBytes === null) legend.push([form === 'colour' ? '▀' : beyond, beyondColour, 'unused']);
  const width = legend.reduce((sum, [, , word]) => sum + word.length + 4, 0) - 2;
  let at = x + columns - width;
  if (at < left + 2 || (!scene.exact && at < left + 36)) return;
  for (const [mark, colour, word] of legend) {
    grid.text(at, y, mark, style({ fg: colour, bg: colour }));
    at = grid.text(at + 2, y, word, styles.quiet) + 2;
  }
}
