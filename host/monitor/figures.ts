/**
 * What a scene shows of a watched board's heap and line: figures, call sites, the blocks of the map. Functions of what
 * model and decoder have; nothing is kept here.
 */
import { BLOCK_BEYOND, BLOCK_CONTROL, BLOCK_FREE, BLOCK_LIVE } from '../../firmware/src/policy.ts';
import type { Counters } from '../model/events.ts';
import type { HeapModel } from '../model/heap-model.ts';
import type { LineStatistics } from '../model/line-statistics.ts';
import type { BlockVisitor, Figures, LineFigures, SiteRow } from '../view/scene.ts';
import type { LineRates } from './line-rates.ts';

const TOP_SITES = 64;

/** By LEVEL_ of the wire format. */
const LEVELS = ['off', 'counters', 'sampled', 'events'] as const;

/** The figures of the board's own counters, once it has walked its heap; null before that. */
export function toldFigures(counters: Counters | null) {
  return counters === null || counters.freeBytes === 0 ? null : counters;
}

export function figuresOf(model: HeapModel): Figures {
  const metrics = model.metrics();
  // While the map is not exact the board's own counters are nearer to the truth than a sum over the map.
  const known = model.exact ? metrics : (toldFigures(model.lastCounters) ?? metrics);
  return {
    liveBytes: known.liveBytes,
    peakLiveBytes: metrics.peakLiveBytes,
    liveBlocks: known.liveBlocks,
    freeBytes: known.freeBytes,
    largestFreeBytes: known.largestFreeBytes,
    externalFragmentation: known.freeBytes === 0 ? 0 : 1 - known.largestFreeBytes / known.freeBytes,
    internalFragmentation: model.exact ? metrics.internalFragmentation : null,
    mallocs: model.mallocs,
    reallocs: model.reallocs,
    frees: model.frees,
    failures: Math.max(model.failures, model.lastCounters?.failures ?? 0),
    misuses: Math.max(model.misuses, model.lastCounters?.misuses ?? 0),
  };
}

export function lineFiguresOf(statistics: LineStatistics, rates: LineRates, model: HeapModel): LineFigures {
  const { lastCounters, lastHello } = model;
  const level = (lastCounters ?? lastHello)?.level;
  return {
    frames: statistics.frames,
    bytes: statistics.bytes,
    framesLost: statistics.lostFrames,
    framesBad: statistics.damagedRuns + statistics.malformedFrames,
    eventsDropped: Math.max(statistics.unrecorded, lastCounters?.dropped ?? 0),
    eventsPerSecond: rates.recordsPerSecond,
    bytesPerSecond: rates.bytesPerSecond,
    level: level === undefined ? null : (LEVELS[level] ?? null),
  };
}

/** The sites that hold or have made most, the largest holder first. */
export function siteRows(model: HeapModel, nameOf: (site: number) => string): SiteRow[] {
  return model.sites
    .list()
    .filter(({ liveBlocks, made }) => liveBlocks > 0 || made > 0)
    .slice(0, TOP_SITES)
    .map(({ site, liveBytes, liveBlocks, made }) => ({ name: nameOf(site), liveBytes, liveBlocks, mallocs: made }));
}

/** The blocks of the map by address, the policy's own at the arena's start included. */
export function walkMap(model: HeapModel, visit: BlockVisitor): void {
  if (model.firstBlock > 0) visit(0, model.firstBlock, BLOCK_CONTROL);
  model.forEachBlock(({ start, bytes, live, control, beyond }) =>
    visit(start, bytes, live ? BLOCK_LIVE : control ? BLOCK_CONTROL : beyond ? BLOCK_BEYOND : BLOCK_FREE),
  );
}
