/**
 * What of the arena the map shows, and where on the canvas each byte is. Pure. Addresses run along rows, from left to
 * right and from top to bottom:
 *
 *      from ........................ from + bytesPerRow - 1
 *      from + bytesPerRow ..........
 *
 * Invariants
 *   V1  0 <= from, from + span <= arena, from is a multiple of 8; so the map never shows what is no arena
 *   V2  rows * bytesPerRow >= span: every byte shown has a place
 */

/** Every policy aligns blocks to this. */
const GRAIN_BYTES = 8;
/** Nothing is gained by showing less. */
const LEAST_SPAN_BYTES = 64;

export interface Extent {
  /** CSS pixels; the left edge of the rows. */
  left: number;
  width: number;
  rows: number;
  /** From one row to the next, and of that what is filled. */
  pitch: number;
  height: number;
}

export interface Piece {
  x: number;
  y: number;
  width: number;
}

const grains = (bytes: number): number => Math.ceil(bytes / GRAIN_BYTES) * GRAIN_BYTES;

export class Viewport {
  from = 0;
  span = 0;
  #arenaBytes = 0;
  extent: Extent = { left: 0, width: 1, rows: 1, pitch: 1, height: 1 };

  /** The arena as it is now; shown wholly when it is another one, or when it was before. */
  fit(arenaBytes: number): void {
    const wasWhole = this.span >= this.#arenaBytes;
    if (arenaBytes === this.#arenaBytes) return;
    this.#arenaBytes = arenaBytes;
    if (wasWhole) this.showAll();
    else this.#place(this.from, this.span);
  }

  get arenaBytes(): number {
    return this.#arenaBytes;
  }

  get isWhole(): boolean {
    return this.span >= this.#arenaBytes;
  }

  get bytesPerRow(): number {
    return Math.max(GRAIN_BYTES, grains(this.span / this.extent.rows));
  }

  showAll(): void {
    this.#place(0, this.#arenaBytes);
  }

  /** `factor` < 1 shows less of it, larger; `around` stays where it is. */
  zoom(factor: number, around: number): void {
    const span = Math.max(Math.min(LEAST_SPAN_BYTES, this.#arenaBytes), Math.min(this.#arenaBytes, this.span * factor));
    this.#place(around - ((around - this.from) * span) / this.span, span);
  }

  moveBy(bytes: number): void {
    this.#place(this.from + bytes, this.span);
  }

  /** Moves so that these bytes are seen. */
  reveal(start: number, end: number): void {
    if (start < this.from) this.#place(start, this.span);
    else if (end > this.from + this.span) this.#place(Math.min(start, end - this.span), this.span);
  }

  /** These bytes with a little around them. */
  zoomTo(start: number, end: number): void {
    const span = Math.max(LEAST_SPAN_BYTES, (end - start) * 4);
    this.#place((start + end - span) / 2, Math.min(span, this.#arenaBytes));
  }

  /** The byte at a point of the canvas; null beside the rows. */
  byteAt(x: number, y: number): number | null {
    const { left, width, rows, pitch } = this.extent;
    const row = Math.floor(y / pitch);
    const part = (x - left) / width;
    if (row < 0 || row >= rows || part < 0 || part >= 1) return null;
    const byte = this.from + row * this.bytesPerRow + Math.floor(part * this.bytesPerRow);
    return byte < Math.min(this.from + this.span, this.#arenaBytes) ? byte : null;
  }

  /** Calls back for each part of [start, end) that is seen, a part a row. */
  pieces(start: number, end: number, visit: (piece: Piece, row: number) => void): void {
    const { left, width, pitch } = this.extent;
    const { bytesPerRow } = this;
    const last = Math.min(end, this.from + this.span);
    for (let at = Math.max(start, this.from); at < last; ) {
      const row = Math.floor((at - this.from) / bytesPerRow);
      const rowEnd = Math.min(last, this.from + (row + 1) * bytesPerRow);
      const x = left + ((at - this.from - row * bytesPerRow) / bytesPerRow) * width;
      visit({ x, y: row * pitch, width: ((rowEnd - at) / bytesPerRow) * width }, row);
      at = rowEnd;
    }
  }

  #place(from: number, span: number): void {
    this.span = Math.min(this.#arenaBytes, grains(span));
    const latest = Math.max(0, this.#arenaBytes - this.span);
    this.from = Math.floor(Math.max(0, Math.min(from, latest)) / GRAIN_BYTES) * GRAIN_BYTES;
  }
}
