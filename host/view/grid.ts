/**
 * A frame: a grid of cells, each a character of one column and a style. Panels write into rectangles of it.
 *
 * Invariant: text that was not written by Heapglass goes through `visible` first (escape.ts); the grid itself refuses
 * to hold a control character, so that a frame can never move the terminal's cursor.
 */
import { type Form, plain, type Style, sgr } from './theme.ts';

export interface Rectangle {
  x: number;
  y: number;
  columns: number;
  rows: number;
}

export class Grid {
  readonly columns: number;
  readonly rows: number;
  readonly characters: string[];
  readonly styles: Uint32Array;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
    this.characters = new Array<string>(columns * rows).fill(' ');
    this.styles = new Uint32Array(columns * rows);
  }

  set(x: number, y: number, character: string, style: Style): void {
    if (x < 0 || y < 0 || x >= this.columns || y >= this.rows) return;
    const at = y * this.columns + x;
    this.characters[at] = character < ' ' || character === '\x7f' ? '?' : character;
    this.styles[at] = style;
  }

  /** Writes text from (x, y), cut at `limit` columns; returns the column after it. */
  text(x: number, y: number, text: string, style: Style = plain, limit = this.columns - x): number {
    let at = x;
    for (const character of text) {
      if (at - x >= limit) break;
      this.set(at++, y, character, style);
    }
    return at;
  }

  /** Text that ends before column `end`. */
  textRight(end: number, y: number, text: string, style: Style = plain): void {
    this.text(end - [...text].length, y, text, style);
  }

  /** Replaces what a terminal that is not UTF-8 cannot show. */
  toAscii(): void {
    this.characters.forEach((character, at) => {
      if (character > '~') this.characters[at] = character === '…' ? '.' : '?';
    });
  }

  /** One row as terminal text; with SGR in the colour form, bare characters in the others. */
  line(y: number, form: Form): string {
    if (form !== 'colour') {
      return this.characters
        .slice(y * this.columns, (y + 1) * this.columns)
        .join('')
        .trimEnd();
    }
    let out = '';
    let current: Style = plain;
    for (let x = 0; x < this.columns; x++) {
      const at = y * this.columns + x;
      const next = this.styles[at]!;
      if (next !== current) out += sgr(next);
      current = next;
      out += this.characters[at];
    }
    return current === plain ? out.trimEnd() : `${out}${sgr(plain)}`;
  }

  lines(form: Form): string[] {
    return Array.from({ length: this.rows }, (_, y) => this.line(y, form));
  }
}
