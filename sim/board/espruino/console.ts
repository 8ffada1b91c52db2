/**
 * Espruino's console: what is printed, and the input line that steps aside for it.
 *
 *   program prints "hi":   CR ESC[J  "hi" CR LF  ">" and the line again      (only what was shown is taken away)
 *
 * Source: espruino/Espruino@c5ff787b1 src/jsinteractive.c (jsiConsolePrintString, jsiConsoleRemoveInputLine,
 * jsiConsoleReturnInputLine, jsiMoveCursor).
 */
import type { Machine } from '../machine.ts';

export class EspruinoConsole {
  readonly #machine: Machine;
  /** `echo(0)`; a reset turns it on again. */
  isEchoOff = false;
  /** DLE at the start of a line. */
  isEchoOffForLine = false;
  isLineRemoved = false;
  line = '';
  cursor = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  get echoes(): boolean {
    return !this.isEchoOff && !this.isEchoOffForLine;
  }

  get showsLine(): boolean {
    return this.echoes && !this.isLineRemoved;
  }

  /** Bytes as they are (latin1). */
  raw(text: string): void {
    this.#machine.transmit(Buffer.from(text, 'latin1'));
  }

  /** LF goes out as CR LF. */
  print(text: string): void {
    this.raw(text.replaceAll('\n', '\r\n'));
  }

  removeLine(): void {
    if (this.isLineRemoved) return;
    this.isLineRemoved = true;
    if (!this.echoes) return;
    this.moveCursor(this.cursor, 0);
    this.raw('\r\x1b[J');
  }

  returnLine(): void {
    if (!this.isLineRemoved) return;
    this.isLineRemoved = false;
    if (!this.echoes) return;
    this.raw('>');
    this.printFrom(0);
    this.moveCursor(this.line.length, this.cursor);
  }

  clearLine(updatesConsole: boolean): void {
    if (this.line === '') return;
    if (updatesConsole) this.removeLine();
    this.line = '';
    this.cursor = 0;
  }

  /** The line from a character on; further lines of it begin with ':'. */
  printFrom(at: number): void {
    this.raw(this.line.slice(at).replaceAll('\n', '\r\n:'));
  }

  /** The rest of this line, a space over what was there, and back. */
  printRestAndBack(at: number): void {
    const end = this.line.indexOf('\n', at);
    const rest = this.line.slice(at, end < 0 ? undefined : end);
    this.raw(`${rest} ${'\b'.repeat(rest.length + 1)}`);
  }

  moveCursor(from: number, to: number): void {
    if (from === to) return;
    const [fromRow, fromColumn] = this.#position(from);
    const [toRow, toColumn] = this.#position(to);
    const across = toColumn > fromColumn ? '\x1b[C' : '\x1b[D';
    const down = toRow > fromRow ? '\x1b[B' : '\x1b[A';
    this.raw(across.repeat(Math.abs(toColumn - fromColumn)) + down.repeat(Math.abs(toRow - fromRow)));
  }

  #position(at: number): [row: number, column: number] {
    const before = this.line.slice(0, at).split('\n');
    return [before.length - 1, before.at(-1)!.length];
  }
}
