/**
 * Reads a recording: wholly, from any point, while it is still written, and as far as it is sound when it was cut.
 * Record by record, so that memory does not grow with the file.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import * as v from 'valibot';
import { cannotRead, exitCodes, Problem } from '../../boards/problem.ts';
import { type DecoderState, TelemetryDecoder } from '../model/decoder.ts';
import type { TelemetryListener } from '../model/events.ts';
import { HeapModel, type HeapState } from '../model/heap-model.ts';
import {
  type CheckpointPlace,
  decodeRecord,
  KIND_CHECKPOINT,
  KIND_HEADER,
  KIND_LINE,
  KIND_MARK,
  KIND_SITES,
  LONGEST_MARK,
  MAGIC,
  MOST_RECORD_BYTES,
  RECORD_HEAD_BYTES,
  RECORD_TAIL_BYTES,
  type RecordedMark,
  type RecordingHeader,
} from './format.ts';
import { parsed, SitesSchema } from './record-json.ts';

const HeaderSchema = v.object({
  version: v.literal(1),
  startedAt: v.string(),
  source: v.string(),
  board: v.optional(v.string()),
  program: v.optional(v.string()),
  sites: v.optional(v.record(v.string(), v.string())),
});

const MarkSchema = v.object({ hostMs: v.number(), atMs: v.number(), text: v.string() });

/** Bytes decoded between two looks at a target that is near: less than a frame. */
const SEEK_SLICE_BYTES = 64;

export interface LineBatch {
  /** The host's clock when the first byte came. */
  hostMs: number;
  bytes: Uint8Array;
}

/** What the file holds between its checkpoints: bytes of the line, and marks between them. */
export type Entry = ({ kind: 'line' } & LineBatch) | ({ kind: 'mark' } & RecordedMark);

/** A listener that also hears the marks of who watched. */
export interface RecordingListener extends TelemetryListener {
  userMark?(mark: RecordedMark): void;
}

export interface Point {
  decoder: TelemetryDecoder;
  model: HeapModel;
  /** Operations that were decoded to get there. */
  decoded: number;
}

export class Recording {
  readonly path: string;
  readonly header: RecordingHeader;
  /** In order; found by a pass over the record heads. */
  readonly checkpoints: readonly CheckpointPlace[];
  /** Bytes at the end that are no whole record; 0 for a file that was closed. */
  readonly cutBytes: number;
  /** Source lines of call sites, by bundle. */
  readonly #sites = new Map<number, ReadonlyMap<string, string>>();
  readonly #file: number;
  readonly #begin: number;
  readonly #end: number;

