/** The view as plain lines, for pipes, logs and CI: one line a moment, no cursor movement, no colour. */
import { visible } from './escape.ts';
import { mapCells, step } from './panels/map.ts';
import type { Scene } from './scene.ts';
import { type Form, glyphs } from './theme.ts';
import { bytesText, countText, momentText, percentText } from './units.ts';

const MAP_CELLS = 32;

/** `12.3 s  [█▓░···]  live 9.8 KB  peak ...`: the same order and units every time, so that it can be grepped. */
export function momentLine(scene: Scene, form: Form = 'shades'): string {
  const words = [momentText(scene).padStart(8)];
  const { figures } = scene;
  if (scene.arenaBytes !== null) {
    const { fill, control } = glyphs[form === 'colour' ? 'shades' : form];
    const cells = [...mapCells(scene, MAP_CELLS).parts];
    const text = cells.map((part) => (Number.isNaN(part) ? ' ' : part < 0 ? control : fill[step(part, fill.length)]));
    words.push(`[${text.join('')}]${scene.exact ? '' : ' not exact'}`);
  }
  if (figures) {
    words.push(
      `live ${bytesText(figures.liveBytes)}`,
      `peak ${bytesText(figures.peakLiveBytes)}`,
      `largest free ${bytesText(figures.largestFreeBytes)}`,
      `fragmentation ${percentText(figures.externalFragmentation)}`,
      `blocks ${countText(figures.liveBlocks)}`,
    );
    if (figures.failures > 0) words.push(`failed ${countText(figures.failures)}`);
  } else words.push('no figures yet');
  if (scene.line) {
    const lost = scene.line.framesLost + scene.line.framesBad;
    words.push(`${countText(scene.line.eventsPerSecond)} events/s`);
    if (lost > 0) words.push(`lost frames ${countText(lost)}`);
    if (scene.line.level === 'sampled' || scene.line.level === 'counters') words.push(`told ${scene.line.level} only`);
    if (scene.line.eventsDropped > 0) words.push(`dropped events ${countText(scene.line.eventsDropped)}`);
  }
  if (scene.engine) words.push(`engine ${bytesText(scene.engine.usedBytes)} of ${bytesText(scene.engine.totalBytes)}`);
  if (scene.message !== null) words.push(visible(scene.message, 120));
  return words.join('  ');
}
