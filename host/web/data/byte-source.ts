/**
 * Where a recording's bytes come from: a file that was opened, a board on this page's own serial port, a monitor's
 * WebSocket. Bytes that were there once stay what they were.
 */

export interface ByteSource {
  /** What to call it: a file's name, a port. */
  readonly name: string;
  /**
   * At most `bytes` bytes from `from` on; waits for at least one while the source can still grow. Empty: the end.
   */
  read(from: number, bytes: number): Promise<Uint8Array>;
  /** All of it as it is now, to save; null when it cannot be had. */
  save(): Promise<Blob | null>;
}

/** A file that the user opened. Its bytes stay on the disk until they are read. */
export class FileSource implements ByteSource {
  readonly name: string;
  readonly #file: Blob;

  constructor(file: Blob, name: string) {
    this.#file = file;
    this.name = name;
  }

  async read(from: number, bytes: number): Promise<Uint8Array> {
    return new Uint8Array(await this.#file.slice(from, from + bytes).arrayBuffer());
  }

  async save(): Promise<Blob> {
    return this.#file;
  }
}

/** Bytes are gathered up to this and then given to the browser, which may keep them on its disk. */
const PART_BYTES = 1 << 20;
/** Six hours of a line that is full at 115200 baud. Later bytes are shown and not kept. */
export const MOST_KEPT_BYTES = 1 << 28;

/** What this page records itself. */
export class MemorySource implements ByteSource {
  readonly name: string;
  size = 0;
  #kept = new Blob([]);
  #recent: Uint8Array<ArrayBuffer>[] = [];
  #recentBytes = 0;
  #isOver = false;
  #waiting: (() => void)[] = [];

  constructor(name: string) {
    this.name = name;
  }

  get isFull(): boolean {
    return this.size >= MOST_KEPT_BYTES;
  }

  append(bytes: Uint8Array): void {
    this.#recent.push(bytes.slice());
    this.#recentBytes += bytes.length;
    this.size += bytes.length;
    if (this.#recentBytes >= PART_BYTES) {
      this.#kept = new Blob([this.#kept, ...this.#recent]);
      this.#recent = [];
      this.#recentBytes = 0;
    }
    this.#wake();
  }

  /** Nothing more will come. */
  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  async read(from: number, bytes: number): Promise<Uint8Array> {
    while (from >= this.size && !this.#isOver) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (from < this.#kept.size) {
      return new Uint8Array(await this.#kept.slice(from, Math.min(from + bytes, this.#kept.size)).arrayBuffer());
    }
    let at = this.#kept.size;
    for (const part of this.#recent) {
      if (from < at + part.length) return part.subarray(from - at, from - at + bytes);
      at += part.length;
    }
    return new Uint8Array(0);
  }

  async save(): Promise<Blob> {
    return new Blob([this.#kept, ...this.#recent]);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
