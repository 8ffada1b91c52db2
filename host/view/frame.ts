/**
 * A scene drawn into a grid of the terminal's size. Panels and their rows at 80x24:
 *
 *      0      title: source, program, policy, state, time
 *      1-2    figures
 *      3-11   map (title and 8 lines of the full width)
 *      12-15  series, a row each
 *      16     marks, if there are any
 *      17-21  histogram | top sites
 *      22     line rates and losses
 *      23     message or keys
 *
 * A taller terminal gives half of what it has more to the map, the rest to series and lists. A lower one drops the
 * lists, then the series: title, figures, map and losses stay.
 */
import { Grid } from './grid.ts';
import { drawFigures, drawTitleRow } from './panels/figures.ts';
import { drawHistogram } from './panels/histogram.ts';
import { drawLine, drawMessage } from './panels/line.ts';
import { drawMap } from './panels/map.ts';
import { drawMarks } from './panels/marks.ts';
import { drawSeries, seriesCount } from './panels/series.ts';
import { drawSites } from './panels/sites.ts';
import type { Scene } from './scene.ts';
import type { Form } from './theme.ts';

export interface FrameOptions {
  columns: number;
  rows: number;
  form: Form;
  /** The last row when there is no message. */
  keys: string;
}

const FIXED_ROWS = 5;
const LEAST_MAP_ROWS = 4;
const LIST_ROWS = 6;

interface Heights {
  map: number;
  series: number;
  lists: number;
}

/** How the rows between the figures and the line are shared out. */
export function heights(rows: number): Heights {
  const extra = Math.max(0, rows - 24);
  let series = seriesCount * (extra >= 28 ? 3 : extra >= 12 ? 2 : 1);
  let lists = LIST_ROWS + Math.min(8, Math.floor(extra / 4));
  const room = Math.max(0, rows - FIXED_ROWS);
  if (room - series - lists < LEAST_MAP_ROWS) lists = 0;
  if (room - series - lists < LEAST_MAP_ROWS) series = 0;
  return { map: room - series - lists, series, lists };
}

export function drawFrame(scene: Scene, { columns, rows, form, keys }: FrameOptions): Grid {
  const grid = new Grid(columns, rows);
  const row = (y: number, count: number) => ({ x: 0, y, columns, rows: count });
  const { map, series, lists } = heights(rows);
  drawTitleRow(grid, row(0, 1), scene, form);
  drawFigures(grid, row(1, 2), scene);
  drawMap(grid, row(3, map), scene, form);
  if (series > 0) drawSeries(grid, row(3 + map, series), scene, form);
  if (lists > 0) {
    drawMarks(grid, row(3 + map + series, 1), scene);
    const y = 3 + map + series + 1;
    const left = Math.floor(columns / 2) - 1;
    drawHistogram(grid, { x: 0, y, columns: left, rows: lists - 1 }, scene, form);
    drawSites(grid, { x: left + 2, y, columns: columns - left - 2, rows: lists - 1 }, scene);
  }
  drawLine(grid, row(rows - 2, 1), scene);
  drawMessage(grid, row(rows - 1, 1), scene, keys);
  if (form === 'ascii') grid.toAscii();
  return grid;
}
