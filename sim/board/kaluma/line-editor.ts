/**
 * Kaluma's line editor: bytes to lines, echo, cursor keys and history, with the escapes that it prints.
 *
 * Only CR ends a line; LF is a character like any other. The prompt asks the terminal for its width and works without
 * an answer. Source: kaluma-project/kaluma@1.2.1 src/repl.c (handle_normal, handle_escape, km_repl_print_prompt).
 */
import type { KalumaTty } from './tty.ts';

const historyLines = 10;
const defaultColumns = 80;
const promptColumns = 2;
const escapeBytes = 16;

/** What a byte asks of the REPL. */
export type LineEvent = { kind: 'line'; bytes: Uint8Array } | { kind: 'softReset' } | null;

export class LineEditor {
  readonly #tty: KalumaTty;
  readonly #lineBytes: number;
  echo = true;
  #line: number[] = [];
  #position = 0;
  #columns = defaultColumns;
  #escape: number[] | null = null;
  readonly #history: number[][] = [];
  #historyPosition = 0;

  constructor(tty: KalumaTty, lineBytes: number) {
    this.#tty = tty;
    this.#lineBytes = lineBytes;
  }

  prompt(): void {
    this.#tty.print('\x1b[0m');
    if (!this.echo) return;
    this.#tty.print('\r\x1b7> ');
    this.#tty.putBytes(Uint8Array.from(this.#line));
    this.#tty.print('\x1b[H\x1b[900C\x1b[6n\x1b8\x1b[2C');
  }

  handle(byte: number): LineEvent {
    if (this.#escape !== null) {
      this.#handleEscape(byte);
      return null;
    }
    switch (byte) {
      case 0x0d:
        return this.#enter();
      case 0x01:
        this.#moveTo(0);
        return null;
      case 0x04:
        return { kind: 'softReset' };
      case 0x05:
        this.#moveTo(this.#line.length);
        return null;
      case 0x08:
      case 0x7f:
        this.#backspace();
        return null;
      case 0x1b:
        this.#escape = [];
        return null;
      default:
        this.#insert(byte);
        return null;
    }
  }

  #enter(): LineEvent {
    if (this.echo) this.#tty.print('\r\n');
    const bytes = Uint8Array.from(this.#line);
    if (this.#line.length > 0) {
      if (this.#history.length === historyLines) this.#history.shift();
      this.#history.push(this.#line);
      this.#historyPosition = this.#history.length;
    }
    this.#line = [];
    this.#position = 0;
    return { kind: 'line', bytes };
  }

  #insert(byte: number): void {
    if (this.#line.length >= this.#lineBytes - 1) {
      this.#tty.print('\x1b[31mREPL buffer overflow\r\n\x1b[0m');
      return;
    }
    const isAtEnd = this.#position === this.#line.length;
    this.#line.splice(this.#position++, 0, byte);
    if (!this.echo) return;
    if (isAtEnd) this.#tty.putByte(byte);
    else this.#redraw();
  }

  #backspace(): void {
    if (this.#position === 0) return;
    this.#line.splice(--this.#position, 1);
    if (!this.echo) return;
    this.#tty.print('\x1b[D\x1b[K\x1b[J');
    this.#redraw();
  }

  #delete(): void {
    if (this.#position >= this.#line.length) return;
    this.#line.splice(this.#position, 1);
    if (!this.echo) return;
    this.#tty.print('\x1b[K\x1b[J');
    this.#redraw();
  }

  #redraw(): void {
    this.#tty.print('\x1b8> ');
    this.#tty.putBytes(Uint8Array.from(this.#line));
    this.#showCursor();
  }

  #moveTo(position: number): void {
    this.#position = position;
    this.#showCursor();
  }

  #showCursor(): void {
    const column = (this.#position + promptColumns) % this.#columns;
    const row = Math.floor((this.#position + promptColumns) / this.#columns);
    this.#tty.print(`\x1b8${column > 0 ? `\x1b[${column}C` : ''}${row > 0 ? `\x1b[${row}B` : ''}`);
  }

  #handleEscape(byte: number): void {
    const sequence = this.#escape!;
    // The firmware writes behind its 16 bytes here; what that breaks is not modelled.
    if (sequence.length < escapeBytes) sequence.push(byte);
    const text = String.fromCharCode(...sequence);
    if (/[A-Za-z]/.test(String.fromCharCode(byte))) {
      this.#escape = null;
      if (text === '[A') this.#recall(-1);
      else if (text === '[B') this.#recall(1);
      else if (text === '[D') this.#position > 0 && this.#moveTo(this.#position - 1);
      else if (text === '[C') this.#position < this.#line.length && this.#moveTo(this.#position + 1);
      else if (text.endsWith('R')) this.#columns = Number.parseInt(text.split(';')[1] ?? '', 10) || this.#columns;
      else this.#tty.putBytes(Uint8Array.of(0x1b, ...sequence));
    } else if (byte === 0x7e) {
      this.#escape = null;
      if (text === '[3~') this.#delete();
    }
  }

  #recall(step: number): void {
    const position = this.#historyPosition + step;
    if (position < 0 || position > this.#history.length) return;
    this.#historyPosition = position;
    this.#line = [...(this.#history[position] ?? [])];
    this.#position = this.#line.length;
    this.#tty.print('\x1b[2K\r> ');
    this.#tty.putBytes(Uint8Array.from(this.#line));
  }
}
