/**
 * The block map: the arena from left to right and top to bottom, each cell a range of addresses.
 *
 * In the colour form a character holds two cells, one above the other (`▀`: foreground above, background below), so
 * the map has twice the rows. Half-blocks belong to two map rows, the addresses still run along each row:
 *
 *     row 0   0 ....................... W-1      upper halves of line 0
 *     row 1   W ...................... 2W-1      lower halves of line 0
 *
 * A cell's shade is the part of its bytes that is live; a cell that is mostly the policy's own is drawn as control.
 */
import { BLOCK_CONTROL, BLOCK_LIVE } from '../../../firmware/src/policy.ts';
import type { Grid, Rectangle } from '../grid.ts';
import type { Scene } from '../scene.ts';
import { controlColour, type Form, glyphs, mapColours, style, styles } from '../theme.ts';
import { bytesText } from '../units.ts';

/** Cell bytes are multiples of this: every policy aligns payloads to it. */
const GRAIN_BYTES = 8;

export interface MapCells {
  cellBytes: number;
  /** Part of each cell that is live, 0 to 1; -1 for a cell that is mostly control data, NaN beyond the arena. */
  parts: Float64Array;
}

/** Sums the blocks into `count` cells of equal size. */
export function mapCells(scene: Pick<Scene, 'arenaBytes' | 'walk'>, count: number): MapCells {
  const arenaBytes = scene.arenaBytes ?? 0;
  const cellBytes = Math.max(GRAIN_BYTES, Math.ceil(arenaBytes / count / GRAIN_BYTES) * GRAIN_BYTES);
  const live = new Float64Array(count);
  const control = new Float64Array(count);
  scene.walk((offset, sizeBytes, kind) => {
    const into = kind === BLOCK_LIVE ? live : kind === BLOCK_CONTROL ? control : null;
    if (into === null) return;
    const end = Math.min(offset + sizeBytes, arenaBytes);
    for (let at = offset; at < end; ) {
      const cell = Math.floor(at / cellBytes);
      const until = Math.min(end, (cell + 1) * cellBytes);
      into[cell]! += until - at;
      at = until;
    }
  });
  const parts = new Float64Array(count);
  for (let cell = 0; cell < count; cell++) {
    const bytes = Math.min(cellBytes, arenaBytes - cell * cellBytes);
    if (bytes <= 0) parts[cell] = Number.NaN;
    else if (control[cell]! * 2 > bytes) parts[cell] = -1;
    else parts[cell] = live[cell]! / bytes;
  }
  return { cellBytes, parts };
}

/** 0 is wholly free and the last step wholly live; everything between is mixed. */
export function step(part: number, steps: number): number {
  if (part <= 0) return 0;
  if (part >= 1) return steps - 1;
  return 1 + Math.min(steps - 3, Math.floor(part * (steps - 2)));
}

function colour(part: number): number | undefined {
  if (Number.isNaN(part)) return undefined;
  return part < 0 ? controlColour : mapColours[step(part, mapColours.length)];
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
  const { cellBytes, parts } = mapCells(scene, columns * lines * perLine);
  drawTitle(grid, area, scene, form, cellBytes);

  const { fill, control } = glyphs[form];
  for (let line = 0; line < lines; line++) {
    for (let column = 0; column < columns; column++) {
      const upper = parts[line * perLine * columns + column]!;
      if (perLine === 1) {
        if (!Number.isNaN(upper))
          grid.set(x + column, y + 1 + line, upper < 0 ? control : fill[step(upper, fill.length)]!, 0);
        continue;
      }
      const fg = colour(upper);
      const bg = colour(parts[(line * 2 + 1) * columns + column]!);
      if (fg !== undefined) grid.set(x + column, y + 1 + line, '▀', style({ fg, ...(bg !== undefined && { bg }) }));
    }
  }
}

function drawTitle(grid: Grid, { x, y, columns }: Rectangle, scene: Scene, form: Form, cellBytes: number): void {
  const { fill, control } = glyphs[form];
  const swatch = (at: number) => (form === 'colour' ? '▀' : fill[at]!);
  let left = grid.text(x, y, 'map', styles.title);
  left = grid.text(left, y, `  ${bytesText(cellBytes)} a cell of ${bytesText(scene.arenaBytes!)}`, styles.quiet);
  if (!scene.exact) grid.text(left, y, '  NOT EXACT until the next snapshot', styles.warning, x + columns - left);

  const legend: [string, number, string][] = [
    [swatch(0), mapColours[0], 'free'],
    [swatch(3), mapColours[3], 'mixed'],
    [swatch(5), mapColours[5], 'live'],
    [form === 'colour' ? '▀' : control, controlColour, "policy's"],
  ];
  const width = legend.reduce((sum, [, , word]) => sum + word.length + 4, 0) - 2;
  let at = x + columns - width;
  if (at < left + 2 || (!scene.exact && at < left + 36)) return;
  for (const [mark, colour, word] of legend) {
    grid.text(at, y, mark, style({ fg: colour, bg: colour }));
    at = grid.text(at + 2, y, word, styles.quiet) + 2;
  }
}
