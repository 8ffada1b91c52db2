/**
 * Where Kaluma keeps the program: plain text with a NUL behind it, from flash offset 0x100000 on.
 *
 *   0            0xFC000     0x100000                 0x180000
 *   | firmware   | storage   | program, NUL, 0xFF...  | file system
 *
 * Writing has no header: a cut transfer leaves text without a NUL, and its length is then counted on through 0xFF into
 * the file system behind it. Source: kaluma-project/kaluma@1.2.1 src/prog.c and targets/rp2/boards/pico/board.h.
 */
import type { Machine } from '../machine.ts';
import { nsPerMs } from '../time.ts';

export const programAreaOffset = 0x100000;
export const pageBytes = 256;
export const sectorBytes = 4096;
/** Winbond W25Q16JV data sheet, AC characteristics: page program 0.4 ms typical. */
export const programPageNs = 0.4 * nsPerMs;

export class ProgramArea {
  readonly #machine: Machine;
  readonly sizeBytes: number;
  #page = new Uint8Array(pageBytes);
  #inPage = 0;
  #flushedBytes = 0;
  #writtenBytes = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.sizeBytes = machine.board.programAreaBytes ?? 0;
  }

  erase(): void {
    this.#machine.spend(this.#machine.flash.erase(programAreaOffset, this.sizeBytes));
  }

  begin(): void {
    this.erase();
    this.#page = new Uint8Array(pageBytes);
    this.#inPage = 0;
    this.#flushedBytes = 0;
    this.#writtenBytes = 0;
  }

  /** False when the area is full: its last byte is never written. */
  write(data: Uint8Array): boolean {
    for (const byte of data) if (!this.#push(byte)) return false;
    return true;
  }

  end(): void {
    this.#push(0);
    if (this.#inPage > 0) this.#flush();
    this.#writtenBytes = 0;
  }

  /** Up to the first NUL, wherever that is. */
  textBytes(): number {
    const { bytes } = this.#machine.flash;
    if (bytes[programAreaOffset] === 0xff) return 0;
    const end = bytes.indexOf(0, programAreaOffset);
    return (end < 0 ? bytes.length : end) - programAreaOffset;
  }

  text(): Uint8Array {
    return this.#machine.flash.bytes.slice(programAreaOffset, programAreaOffset + this.textBytes());
  }

  #push(byte: number): boolean {
    this.#page[this.#inPage++] = byte;
    this.#writtenBytes++;
    if (this.#writtenBytes >= this.sizeBytes) return false;
    if (this.#inPage >= pageBytes) this.#flush();
    return true;
  }

  #flush(): void {
    this.#machine.spend(this.#machine.flash.program(programAreaOffset + this.#flushedBytes, this.#page));
    this.#flushedBytes += pageBytes;
    this.#page = new Uint8Array(pageBytes);
    this.#inPage = 0;
  }
}
