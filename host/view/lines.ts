/** The view as plain lines, for pipes, logs and CI: one line a moment, no cursor movement, no colour. */
import { visible } from './escape.ts';
import { cellGlyph } from './panels/map.ts';
import { mapCells } from './panels/map-cells.ts';
import type { Scene } from './scene.ts';
import type { Form } from './theme.ts';
import { bytesText, countText, momentText, percentText } from './units.ts';

const MAP_CELLS = 32;
const LEAST_BAND_CELLS = 6;

/** `12.3 s  [█▓░···]  live 9.8 KB  peak ...`: the same order and units every time, so that it can be grepped. */
export function momentLine(scene: Scene, form: Form = 'shades'): string {
  const words = [momentText(scene).padStart(8)];
  const { figures } = scene;
  if (scene.arenaBytes !== null) {
    words.push(`[${mapText(scene, form === 'colour' ? 'shades' : form)}]${scene.exact ? '' : ' not exact'}`);
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

/** The map in one line; of several regions one after the other, `|` between them. */
function mapText(scene: Scene, form: Form): string {
  const regions = scene.regions ?? [];
  const spans = regions.length > 0 ? regions : [{ start: 0, bytes: scene.arenaBytes! }];
  const cells = Math.max(LEAST_BAND_CELLS, Math.floor(MAP_CELLS / spans.length));
  return spans
    .map(({ start, bytes }) =>
      [...mapCells(scene, cells, start, bytes).parts]
        .map((part) => (Number.isNaN(part) ? ' ' : cellGlyph(part, form)))
        .join(''),
    )
    .join('|');
}
