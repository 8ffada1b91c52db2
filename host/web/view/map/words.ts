/** A block, and the whole map, in words: for the line under the map, for a screen reader, and for the table. */
import { LEVEL_EVENTS } from '../../../../firmware/wire/format.ts';
import { type Block, type HeapModel, SIZE_UNKNOWN } from '../../../model/heap-model.ts';
import { type RegionUse, regionAt, regionName, regionRows } from '../../../model/regions.ts';
import { visible } from '../../../view/escape.ts';
import { bytesText, countText, durationText, percentText, plural } from '../../../view/units.ts';

const NAME_CHARACTERS = 28;

/** An offset as the map's gutter has it. */
export const hex = (offset: number): string => `0x${offset.toString(16).padStart(4, '0')}`;

export type NameOf = (site: number) => string;

/** The board tells its map by sweeps alone: it sends counters, or a part of its events. */
export const isSwept = ({ exact, lastCounters }: HeapModel): boolean =>
  !exact && lastCounters !== null && lastCounters.level < LEVEL_EVENTS;

export function blockWords(block: Readonly<Block>, model: HeapModel, nameOf: NameOf): string {
  const region = regionAt(model.heapRegions, block.start);
  const name = region ? `${visible(regionName(model.heapRegions, region), NAME_CHARACTERS)}, ` : '';
  const place = `${name}${hex(block.start)} to ${hex(block.start + block.bytes - 1)}`;
  if (block.beyond) return `${place}: ${bytesText(block.bytes)} unused, beyond the program break or given back`;
  if (block.control) return `${place}: ${bytesText(block.bytes)} of the policy's own`;
  if (!block.live) return `${place}: ${bytesText(block.bytes)} free`;
  return `${place}: ${sizeWords(block)}, ${ageWords(block, model)}, ${siteWords(block, nameOf)}`;
}

export const stateWords = (block: Readonly<Block>): string =>
  block.live ? 'live' : block.control ? "policy's own" : block.beyond ? 'unused' : 'free';

export function sizeWords({ size, usable }: Readonly<Block>): string {
  return size === SIZE_UNKNOWN ? `${bytesText(usable)} held` : `${bytesText(size)} asked, ${bytesText(usable)} held`;
}

export function ageWords(block: Readonly<Block>, model: HeapModel): string {
  const operations = Math.max(0, model.operations - block.bornAt);
  return `${block.inferred ? 'at least ' : ''}${durationText(Math.max(0, model.atMs - block.bornMs))} old (${plural(operations, 'operation')})`;
}

export const siteWords = (block: Readonly<Block>, nameOf: NameOf): string =>
  block.site === 0 ? 'site unknown' : nameOf(block.site);

/** A region's name, and what is in it. */
export function regionWords(region: RegionUse): [name: string, facts: string] {
  const { name, bytes, breakBytes, isLarge, largeBytes, unusedBytes } = region;
  const facts = [bytesText(bytes)];
  if (!isLarge && breakBytes < bytes) facts.push(`break at ${bytesText(breakBytes)}`);
  if (isLarge || largeBytes > 0) facts.push(`${bytesText(largeBytes)} in large blocks`);
  if (unusedBytes > 0) facts.push(`${bytesText(unusedBytes)} unused`);
  return [name, facts.join(', ')];
}

export function mapWords(model: HeapModel): string {
  const regions = regionRows(model).map((region) => {
    const [name, facts] = regionWords(region);
    return ` ${visible(name, NAME_CHARACTERS)}: ${facts}.`;
  });
  return `${arenaWords(model)}${regions.join('')}`;
}

function arenaWords(model: HeapModel): string {
  const { liveBlocks, liveBytes, freeBytes, freeBlocks, largestFreeBytes, externalFragmentation } = model.metrics();
  return `Arena of ${bytesText(model.arenaBytes)}: ${plural(liveBlocks, 'live block')} with ${bytesText(liveBytes)}; ${bytesText(freeBytes)} free in ${plural(freeBlocks, 'piece')}, the largest ${countText(largestFreeBytes)} B; fragmentation ${percentText(externalFragmentation)}.${model.exact ? '' : ' Not exact until the next sweep.'}`;
}
