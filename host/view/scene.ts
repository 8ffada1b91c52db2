/**
 * What every view draws: one moment of a heap, and how it got there. Plain data, so that a frame is a pure function of
 * a scene, and the terminal, the report and the page show the same figures.
 *
 * Byte figures are of one arena. A figure that is not known (nothing heard yet, or the map is not exact after a loss)
 * is null and drawn as such: a view never shows a guess.
 */

import type { EngineFigures } from '../model/engine-heap.ts';

/** Called for each block in address order; `kind` is a BLOCK_ of firmware/src/policy.ts, `sizeBytes` includes the header. */
export type BlockVisitor = (offset: number, sizeBytes: number, kind: number) => void;

export interface Figures {
  /** Bytes of the arena taken by live blocks as the program may use them. */
  liveBytes: number;
  peakLiveBytes: number;
  liveBlocks: number;
  freeBytes: number;
  largestFreeBytes: number;
  /** 1 - largest free / free: the part of the free bytes that one request cannot have. */
  externalFragmentation: number;
  /** The part of the live bytes that nobody asked for: headers and rounding. Null when requests are not known. */
  internalFragmentation: number | null;
  mallocs: number;
  reallocs: number;
  frees: number;
  failures: number;
  misuses: number;
}

export interface HistogramRow {
  /** Requests of (previous row's limit, this limit] bytes. */
  upToBytes: number;
  liveBlocks: number;
}

export interface SiteRow {
  /** A source line where the source map is known, else `site 12`. From the board: not to be trusted. */
  name: string;
  liveBytes: number;
  liveBlocks: number;
  mallocs: number;
}

/** One region of a heap that has several. */
export interface RegionRow {
  /** From the board: not to be trusted. */
  name: string;
  /** Where its offsets begin. */
  start: number;
  bytes: number;
  /** The program break: what its arena takes; 0 for a region of large blocks alone. */
  breakBytes: number;
  isLarge: boolean;
  /** Live blocks, and of them the large ones, which lie beyond the break. */
  liveBytes: number;
  largeBytes: number;
  /** Neither arena nor large blocks: unused, or given back. */
  unusedBytes: number;
}

/** A moment that the program named (`mark(id)`), or who watched (the key m). */
export interface MarkRow {
  atMs: number;
  /** From a program, a file or a keyboard: not to be trusted. */
  text: string;
  by: 'program' | 'user';
  liveBytes: number;
  liveBlocks: number;
}

/** What was lost on the way, and how much got through. */
export interface LineFigures {
  frames: number;
  bytes: number;
  /** Frames missing by their sequence number, and frames refused by their check. */
  framesLost: number;
  framesBad: number;
  /** Events the board itself dropped because the line was full. */
  eventsDropped: number;
  eventsPerSecond: number;
  bytesPerSecond: number;
  /** What the board tells: it steps down from events while its line is full. Null before it said so. */
  level?: 'off' | 'counters' | 'sampled' | 'events' | null;
}

/** One column of the series; null in a gap. */
export interface SeriesPoint {
  atMs: number;
  liveBytes: number | null;
  peakLiveBytes: number | null;
  largestFreeBytes: number | null;
  externalFragmentation: number | null;
}

export type SceneState = 'waiting' | 'live' | 'paused' | 'past' | 'lost' | 'ended';

export interface Scene {
  /** Where the bytes come from: `sim:kaluma-pico`, a path. */
  source: string;
  /** What runs: a trace's or a program's name; from the board, not to be trusted. */
  program: string;
  policy: string | null;
  state: SceneState;
  /** The board's clock, in milliseconds since the recording began; the operation's number where `clock` says so. */
  atMs: number;
  /** A trace has no time: its moments are counted in operations. */
  clock: 'time' | 'operations';
  arenaBytes: number | null;
  /** False from a loss until the next snapshot: the map is then the last one that was sure. */
  exact: boolean;
  figures: Figures | null;
  walk(visit: BlockVisitor): void;
  /** In the order of their offsets; absent or empty for a heap of one arena. */
  regions?: readonly RegionRow[];
  series: readonly SeriesPoint[];
  histogram: readonly HistogramRow[];
  /** Largest first. */
  sites: readonly SiteRow[];
  line: LineFigures | null;
  /** The heap of the engine itself, of which the arena is a part; null where it was not sampled. */
  engine?: EngineFigures | null;
  /** In order of time, the latest of them when there are many. */
  marks?: readonly MarkRow[];
  /** The latest thing worth words: a failed allocation, a loss, a filter. */
  message: string | null;
  /** What is wrong, in sentences with their evidence (host/answers); worked out when asked. */
  answers?: () => string[];
}
