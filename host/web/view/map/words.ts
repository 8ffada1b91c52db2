/** A block, and the whole map, in words: for the line under the map, for a screen reader, and for the table. */
import { LEVEL_EVENTS } from '../../../../firmware/wire/format.ts';
import { type Block, type HeapModel, SIZE_UNKNOWN } from '../../../model/heap-model.ts';
import { bytesText, countText, durationText, percentText, plural } from '../../../view/units.ts';
import { hex } from './draw.ts';

export type NameOf = (site: number) => string;

/** The board tells its map by sweeps alone: it sends counters, or a part of its events. */
export const isSwept = ({ exact, lastCounters }: HeapModel): boolean =>
  !exact && lastCounters !== null && lastCounters.level < LEVEL_EVENTS;

export function blockWords(block: Readonly<Block>, model: HeapModel, nameOf: NameOf): string {
  const place = `${hex(block.start)} to ${hex(block.start + block.bytes - 1)}`;
  if (block.control) return `${place}: ${bytesText(block.bytes)} of the policy's own`;
  if (!block.live) return `${place}: ${bytesText(block.bytes)} free`;
  return `${place}: ${sizeWords(block)}, ${ageWords(block, model)}, ${siteWords(block, nameOf)}`;
}

export function sizeWords({ size, usable }: Readonly<Block>): string {
  return size === SIZE_UNKNOWN ? `${bytesText(usable)} held` : `${bytesText(size)} asked, ${bytesText(usable)} held`;
}

export function ageWords(block: Readonly<Block>, model: HeapModel): string {
  const operations = Math.max(0, model.operations - block.bornAt);
  return `${block.inferred ? 'at least ' : ''}${durationText(Math.max(0, model.atMs - block.bornMs))} old (${plural(operations, 'operation')})`;
}

export const siteWords = (block: Readonly<Block>, nameOf: NameOf): string =>
  block.site === 0 ? 'site unknown' : nameOf(block.site);

export function mapWords(model: HeapModel): string {
  const { liveBlocks, liveBytes, freeBytes, freeBlocks, largestFreeBytes, externalFragmentation } = model.metrics();
  return `Arena of ${bytesText(model.arenaBytes)}: ${plural(liveBlocks, 'live block')} with ${bytesText(liveBytes)}; ${bytesText(freeBytes)} free in ${plural(freeBlocks, 'piece')}, the largest ${countText(largestFreeBytes)} B; fragmentation ${percentText(externalFragmentation)}.${model.exact ? '' : ' Not exact until the next sweep.'}`;
}
