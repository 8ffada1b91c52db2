/**
 * What a board told, in the order in which it told it: the seam between the decoder and everything that shows, stores
 * or judges a heap. Calls carry numbers, not objects, because there are millions of them; a listener implements what it
 * needs and leaves the rest out.
 *
 * Offsets and sizes are bytes. Times are milliseconds of the board's own clock, unwrapped. Nothing that arrives here is
 * trusted beyond its ranges: a hostile board can send any offset, size and site.
 */
export interface TelemetryListener {
  /** Text of the REPL between frames, raw: control characters and broken UTF-8 included. */
  text?(bytes: Uint8Array): void;
  hello?(hello: Hello): void;
  /** Before the records of an EVENTS frame; `sampled` means that they are some of many. */
  eventsBegin?(atMs: number, sampled: boolean, overheadBytes: number): void;
  /** `usable` is what the block holds (>= size). `alignment` is 8 but for memalign. `site` 0 is unknown. */
  malloc?(offset: number, size: number, usable: number, site: number, alignment: number): void;
  free?(offset: number): void;
  /** `newOffset` may equal `offset`. */
  realloc?(offset: number, newOffset: number, size: number, usable: number, site: number): void;
  /** A request that got nothing. `offset` is the block a realloc left as it was, else 0. */
  failure?(size: number, alignment: number, offset: number, site: number): void;
  misuse?(offset: number, code: number, site: number): void;
  /** The policy moved blocks (`compact`): those that begin in [from, until) now lie one behind the other from `to` on. */
  packed?(from: number, until: number, to: number): void;
  mark?(id: number): void;
  /** The board did not record this many operations (no room, or a lower level): what follows starts from an unknown state. */
  unrecorded?(operations: number): void;
  eventsEnd?(): void;
  map?(chunk: MapChunk): void;
  counters?(counters: Counters): void;
  postMortem?(report: PostMortem): void;
  engine?(sample: EngineSample): void;
  /** Of a heap of several regions: behind each hello, and when a break has moved. */
  regions?(report: RegionsReport): void;
  /**
   * Sound frames are missing before the next call: `frames` of them, with `records` operations (null when the frame
   * that showed the gap does not say).
   */
  lost?(frames: number, records: number | null): void;
  /** Bytes that were neither text nor a sound frame. */
  damaged?(bytes: number): void;
}

export interface Hello {
  /** The first frame after the recorder started: the heap is empty, sequence and record numbers start at 0. */
  boot: boolean;
  atMs: number;
  /** policyId() of firmware/src/policies/index.ts. */
  policy: number;
  arenaBytes: number;
  /** LEVEL_ of firmware/wire/format.ts. */
  level: number;
  /** 0 when unknown. */
  clockHz: number;
  /** Says which bundle runs, so that the right source map is used; 0 when unknown. */
  bundleId: number;
  /** Where the walk's first block starts. */
  firstBlock: number;
  /** From a block's start to its payload. */
  headerBytes: number;
}

/** What a walk found in [startBlock, endBlock), exact at the moment between two records at which it was taken. */
export interface MapChunk {
  first: boolean;
  last: boolean;
  /** Every operation since the last EVENTS frame before it was recorded. */
  complete: boolean;
  atMs: number;
  /** Number of the next record (modulo 65536). */
  record: number;
  startBlock: number;
  endBlock: number;
  headerBytes: number;
  /** MAP_KIND_ of each block in address order. */
  kinds: readonly number[];
  /** Bytes of each block, header included. */
  sizes: readonly number[];
}

/** Totals since the board's recorder started. */
export interface Counters {
  atMs: number;
  level: number;
  /** Malloc, free, realloc and memalign that succeeded. */
  operations: number;
  /** Records written to frames. */
  records: number;
  /** Records that found no room. */
  dropped: number;
  /** Operations not recorded because of the level. */
  skipped: number;
  /** Frames made before this one. */
  frames: number;
  liveBytes: number;
  peakLiveBytes: number;
  liveBlocks: number;
  /** As of the board's last complete walk, header bytes included; both 0 before the first one. */
  freeBytes: number;
  largestFreeBytes: number;
  failures: number;
  misuses: number;
}

/** Sent with the first failed request, and again when the failing request changes. */
export interface PostMortem {
  atMs: number;
  size: number;
  alignment: number;
  site: number;
  liveBytes: number;
  peakLiveBytes: number;
  freeBytes: number;
  largestFreeBytes: number;
  failures: number;
}

/** The engine's own heap, as the board's recorder asked for it. */
export interface EngineSample {
  atMs: number;
  /** Bytes of a variable on Espruino, 1 on JerryScript: the unit of the figures below. */
  unitBytes: number;
  used: number;
  total: number;
  /** What the answer to one sample takes: until it is let go on Espruino, until the next collection on JerryScript. */
  own: number;
  /** Samples taken since the recorder started. */
  samples: number;
}

/** The regions of a heap in the order of their offsets, which run through them without a gap; the last may be missing. */
export interface RegionsReport {
  atMs: number;
  regions: readonly ToldRegion[];
}

export interface ToldRegion {
  /** '' when it was given none. From the board: not to be trusted. */
  name: string;
  bytes: number;
  /** The program break: what the region's arena takes, its bookkeeping included. */
  breakBytes: number;
  /** Takes large blocks alone, and has no arena. */
  isLarge: boolean;
  /** Large blocks take whole pages of it. */
  pageBytes: number;
}
