/** A heap model in a checkpoint of a recording: plain numbers, for JSON. */
import type { EngineHeapState } from './engine-heap.ts';
import type { Counters, Hello } from './events.ts';
import type { Region } from './regions.ts';
import type { SiteTotals } from './sites.ts';

/** The figures of a model that are numbers of its own. */
export const FIGURES = [
  'exactBelow',
  'arenaBytes',
  'headerBytes',
  'firstBlock',
  'atMs',
  'operations',
  'mallocs',
  'frees',
  'reallocs',
  'failures',
  'misuses',
  'contradictions',
  'losses',
  'resyncs',
] as const;
export type Figure = (typeof FIGURES)[number] | 'liveBytes' | 'liveBlocks' | 'peakLiveBytes';

export interface HeapState {
  figures: Record<Figure, number>;
  exact: boolean;
  lastCounters: Counters | null;
  lastHello: Hello | null;
  sites: SiteTotals[];
  /** Rows of live-blocks.ts. */
  blocks: number[];
  overheadBytes: number;
  epoch: number;
  controls: number[];
  controlsSwept: number[];
  unrecorded: number;
  sweptTo: number;
  sweepSound: boolean;
  /** Absent in recordings from before the engine's heap was sampled. */
  engine?: EngineHeapState | null;
  /** Absent in recordings from before regions were told. */
  regions?: readonly Region[];
}
