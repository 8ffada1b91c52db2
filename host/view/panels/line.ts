/** The line's rates and losses, and under it the latest message and the keys. */
import { visible } from '../escape.ts';
import type { Grid, Rectangle } from '../grid.ts';
import type { Scene } from '../scene.ts';
import { styles } from '../theme.ts';
import { bytesText, countText } from '../units.ts';
import { drawPairs } from './figures.ts';

export function drawLine(grid: Grid, area: Rectangle, { line }: Scene): void {
  if (line === null) return;
  const count = (value: number) => ({ value: countText(value), ...(value > 0 && { style: styles.bad }) });
  drawPairs(grid, area, [
    { label: 'line', value: `${countText(line.eventsPerSecond)} events/s` },
    { label: 'at', value: `${bytesText(line.bytesPerSecond)}/s` },
    { label: 'frames', value: countText(line.frames) },
    { label: 'lost', ...count(line.framesLost) },
    { label: 'bad', ...count(line.framesBad) },
    { label: 'dropped events', ...count(line.eventsDropped) },
    ...(line.level == null || line.level === 'events'
      ? []
      : [{ label: 'told', value: line.level, style: styles.warning }]),
  ]);
}

/** What is wrong takes turns with the keys. */
const TURN_MS = 10_000;
const WARNING_MS = 7_000;

function warningOf({ answers, atMs, state }: Scene): string | null {
  if (answers === undefined || state === 'waiting' || atMs % TURN_MS >= WARNING_MS) return null;
  return answers()[0] ?? null;
}

export function drawMessage(grid: Grid, { x, y, columns }: Rectangle, scene: Scene, keys: string): void {
  const said = scene.message ?? warningOf(scene);
  if (said !== null) grid.text(x, y, visible(said, columns), styles.warning, columns);
  else grid.text(x, y, keys, styles.quiet, columns);
}
