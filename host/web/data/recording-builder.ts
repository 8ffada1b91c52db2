/**
 * Makes a recording of a board on this page's own serial port, in the format that `monitor --record` writes
 * (host/recording/format.ts), into a source that the page plays like any other. The port is read here and nowhere else.
 *
 * A checkpoint is state after all that is in the source before it: it is taken when the board has played everything, and
 * what comes while it is packed waits.
 */
import {
  checkpointOperations,
  encodeRecord,
  KIND_CHECKPOINT,
  KIND_HEADER,
  KIND_LINE,
  KIND_MARK,
  KIND_SITES,
  MAGIC,
  type RecordedSites,
} from '../../recording/format.ts';
import type { Board } from './board.ts';
import { MemorySource } from './byte-source.ts';

const FLUSH_MS = 50;
const FLUSH_BYTES = 16_384;

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

export class RecordingBuilder {
  readonly source: MemorySource;
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #batchMs = 0;
  #checkpointed = 0;
  #isPacking = false;
  readonly #flushing: ReturnType<typeof setInterval>;

  constructor(name: string) {
    this.source = new MemorySource(name);
    this.source.append(new TextEncoder().encode(MAGIC));
    this.source.append(
      encodeRecord(KIND_HEADER, json({ version: 1, startedAt: new Date().toISOString(), source: name })),
    );
    this.#flushing = setInterval(() => this.#flush(), FLUSH_MS);
  }

  line(bytes: Uint8Array): void {
    if (this.#batchBytes === 0) this.#batchMs = Date.now();
    this.#batch.push(bytes);
    this.#batchBytes += bytes.length;
    if (this.#batchBytes >= FLUSH_BYTES) this.#flush();
  }

  mark(board: Board, text: string): void {
    this.#flush();
    this.source.append(encodeRecord(KIND_MARK, json({ hostMs: Date.now(), atMs: board.session.model.atMs, text })));
  }

  sites(table: RecordedSites): void {
    this.#flush();
    this.source.append(encodeRecord(KIND_SITES, json(table)));
  }

  /** The board has played all that the source holds. */
  async caughtUp(board: Board): Promise<void> {
    const { model, decoder } = board.session;
    if (model.operations < this.#checkpointed) this.#checkpointed = 0;
    const due = checkpointOperations(model.liveBlocks);
    if (this.#isPacking || board.playedBytes !== this.source.size || model.operations - this.#checkpointed < due)
      return;
    this.#isPacking = true;
    const { atMs, operations } = model;
    const state = json({ decoder: decoder.save(), model: model.save() });
    const packing = new Blob([state.slice()]).stream().pipeThrough(new CompressionStream('deflate-raw'));
    const packed = new Uint8Array(await new Response(packing).arrayBuffer());
    const payload = new Uint8Array(16 + packed.length);
    const view = new DataView(payload.buffer);
    view.setFloat64(0, atMs, true);
    view.setFloat64(8, operations, true);
    payload.set(packed, 16);
    this.#checkpointed = operations;
    this.#isPacking = false;
    this.source.append(encodeRecord(KIND_CHECKPOINT, payload));
    this.#flush();
  }

  end(): void {
    clearInterval(this.#flushing);
    this.#isPacking = false;
    this.#flush();
    this.source.end();
  }

  #flush(): void {
    if (this.#batchBytes === 0 || this.#isPacking) return;
    const payload = new Uint8Array(8 + this.#batchBytes);
    new DataView(payload.buffer).setFloat64(0, this.#batchMs, true);
    let at = 8;
    for (const bytes of this.#batch) {
      payload.set(bytes, at);
      at += bytes.length;
    }
    this.#batch = [];
    this.#batchBytes = 0;
    this.source.append(encodeRecord(KIND_LINE, payload));
  }
}
