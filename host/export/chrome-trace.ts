/**
 * Trace Event Format (JSON object form), as chrome://tracing and Perfetto read it: counter events ("C") for the heap's
 * figures, instant events ("i") for failures, misuse, marks and gaps. Times are microseconds of the board's clock.
 */
import type { EngineSample } from '../model/events.ts';
import { HeapModel } from '../model/heap-model.ts';
import type { RecordedMark } from '../recording/format.ts';
import type { Recording } from '../recording/reader.ts';
import type { NameOf } from './exporter.ts';

const PROCESS = 1;

class TraceEvents extends HeapModel {
  readonly #write: (text: string) => void;
  readonly #nameOf: NameOf;
  #first = true;

  constructor(write: (text: string) => void, nameOf: NameOf) {
    super();
    this.#write = write;
    this.#nameOf = nameOf;
  }

  put(event: object): void {
    this.#write(`${this.#first ? '\n' : ',\n'}${JSON.stringify(event)}`);
    this.#first = false;
  }

  override eventsEnd(): void {
    super.eventsEnd();
    const { liveBytes, freeBytes, largestFreeBytes, externalFragmentation } = this.metrics();
    this.#counter('heap bytes', { live: liveBytes, free: freeBytes });
    this.#counter('largest free block', { bytes: largestFreeBytes });
    this.#counter('external fragmentation', { percent: Math.round(externalFragmentation * 1000) / 10 });
  }

  override failure(size: number, alignment: number, offset: number, site: number): void {
    super.failure(size, alignment, offset, site);
    this.#instant('request failed', { size, alignment, site: this.#nameOf(site, this.lastHello?.bundleId ?? 0) });
  }

  override misuse(offset = 0, code = 0, site = 0): void {
    super.misuse();
    this.#instant('misuse', { offset, code, site: this.#nameOf(site, this.lastHello?.bundleId ?? 0) });
  }

  mark(id: number): void {
    this.#instant(`mark ${id}`, {});
  }

  userMark({ text }: RecordedMark): void {
    this.#instant(text, {});
  }

  override engine(sample: EngineSample): void {
    super.engine(sample);
    const { usedBytes, totalBytes } = this.engineHeap.figures()!;
    this.#counter('engine heap bytes', { used: usedBytes, free: totalBytes - usedBytes });
  }

  override lost(frames: number, records: number | null): void {
    super.lost(frames, records);
    this.#instant('frames lost', { frames, records });
  }

  override unrecorded(operations: number): void {
    super.unrecorded(operations);
    this.#instant('not recorded by the board', { operations });
  }

  #counter(name: string, args: Record<string, number>): void {
    this.put({ name, ph: 'C', ts: this.atMs * 1000, pid: PROCESS, tid: PROCESS, args });
  }

  #instant(name: string, args: object): void {
    this.put({ name, ph: 'i', s: 'p', ts: this.atMs * 1000, pid: PROCESS, tid: PROCESS, args });
  }
}

export function exportChromeTrace(recording: Recording, write: (text: string) => void, nameOf: NameOf): void {
  write('{"displayTimeUnit":"ms","traceEvents":[');
  const events = new TraceEvents(write, nameOf);
  const { program, source } = recording.header;
  events.put({ name: 'process_name', ph: 'M', pid: PROCESS, args: { name: program ?? source } });
  recording.play(events);
  write('\n]}\n');
}
