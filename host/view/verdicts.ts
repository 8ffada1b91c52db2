/** What a session's figures mean, in words: each a sentence with its evidence. The same in every view. */
import type { Scene } from './scene.ts';
import { bytesText, countText, percentText, plural } from './units.ts';

/** A heap whose peak took more of the arena than this has little room for another day. */
const TIGHT = 0.9;
/** External fragmentation is worth words when this part of a considerable amount of free memory is out of reach. */
const FRAGMENTED = 0.5;
const CONSIDERABLE = 0.05;

export function verdicts(scene: Scene): string[] {
  const { figures, arenaBytes, line } = scene;
  const said: string[] = [];
  if (figures === null || arenaBytes === null) return ['No heap was heard: there is nothing to judge.'];

  if (figures.failures > 0) {
    said.push(
      `${plural(figures.failures, 'request')} failed. The largest free block is ${bytesText(figures.largestFreeBytes)} of ${bytesText(figures.freeBytes)} free.`,
    );
  }
  if (figures.misuses > 0) {
    said.push(
      `${plural(figures.misuses, 'free or realloc', 'frees or reallocs')} named no live block: the program frees twice, or writes outside its blocks.`,
    );
  }
  const peak = figures.peakLiveBytes / arenaBytes;
  said.push(
    peak > TIGHT
      ? `The peak took ${percentText(peak)} of the arena: a little more than ${bytesText(arenaBytes - figures.peakLiveBytes)} and requests fail.`
      : `The peak took ${percentText(peak)} of the arena; ${bytesText(arenaBytes - figures.peakLiveBytes)} were never live.`,
  );
  if (scene.answers) said.push(...scene.answers());
  else if (figures.externalFragmentation > FRAGMENTED && figures.freeBytes > arenaBytes * CONSIDERABLE) {
    said.push(
      `Fragmented: ${bytesText(figures.freeBytes)} are free, and the largest request that can be served is ${bytesText(figures.largestFreeBytes)}.`,
    );
  }
  if (line) {
    const lost = line.framesLost + line.framesBad;
    said.push(
      lost + line.eventsDropped === 0
        ? `Nothing was lost: all ${plural(line.frames, 'frame')} arrived, and the board dropped no event.`
        : `Lost on the way: ${plural(lost, 'frame')}; dropped by the board: ${plural(line.eventsDropped, 'event')}. The map is ${scene.exact ? 'exact again' : 'not exact'}.`,
    );
  }
  const [top] = scene.sites;
  if (top && top.liveBytes > 0) {
    said.push(
      `${top.name} holds the most: ${bytesText(top.liveBytes)} in ${countText(top.liveBlocks)} of ${plural(figures.liveBlocks, 'live block')}.`,
    );
  }
  return said;
}
