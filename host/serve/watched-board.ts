/**
 * One board that pages watch: its recording, of which they read what they want. The session here only says when a
 * checkpoint is due; every page decodes for itself.
 */
import { type FileHandle, open } from 'node:fs/promises';
import type { BoardWatch } from '../monitor/board-watch.ts';
import type { RecordingWriter } from '../recording/writer.ts';
import { bytesText } from '../view/units.ts';
import type { BoardStatus } from './protocol.ts';

export class WatchedBoard {
  readonly status: BoardStatus;
  /** Of the recording. */
  readonly path: string;
  /** The status changed. */
  onStatus: () => void = () => {};
  readonly #watch: BoardWatch;
  readonly #writer: RecordingWriter;
  readonly #waiting = new Set<() => void>();
  /** Open while it is watched. */
  #file: Promise<FileHandle> | null = null;

  /** `watch` records to `path`. */
  constructor(watch: BoardWatch, path: string) {
    if (watch.keeper.record === null) throw new Error('a page shows a recording');
    this.#watch = watch;
    this.#writer = watch.keeper.record;
    this.path = path;
    this.status = { name: watch.name, port: watch.port, state: watch.state, reason: null };
  }

  /** Watches until `signal` aborts or the time is over. */
  async run(signal: AbortSignal, forMs?: number): Promise<void> {
    // A page that asks at once waits for the file; what the line says is heard meanwhile.
    this.#file = open(this.path, 'r');
    this.#file.catch(() => {});
    try {
      await this.#watch.run({
        signal,
        paced: true,
        ...(forMs !== undefined && { forMs }),
        onMoment: () => this.#moment(),
      });
    } finally {
      this.#writer.flush();
      this.#become('ended', this.status.state === 'ended' ? this.status.reason : null);
      this.#wake();
      const file = await this.#file;
      this.#file = null;
      await file.close();
    }
  }

  /** Between `from` and `from + bytes`: what is there, or what comes next; empty when the watch ended or was given up. */
  async read(from: number, bytes: number, signal: AbortSignal): Promise<Uint8Array> {
    while (from >= this.#writer.sizeBytes && this.status.state !== 'ended' && !signal.aborted) await this.#more(signal);
    const length = Math.min(bytes, this.#writer.sizeBytes - from);
    if (this.#file === null || length <= 0 || signal.aborted) return new Uint8Array(0);
    const file = await this.#file;
    const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, from);
    return buffer.subarray(0, bytesRead);
  }

  /** Bytes that are in the recording. */
  get sizeBytes(): number {
    return this.#writer.sizeBytes;
  }

  mark(): void {
    this.#watch.keeper.mark();
  }

  #moment(): void {
    // Without a page that waits, the writer flushes at its own pace.
    if (this.#waiting.size > 0) this.#writer.flush();
    if (this.#writer.isFull) {
      const size = bytesText(this.#writer.sizeBytes);
      const why = this.#writer.problem?.message ?? `The recording is full (${size})`;
      this.#become('ended', `${why}: what came after it is not shown.`);
      this.#wake();
      return;
    }
    this.#wake();
    this.#become(this.#watch.state, this.#watch.lostBecause);
  }

  #become(state: BoardStatus['state'], reason: string | null): void {
    if (this.status.state === state && this.status.reason === reason) return;
    this.status.state = state;
    this.status.reason = reason;
    this.onStatus();
  }

  #more(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener('abort', done);
    });
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done();
  }
}
