/**
 * Writes a recording while a line is watched: the bytes as they come, and a checkpoint now and then. What was flushed
 * survives the death of this process; a batch is flushed after FLUSH_MS or FLUSH_BYTES.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import type { Problem } from '../../boards/problem.ts';
import type { TelemetryDecoder } from '../model/decoder.ts';
import type { HeapModel } from '../model/heap-model.ts';
import { cannotWrite } from '../output-file.ts';
import {
  type CheckpointPlace,
  checkpointOperations,
  encodeRecord,
  KIND_CHECKPOINT,
  KIND_HEADER,
  KIND_INDEX,
  KIND_LINE,
  KIND_MARK,
  KIND_SITES,
  LONGEST_MARK,
  MAGIC,
  type RecordedMark,
  type RecordedSites,
  type RecordingHeader,
} from './format.ts';

const FLUSH_BYTES = 16384;
const FLUSH_MS = 250;

export class RecordingWriter {
  readonly path: string;
  /** What ended the recording before its time: a full disk. What was written until then is sound. */
  problem: Problem | null = null;
  readonly #file: number;
  #position = 0;
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #batchMs = 0;
  #checkpoints: CheckpointPlace[] = [];
  #checkpointed = 0;
  readonly #mostBytes: number;

  /** At `mostBytes` the file is full: what comes then is not kept. */
  constructor(path: string, header: Omit<RecordingHeader, 'version'>, mostBytes = Number.POSITIVE_INFINITY) {
    this.path = path;
    this.#mostBytes = mostBytes;
    try {
      this.#file = openSync(path, 'w');
    } catch (error) {
      throw this.#cannotWrite(error);
    }
    this.#append(new TextEncoder().encode(MAGIC));
    this.#append(encodeRecord(KIND_HEADER, json({ version: 1, ...header })));
    if (this.problem === null) return;
    closeSync(this.#file);
    throw this.problem;
  }

  /** Bytes in the file: whole records. */
  get sizeBytes(): number {
    return this.#position;
  }

  /** Nothing more is kept: the limit is reached, or the disk takes no more. */
  get isFull(): boolean {
    return this.problem !== null || this.#position >= this.#mostBytes;
  }

  /** Bytes of the line, as they came at `hostMs`. Call it before they are decoded. */
  line(bytes: Uint8Array, hostMs: number): void {
    if (this.isFull) return;
    if (this.#batchBytes === 0) this.#batchMs = hostMs;
    this.#batch.push(bytes.slice());
    this.#batchBytes += bytes.length;
    if (this.#batchBytes >= FLUSH_BYTES || hostMs - this.#batchMs >= FLUSH_MS) this.flush();
  }

  /** A mark at this place of the line. */
  mark({ hostMs, atMs, text }: RecordedMark): void {
    if (this.isFull) return;
    this.flush();
    this.#append(encodeRecord(KIND_MARK, json({ hostMs, atMs, text: text.slice(0, LONGEST_MARK) })));
  }

  /** The call sites of the bundle that the board runs; whoever reads the file needs no other. */
  sites(table: RecordedSites): void {
    this.flush();
    this.#append(encodeRecord(KIND_SITES, json(table)));
  }

  /** Call it after the bytes were decoded: a checkpoint is written when one is due. */
  decoded(decoder: TelemetryDecoder, model: HeapModel): void {
    if (this.isFull) return;
    if (model.operations < this.#checkpointed) this.#checkpointed = 0;
    const due = checkpointOperations(model.liveBlocks);
    if (model.operations - this.#checkpointed < due) return;
    this.flush();
    this.#checkpointed = model.operations;
    this.#checkpoints.push({ position: this.#position, atMs: model.atMs, operations: model.operations });
    const state = deflateRawSync(json({ decoder: decoder.save(), model: model.save() }), { level: 1 });
    const payload = new Uint8Array(16 + state.length);
    const view = new DataView(payload.buffer);
    view.setFloat64(0, model.atMs, true);
    view.setFloat64(8, model.operations, true);
    payload.set(state, 16);
    this.#append(encodeRecord(KIND_CHECKPOINT, payload));
  }

  flush(): void {
    if (this.#batchBytes === 0) return;
    const payload = new Uint8Array(8 + this.#batchBytes);
    new DataView(payload.buffer).setFloat64(0, this.#batchMs, true);
    let at = 8;
    for (const bytes of this.#batch) {
      payload.set(bytes, at);
      at += bytes.length;
    }
    this.#batch = [];
    this.#batchBytes = 0;
    this.#append(encodeRecord(KIND_LINE, payload));
  }

  close(): void {
    this.flush();
    this.#append(encodeRecord(KIND_INDEX, json(this.#checkpoints)));
    closeSync(this.#file);
  }

  #append(bytes: Uint8Array): void {
    if (this.problem !== null) return;
    try {
      let at = 0;
      while (at < bytes.length) at += writeSync(this.#file, bytes, at);
      this.#position += bytes.length;
    } catch (error) {
      this.problem = this.#cannotWrite(error);
    }
  }

  #cannotWrite(error: unknown): Problem {
    return cannotWrite(`the recording ${this.path}`, error, 'Give another path.');
  }
}

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