  constructor(path: string) {
    this.path = path;
    this.#file = open(path);
    const size = fstatSync(this.#file).size;
    const magic = this.#read(0, MAGIC.length);
    const first = magic === null ? null : this.#record(MAGIC.length, size);
    const header = first?.kind === KIND_HEADER ? (parsed(HeaderSchema, first.payload) as RecordingHeader | null) : null;
    if (magic === null || new TextDecoder().decode(magic) !== MAGIC || header === null) {
      closeSync(this.#file);
      throw new Problem(
        exitCodes.badInput,
        `${path} is not a Heapglass recording`,
        [size === 0 ? 'it is empty' : `it has ${size} bytes and no sound header`],
        'Record one with `heapglass monitor --record FILE`.',
      );
    }
    this.header = header;
    this.#begin = first!.next;
    const checkpoints: CheckpointPlace[] = [];
    let position = this.#begin;
    for (;;) {
      const head = this.#head(position, size);
      if (head === null) break;
      if (head.kind === KIND_CHECKPOINT) {
        const view = this.#read(position + RECORD_HEAD_BYTES, 16)!;
        const times = new DataView(view.buffer, view.byteOffset);
        checkpoints.push({ position, atMs: times.getFloat64(0, true), operations: times.getFloat64(8, true) });
      }
      if (head.kind === KIND_SITES) this.#keepSites(this.#record(position, size)?.payload);
      position = head.next;
    }
    // The last record can be whole in length and still be damaged.
    this.checkpoints = checkpoints;
    this.#end = position;
    this.cutBytes = size - position;
  }

  close(): void {
    closeSync(this.#file);
  }

  /** The line and the marks in order, from the beginning or from a checkpoint's position. A damaged record ends it. */
  *entries(from = this.#begin): Generator<Entry> {
    for (let position = from; ; ) {
      const record = this.#record(position, this.#end);
      if (record === null) return;
      position = record.next;
      if (record.kind === KIND_LINE && record.payload.length >= 8) {
        const hostMs = new DataView(record.payload.buffer, record.payload.byteOffset).getFloat64(0, true);
        yield { kind: 'line', hostMs, bytes: record.payload.subarray(8) };
      } else if (record.kind === KIND_MARK) {
        const mark = parsed(MarkSchema, record.payload);
        if (mark) yield { kind: 'mark', ...mark, text: mark.text.slice(0, LONGEST_MARK) };
      }
    }
  }

  /** The line's bytes alone. */
  *batches(from = this.#begin): Generator<LineBatch> {
    for (const entry of this.entries(from)) if (entry.kind === 'line') yield entry;
  }

  /** The source line of a site of the bundle that ran; undefined when the file does not say. */
  siteName(site: number, bundleId: number): string | undefined {
    return this.#sites.get(bundleId)?.get(String(site)) ?? own(this.header.sites, String(site));
  }

  /** Plays everything to a listener; returns the decoder for its statistics. */
  play(listener: RecordingListener): TelemetryDecoder {
    const decoder = new TelemetryDecoder(listener);
    for (const entry of this.entries()) {
      if (entry.kind === 'line') decoder.push(entry.bytes);
      else listener.userMark?.(entry);
    }
    decoder.end();
    return decoder;
  }

  /** Decoder and model after the frame that reached `operations`, or at the end when there are fewer. */
  seekOperations(operations: number): Point {
    return this.#seek(
      (place) => place.operations <= operations,
      (model) => operations - model.operations,
    );
  }

  /** The same for a time of the board's clock. */
  seekTime(atMs: number): Point {
    return this.#seek(
      (place) => place.atMs < atMs,
      (model) => (model.atMs < atMs ? SEEK_SLICE_BYTES : 0),
    );
  }

  /** `ahead` is how many bytes may be decoded without passing the target; 0 or less when it is reached. */
  #seek(before: (place: CheckpointPlace) => boolean, ahead: (model: HeapModel) => number): Point {
    const model = new HeapModel();
    const decoder = new TelemetryDecoder(model);
    let from = this.#begin;
    for (let i = this.checkpoints.length - 1; i >= 0; i--) {
      const place = this.checkpoints[i]!;
      if (!before(place)) continue;
      const record = this.#record(place.position, this.#end);
      const state = record === null ? null : parseState(record.payload);
      if (state === null) continue;
      model.restore(state.model);
      decoder.restore(state.decoder);
      from = place.position;
      break;
    }
    const started = model.operations;
    const point = (): Point => ({ decoder, model, decoded: model.operations - started });
    if (from !== this.#begin && ahead(model) <= 0) return point();
    for (const { bytes } of this.batches(from)) {
      for (let at = 0; at < bytes.length; ) {
        // No operation takes less than a byte.
        const to = at + Math.max(ahead(model), SEEK_SLICE_BYTES);
        decoder.push(bytes.subarray(at, to));
        if (ahead(model) <= 0) return point();
        at = to;
      }
    }
    return point();
  }

  #keepSites(payload: Uint8Array | undefined): void {
    const table = payload && parsed(SitesSchema, payload);
    if (table) this.#sites.set(table.bundleId, new Map(Object.entries(table.sites)));
  }

  #head(position: number, size: number): { kind: number; length: number; next: number } | null {
    const head = this.#read(position, RECORD_HEAD_BYTES);
    if (head === null) return null;
    const length = new DataView(head.buffer, head.byteOffset).getUint32(0, true);
    const next = position + RECORD_HEAD_BYTES + length + RECORD_TAIL_BYTES;
    return length > MOST_RECORD_BYTES || next > size ? null : { kind: head[4]!, length, next };
  }

  #record(position: number, size: number): { kind: number; payload: Uint8Array; next: number } | null {
    const head = this.#head(position, size);
    if (head === null) return null;
    const bytes = this.#read(position, head.next - position);
    const payload = bytes === null ? null : decodeRecord(bytes);
    return payload === null ? null : { kind: head.kind, payload, next: head.next };
  }

  #read(position: number, length: number): Uint8Array | null {
    const bytes = new Uint8Array(length);
    let at = 0;
    while (at < length) {
      const got = readSync(this.#file, bytes, at, length - at, position + at);
      if (got === 0) return null;
      at += got;
    }
    return bytes;
  }
}

function open(path: string): number {
  const advice = 'Give the path of a recording.';
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw cannotRead(`the recording ${path}`, error, advice);
  }
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw cannotRead(
    `the recording ${path}`,
    Error('it is no regular file: records are read from any place of it'),
    advice,
  );
}

/** A file's keys are anybody's: none reaches a prototype. */
const own = (table: Record<string, string> | undefined, key: string): string | undefined =>
  table !== undefined && Object.hasOwn(table, key) ? table[key] : undefined;

function parseState(payload: Uint8Array): { decoder: DecoderState; model: HeapState } | null {
  try {
    return JSON.parse(inflateRawSync(payload.subarray(16)).toString()) as { decoder: DecoderState; model: HeapState };
  } catch {
    return null;
  }
}
