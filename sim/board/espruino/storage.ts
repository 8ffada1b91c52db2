/**
 * Espruino's Storage, on flash as it lies there: headers and data one behind the other, nothing ever changed in place.
 *
 *   | size, flags | name (28 B) | data, padded to 4 | size, flags | 0 ... (replaced) | data | 0xFF ...
 *
 * A replaced or erased file has its name's first four bytes cleared; its space comes back only by compacting, which
 * erases all pages. Source: espruino/Espruino@c5ff787b1 src/jsflash.c, src/jsflash.h, src/jswrap_storage.c.
 */
import type { Machine } from '../machine.ts';

const nameBytes = 28;
const headerBytes = 4 + nameBytes;
const alignmentBytes = 4;
const erasedWord = 0xffffffff;
const sizeMask = 0xffffff;

interface File {
  name: string;
  /** Of its header. */
  at: number;
  dataAt: number;
  sizeBytes: number;
  isLive: boolean;
}

export interface StorageOutcome {
  isWritten: boolean;
  /** What Espruino throws. */
  error: string | null;
}

const aligned = (bytes: number): number => Math.ceil(bytes / alignmentBytes) * alignmentBytes;

export class Storage {
  readonly #machine: Machine;
  readonly #print: (text: string) => void;

  constructor(machine: Machine, print: (text: string) => void) {
    this.#machine = machine;
    this.#print = print;
  }

  get totalBytes(): number {
    return this.#machine.flash.bytes.length;
  }

  get freeBytes(): number {
    return Math.max(0, this.totalBytes - this.#end());
  }

  /** As `Storage.getStats()` gives it: sizes with their headers (jsfGetStorageStats). */
  get stats() {
    const count = (isLive: boolean) => {
      const files = this.#files().filter((file) => file.isLive === isLive);
      return {
        files: files.length,
        bytes: files.reduce((sum, file) => sum + aligned(file.sizeBytes) + headerBytes, 0),
      };
    };
    const [live, trash] = [count(true), count(false)];
    return {
      ...{ totalBytes: this.totalBytes, freeBytes: this.freeBytes },
      ...{ fileBytes: live.bytes, fileCount: live.files },
      ...{ trashBytes: trash.bytes, trashCount: trash.files },
    };
  }

  get names(): string[] {
    return this.#files()
      .filter((file) => file.isLive)
      .map((file) => file.name);
  }

  /** The data of a file, or null. A length of 0 means all from the offset on. */
  read(name: string, offset = 0, length = 0): Uint8Array | null {
    const file = this.#find(name);
    if (!file) return null;
    const from = Math.min(Math.max(0, offset), file.sizeBytes);
    const to = length <= 0 ? file.sizeBytes : Math.min(from + length, file.sizeBytes);
    return this.#machine.flash.bytes.slice(file.dataAt + from, file.dataAt + to);
  }

  /** Writes a piece at `offset` of a file of `sizeBytes` (0: as long as the piece). Offset 0 makes the file. */
  write(name: string, data: Uint8Array, offset = 0, sizeBytes = 0): StorageOutcome {
    if (offset < 0 || sizeBytes < 0) return { isWritten: false, error: null };
    const size = sizeBytes === 0 ? data.length : sizeBytes;
    if (size === 0) return { isWritten: false, error: "Can't create zero length file" };
    let file = this.#find(name);
    if (offset === 0 && (!file || file.sizeBytes !== size || !this.#isErased(file.dataAt, size))) {
      if (file && file.sizeBytes === size && data.length === size && this.#equals(file.dataAt, data)) {
        return { isWritten: true, error: null };
      }
      if (file) this.#clear(file);
      file = this.#create(name, size);
    }
    if (!file) return { isWritten: false, error: 'Unable to find or create file' };
    if (offset + data.length > file.sizeBytes) return { isWritten: false, error: 'Too much data for file size' };
    if (!this.#isErased(file.dataAt + offset, data.length)) {
      return { isWritten: false, error: 'File already written with different data' };
    }
    this.#program(file.dataAt + offset, data);
    return { isWritten: true, error: null };
  }

  erase(name: string): void {
    const file = this.#find(name);
    if (file) this.#clear(file);
  }

  eraseAll(): void {
    this.#machine.spend(this.#machine.flash.erase(0, this.totalBytes));
  }

  /** Erases everything and writes the live files again. False when there was nothing to gain. */
  compact(): boolean {
    const files = this.#files();
    if (files.every((file) => file.isLive)) return false;
    this.#print('Compacting... ');
    const kept = files
      .filter((file) => file.isLive)
      .map((file) => ({ file, data: this.#machine.flash.bytes.slice(file.at, file.dataAt + file.sizeBytes) }));
    this.eraseAll();
    let at = 0;
    for (const { data } of kept) {
      this.#program(at, data);
      at += aligned(data.length);
    }
    this.#print('\n');
    return true;
  }

  /** A header that says more than there is flash. */
  get isCorrupt(): boolean {
    const last = this.#files().at(-1);
    return last !== undefined && last.dataAt + last.sizeBytes > this.totalBytes;
  }

  #files(): File[] {
    const { bytes } = this.#machine.flash;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const files: File[] = [];
    for (let at = 0; at + headerBytes <= bytes.length; ) {
      const word = view.getUint32(at, true);
      if (word === erasedWord) break;
      const sizeBytes = word & sizeMask;
      const dataAt = at + headerBytes;
      const name = Buffer.from(bytes.subarray(at + 4, dataAt))
        .toString('latin1')
        .split('\0')[0]!;
      files.push({ name, at, dataAt, sizeBytes, isLive: view.getUint32(at + 4, true) !== 0 });
      at = dataAt + aligned(sizeBytes);
    }
    return files;
  }

  #end(): number {
    const last = this.#files().at(-1);
    return last ? last.dataAt + aligned(last.sizeBytes) : 0;
  }

  #find(name: string): File | undefined {
    const stored = name.slice(0, nameBytes);
    return this.#files().find((file) => file.isLive && file.name === stored);
  }

  #create(name: string, sizeBytes: number): File | undefined {
    const needed = aligned(sizeBytes) + headerBytes;
    if (this.freeBytes < needed) {
      // The headers of replaced files do not count here, though compacting gives their bytes back as well.
      const trashBytes = this.#files().reduce((sum, file) => sum + (file.isLive ? 0 : file.sizeBytes), 0);
      if (needed >= this.freeBytes + trashBytes || !this.compact() || this.freeBytes < needed) return undefined;
    }
    const at = this.#end();
    const header = new Uint8Array(headerBytes);
    new DataView(header.buffer).setUint32(0, sizeBytes, true);
    header.set(Buffer.from(name.slice(0, nameBytes), 'latin1'), 4);
    this.#program(at, header);
    return { name, at, dataAt: at + headerBytes, sizeBytes, isLive: true };
  }

  #clear(file: File): void {
    this.#program(file.at + 4, new Uint8Array(4));
  }

  #program(at: number, data: Uint8Array): void {
    this.#machine.spend(this.#machine.flash.program(at, data));
  }

  #isErased(at: number, sizeBytes: number): boolean {
    return this.#machine.flash.bytes.subarray(at, at + sizeBytes).every((byte) => byte === 0xff);
  }

  #equals(at: number, data: Uint8Array): boolean {
    return data.every((byte, i) => this.#machine.flash.bytes[at + i] === byte);
  }
}
