/** The title row and the figures: `label value` pairs, as many whole pairs as fit. */
import { visible } from '../escape.ts';
import type { Grid, Rectangle } from '../grid.ts';
import type { Scene, SceneState } from '../scene.ts';
import { type Form, glyphs, type Style, styles } from '../theme.ts';
import { bytesText, countText, momentText, percentText } from '../units.ts';

const stateWords: Record<SceneState, { text: string; style: Style }> = {
  waiting: { text: 'waiting', style: styles.warning },
  live: { text: 'live', style: styles.good },
  paused: { text: 'paused', style: styles.warning },
  past: { text: 'past', style: styles.warning },
  lost: { text: 'line lost', style: styles.bad },
  ended: { text: 'ended', style: styles.quiet },
};

export function drawTitleRow(grid: Grid, { x, y, columns }: Rectangle, scene: Scene, form: Form): void {
  const state = stateWords[scene.state];
  const right = `${state.text}  ${momentText(scene)}`;
  let at = grid.text(x, y, 'heapglass', styles.name, columns);
  const words = [scene.source, scene.program, scene.policy ?? ''].filter((word) => word !== '');
  const room = columns - 'heapglass'.length - right.length - 4;
  grid.text(at + 2, y, visible(words.join(` ${glyphs[form].dot} `), Math.max(0, room)));
  at = x + columns - right.length;
  grid.text(at, y, state.text, state.style, columns);
  grid.textRight(x + columns, y, momentText(scene));
}

export interface Pair {
  label: string;
  value: string;
  style?: Style;
}

/** Writes pairs from the left until one does not fit. */
export function drawPairs(grid: Grid, { x, y, columns }: Rectangle, pairs: readonly Pair[]): void {
  let at = x;
  for (const { label, value, style } of pairs) {
    const width = label.length + 1 + value.length;
    if (at + width > x + columns) return;
    at = grid.text(at, y, label, styles.quiet) + 1;
    at = grid.text(at, y, value, style ?? styles.title) + 2;
  }
}

export function drawFigures(grid: Grid, area: Rectangle, { figures, arenaBytes, engine }: Scene): void {
  if (figures === null || arenaBytes === null) {
    grid.text(area.x, area.y, 'no figures yet', styles.quiet, area.columns);
    return;
  }
  const { externalFragmentation, internalFragmentation } = figures;
  drawPairs(grid, area, [
    { label: 'live', value: bytesText(figures.liveBytes), style: styles.live },
    { label: 'peak', value: bytesText(figures.peakLiveBytes), style: styles.peak },
    { label: 'free', value: bytesText(figures.freeBytes) },
    { label: 'largest free', value: bytesText(figures.largestFreeBytes), style: styles.largest },
    { label: 'blocks', value: countText(figures.liveBlocks) },
    { label: 'arena', value: bytesText(arenaBytes) },
  ]);
  drawPairs(grid, { ...area, y: area.y + 1 }, [
    { label: 'fragmentation', value: percentText(externalFragmentation), style: styles.fragmentation },
    { label: 'inside', value: internalFragmentation === null ? '?' : percentText(internalFragmentation) },
    ...(figures.failures > 0 ? [{ label: 'FAILED', value: countText(figures.failures), style: styles.bad }] : []),
    ...(figures.misuses > 0 ? [{ label: 'MISUSED', value: countText(figures.misuses), style: styles.bad }] : []),
    ...(engine
      ? [{ label: 'engine', value: `${bytesText(engine.usedBytes)} of ${bytesText(engine.totalBytes)}` }]
      : []),
    { label: 'mallocs', value: countText(figures.mallocs) },
    { label: 'reallocs', value: countText(figures.reallocs) },
    { label: 'frees', value: countText(figures.frees) },
    ...(figures.failures === 0 ? [{ label: 'failed', value: '0' }] : []),
  ]);
}
