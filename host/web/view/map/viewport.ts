/**
 * What of the arena the map shows, and where on the canvas each byte is. Pure. Addresses run along rows, from left to
 * right and from top to bottom:
 *
 *      from ........................ from + bytesPerRow - 1
 *      from + bytesPerRow ..........
 *
 * A heap of several regions has a band for each: a row for what it is called, then rows of its own scale.
 *
 * Invariants
 *   V1  0 <= from, from + span <= arena, from is a multiple of 8; so the map never shows what is no arena
 *   V2  every byte shown has a place: the rows cover [from, from + span) without a gap
 */
import { bandLines } from '../../../view/panels/bands.ts';

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

/** A part of the heap with rows of its own. */
export interface Band {
  start: number;
  bytes: number;
}

/** A row of the map: bytes [start, end), of which a full one holds `bytesPerRow`. */
interface Row {
  start: number;
  end: number;
  bytesPerRow: number;
  y: number;
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
  #bands: readonly Band[] = [];
  #extent: Extent = { left: 0, width: 1, rows: 1, pitch: 1, height: 1 };
  #rows: readonly Row[] = [];
  /** Where the row that names a band is, by the band's place among all. */
  labels: readonly { band: number; y: number }[] = [];

  /** The heap as it is now, with its regions if it has any; shown wholly when it is another one, or when it was before. */
  fit(arenaBytes: number, bands: readonly Band[] = []): void {
    const wasWhole = this.span >= this.#arenaBytes;
    const isSame =
      bands.length === this.#bands.length && bands.every(({ bytes }, i) => bytes === this.#bands[i]!.bytes);
    if (arenaBytes === this.#arenaBytes && isSame) return;
    this.#arenaBytes = arenaBytes;
    this.#bands = bands.map(({ start, bytes }) => ({ start, bytes }));
    if (wasWhole) this.showAll();
    else this.#place(this.from, this.span);
  }

  get extent(): Extent {
    return this.#extent;
  }

  set extent(extent: Extent) {
    this.#extent = extent;
    this.#layOut();
  }

  get rows(): readonly Row[] {
    return this.#rows;
  }

  get arenaBytes(): number {
    return this.#arenaBytes;
  }

  get isWhole(): boolean {
    return this.span >= this.#arenaBytes;
  }

  /** Of the first row. */
  get bytesPerRow(): number {
    return this.#rows[0]?.bytesPerRow ?? GRAIN_BYTES;
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
    const { left, width, pitch } = this.extent;
    const row = this.#rows.find((one) => y >= one.y && y < one.y + pitch);
    const part = (x - left) / width;
    if (row === undefined || part < 0 || part >= 1) return null;
    const byte = row.start + Math.floor(part * row.bytesPerRow);
    return byte < row.end ? byte : null;
  }

  /** Calls back for each part of [start, end) that is seen, a part a row. */
  pieces(start: number, end: number, visit: (piece: Piece, row: number) => void): void {
    const { left, width } = this.extent;
    for (let row = this.#rowFrom(start); row < this.#rows.length; row++) {
      const { start: rowStart, end: rowEnd, bytesPerRow, y } = this.#rows[row]!;
      if (rowStart >= end) return;
      const from = Math.max(start, rowStart);
      const until = Math.min(end, rowEnd);
      if (from >= until) continue;
      visit(
        { x: left + ((from - rowStart) / bytesPerRow) * width, y, width: ((until - from) / bytesPerRow) * width },
        row,
      );
    }
  }

  /** The row in which a byte is, or the first one behind it. */
  #rowFrom(byte: number): number {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#rows[middle]!.end <= byte) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #layOut(): void {
    const { rows: count, pitch } = this.#extent;
    const end = this.from + this.span;
    const seen = this.#bands
      .map(({ start, bytes }, band) => {
        const from = Math.max(start, this.from);
        return { band, start: from, bytes: Math.min(start + bytes, end) - from };
      })
      .filter(({ bytes }) => bytes > 0);
    const rows: Row[] = [];
    const labels: { band: number; y: number }[] = [];
    // A band needs a row for its name and one for its bytes.
    const isBanded = seen.length > 0 && seen.length * 2 <= count;
    const spans = isBanded ? seen : [{ band: -1, start: this.from, bytes: this.span }];
    const shares = isBanded ? bandLines(spans, count - spans.length) : [count];
    spans.forEach(({ band, start, bytes }, i) => {
      if (band >= 0) labels.push({ band, y: (rows.length + labels.length) * pitch });
      const bytesPerRow = Math.max(GRAIN_BYTES, grains(bytes / shares[i]!));
      for (let at = start; at < start + bytes; at += bytesPerRow) {
        const y = (rows.length + labels.length) * pitch;
        rows.push({ start: at, end: Math.min(at + bytesPerRow, start + bytes), bytesPerRow, y });
      }
    });
    this.#rows = rows;
    this.labels = labels;
  }

  #place(from: number, span: number): void {
    this.span = Math.min(this.#arenaBytes, grains(span));
    const latest = Math.max(0, this.#arenaBytes - this.span);
    this.from = Math.floor(Math.max(0, Math.min(from, latest)) / GRAIN_BYTES) * GRAIN_BYTES;
    this.#layOut();
  }
}
