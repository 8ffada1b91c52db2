/** A line of JSON an event: what `monitor --json` writes. Keys are stable; `t` is the board's clock in milliseconds. */
import type {
  Counters,
  EngineSample,
  Hello,
  MapChunk,
  PostMortem,
  RegionsReport,
  TelemetryListener,
} from '../model/events.ts';

/** A listener that writes each event as a line through `write`; `always` is in each of them. */
export function jsonEvents(write: (line: string) => void, always: object = {}): TelemetryListener {
  let t = 0;
  const put = (event: string, fields: object = {}): void =>
    write(`${JSON.stringify({ t, ...always, event, ...fields })}\n`);
  return {
    hello: (hello: Hello) => {
      t = hello.atMs;
      const { atMs: _, ...fields } = hello;
      put('hello', fields);
    },
    eventsBegin: (atMs) => {
      t = atMs;
    },
    malloc: (offset, size, usable, site, alignment) => put('malloc', { offset, size, usable, site, alignment }),
    free: (offset) => put('free', { offset }),
    realloc: (offset, newOffset, size, usable, site) => put('realloc', { offset, newOffset, size, usable, site }),
    failure: (size, alignment, offset, site) => put('failure', { size, alignment, offset, site }),
    misuse: (offset, code, site) => put('misuse', { offset, code, site }),
    packed: (from, until, to) => put('packed', { from, until, to }),
    mark: (id) => put('mark', { id }),
    unrecorded: (operations) => put('unrecorded', { operations }),
    map: (chunk: MapChunk) => {
      t = chunk.atMs;
      const { atMs: _, ...fields } = chunk;
      put('map', fields);
    },
    counters: (counters: Counters) => {
      t = counters.atMs;
      const { atMs: _, ...fields } = counters;
      put('counters', fields);
    },
    postMortem: (report: PostMortem) => {
      t = report.atMs;
      const { atMs: _, ...fields } = report;
      put('postMortem', fields);
    },
    engine: (sample: EngineSample) => {
      t = sample.atMs;
      const { atMs: _, ...fields } = sample;
      put('engine', fields);
    },
    regions: ({ atMs, regions }: RegionsReport) => {
      t = atMs;
      put('regions', { regions });
    },
    lost: (frames, records) => put('lost', { frames, records }),
    damaged: (bytes) => put('damaged', { bytes }),
  };
}
