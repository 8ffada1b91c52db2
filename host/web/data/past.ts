/**
 * Time travel: the heap at any moment of a recording, without holding its events. A checkpoint before the moment is
 * read from the source, and the line from there to the moment is decoded: some thousand operations, whatever the length.
 *
 * Kept in memory: MOST_PLACES moments and the checkpoints' places, 24 bytes each; ten million events have some 1,200
 * checkpoints.
 */
import { type DecoderState, TelemetryDecoder } from '../../model/decoder.ts';
import { HeapModel, type HeapState } from '../../model/heap-model.ts';
import { KIND_CHECKPOINT, KIND_LINE } from '../../recording/format.ts';
import type { ByteSource } from './byte-source.ts';
import { type RecordingRecord, RecordReader } from './record-reader.ts';

const MOST_PLACES = 4096;
/** Bytes decoded between two looks at a moment that is near. */
const SLICE_BYTES = 64;
/** A checkpoint and the line after it are most often in one piece of this size. */
const SEEK_BYTES = 1 << 16;
/** LINE begins with the host's clock, CHECKPOINT with the board's and the operations. */
const LINE_HEAD_BYTES = 8;
const CHECKPOINT_HEAD_BYTES = 16;

interface Place {
  /** Of a LINE record. */
  position: number;
  /** Session time and board time before it. */
  elapsedMs: number;
  boardMs: number;
}

export class Past {
  readonly #source: ByteSource;
  /** Position of the first record after the header. */
  readonly #begin: number;
  #places: Place[] = [];
  #every = 1;
  #seen = 0;
  readonly #checkpoints: number[] = [];

  constructor(source: ByteSource, begin: number) {
    this.#source = source;
    this.#begin = begin;
  }

  get checkpoints(): number {
    return this.#checkpoints.length;
  }

  /** A LINE record at `position` is about to be played. */
  line(position: number, elapsedMs: number, boardMs: number): void {
    if (this.#seen++ % this.#every !== 0) return;
    this.#places.push({ position, elapsedMs, boardMs });
    if (this.#places.length < MOST_PLACES) return;
    this.#places = this.#places.filter((_, index) => index % 2 === 0);
    this.#every *= 2;
  }

  checkpoint(position: number): void {
    this.#checkpoints.push(position);
  }

  /**
   * The heap at `elapsedMs`: after the first frame at that time or later. Nothing behind `endPosition` is read: a live
   * source would wait for it.
   */
  async at(elapsedMs: number, endPosition: number): Promise<HeapModel> {
    const index = countBefore(this.#places, (one) => one.elapsedMs <= elapsedMs) - 1;
    const place = this.#places[index];
    const untilMs = place === undefined ? 0 : place.boardMs + (elapsedMs - place.elapsedMs);
    const near = place?.position ?? this.#begin;
    // A reset sets the board's clock back; the next place's time is past the moment in any case.
    const end = Math.min(endPosition, this.#places[index + 1]?.position ?? endPosition);
    const before = countBefore(this.#checkpoints, (position) => position <= near);
    const from = this.#checkpoints[before - 1] ?? this.#begin;
    const model = new HeapModel();
    const decoder = new TelemetryDecoder(model);
    for await (const record of recordsBetween(this.#source, from, end)) {
      if (record.kind === KIND_CHECKPOINT && record.position === from) await restore(record, decoder, model);
      if (record.kind !== KIND_LINE) continue;
      const bytes = record.payload.subarray(LINE_HEAD_BYTES);
      const isNear = record.position >= near;
      const step = isNear ? SLICE_BYTES : bytes.length;
      for (let at = 0; at < bytes.length; at += step) {
        if (isNear && model.atMs >= untilMs && model.arenaBytes > 0) return model;
        decoder.push(bytes.subarray(at, at + step));
      }
    }
    return model;
  }
}

/** How many entries of a sorted list are before the point. */
function countBefore<T>(sorted: readonly T[], isBefore: (entry: T) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(sorted[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function* recordsBetween(source: ByteSource, from: number, end: number): AsyncGenerator<RecordingRecord> {
  const reader = new RecordReader(from);
  while (!reader.isBroken && reader.wanted < end) {
    const bytes = await source.read(reader.wanted, Math.min(SEEK_BYTES, end - reader.wanted));
    if (bytes.length === 0) return;
    yield* reader.push(bytes);
  }
}

async function restore(record: RecordingRecord, decoder: TelemetryDecoder, model: HeapModel): Promise<void> {
  const packed = record.payload.slice(CHECKPOINT_HEAD_BYTES);
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const state = (await new Response(unpacked).json()) as { decoder: DecoderState; model: HeapState };
  model.restore(state.model);
  decoder.restore(state.decoder);
}
