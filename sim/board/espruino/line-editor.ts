/**
 * Espruino's console input: characters to statements, with its control characters and cursor keys.
 *
 *   0x03 is left to the interrupt   0x05 on an empty line asks who it is   0x10 at the start of a line: no echo for it
 *   0x10 0x01 begins a packet       ESC LF adds a line without running     ESC [ n d (a line number) is swallowed
 *
 * Source: espruino/Espruino@c5ff787b1 src/jsinteractive.c (jsiHandleConsoleChar, jsiHandleNewLine, jsiHandleDelete,
 * jsiAppendStringToInputLine, history).
 */
import type { Task } from '../machine.ts';
import { openBrackets } from './brackets.ts';
import type { EspruinoConsole } from './console.ts';
import type { Packets } from './packets.ts';

type State = 'none' | 'dle' | 'escape' | 'escapeO' | 'escapeBracket' | 'escapeNumber';

const keypad: Readonly<Record<number, number>> = { 111: 0x2f, 106: 0x2a, 109: 0x2d, 107: 0x2b, 77: 0x0d };

export interface Statements {
  /** Runs a line; the console's echo is as it was when the line ended. */
  execute(line: string): Task;
  identity(): string;
}

export class LineEditor {
  readonly #console: EspruinoConsole;
  readonly #packets: Packets;
  readonly #statements: Statements;
  #state: State = 'none';
  #number = 0;
  #history: string[] = [];
  #historyAt: number | null = null;

  constructor(console: EspruinoConsole, packets: Packets, statements: Statements) {
    this.#console = console;
    this.#packets = packets;
    this.#statements = statements;
  }

  reset(): void {
    this.#state = 'none';
    this.#history = [];
    this.#historyAt = null;
  }

  *handle(code: number): Task {
    if (this.#packets.isReceiving) {
      yield* this.#packets.handle(code);
      return;
    }
    const console = this.#console;
    switch (code) {
      case 0:
        this.#state = 'none';
        return;
      case 1:
        if (this.#state === 'dle') {
          this.#state = 'none';
          this.#packets.start();
        }
        return;
      case 3:
        return;
      case 5:
        if (console.line === '') console.print(`${this.#statements.identity()}\n`);
        return;
      case 16:
        if (console.line === '') console.isEchoOffForLine = true;
        this.#state = 'dle';
        return;
      case 27:
        this.#state = 'escape';
        return;
      default:
        yield* this.#handleInState(code);
    }
  }

  *#handleInState(code: number): Task {
    const state = this.#state;
    this.#state = 'none';
    switch (state) {
      case 'escape':
        if (code === 79) this.#state = 'escapeO';
        else if (code === 91) this.#state = 'escapeBracket';
        else if (code === 10) yield* this.#newLine(false);
        return;
      case 'escapeO':
        if (code === 70) this.#moveToEnd();
        else if (code === 72) this.#moveToStart();
        else if (keypad[code] !== undefined) yield* this.handle(keypad[code]);
        return;
      case 'escapeBracket':
        this.#cursorKey(code);
        return;
      case 'escapeNumber':
        this.#numberedKey(code);
        return;
      default:
        yield* this.#character(code);
    }
  }

  *#character(code: number): Task {
    if (code === 8 || code === 0x7f) this.#delete(true);
    else if (code === 13 || code === 10) yield* this.#newLine(true);
    else if (code === 9) this.#append('    ');
    else if (code >= 32) this.#append(String.fromCharCode(code));
  }

  #cursorKey(code: number): void {
    const console = this.#console;
    if (code >= 0x30 && code <= 0x39) {
      this.#number = code - 0x30;
      this.#state = 'escapeNumber';
    } else if (code === 68) {
      if (console.cursor > 0 && console.line[console.cursor - 1] !== '\n') {
        console.cursor--;
        if (console.showsLine) console.raw('\x1b[D');
      }
    } else if (code === 67) {
      if (console.cursor < console.line.length && console.line[console.cursor] !== '\n') {
        console.cursor++;
        if (console.showsLine) console.raw('\x1b[C');
      }
    } else if (code === 65) this.#upOrDown(-1);
    else if (code === 66) this.#upOrDown(1);
    else if (code === 70) this.#moveToEnd();
    else if (code === 72) this.#moveToStart();
  }

  #numberedKey(code: number): void {
    if (code >= 0x30 && code <= 0x39) {
      this.#number = 10 * this.#number + code - 0x30;
      this.#state = 'escapeNumber';
    } else if (code === 72) {
      if (this.#number === 2) this.#console.clearLine(true);
    } else if (code === 126) {
      if (this.#number === 1) this.#moveToStart();
      else if (this.#number === 3) this.#delete(false);
      else if (this.#number === 4) this.#moveToEnd();
    }
  }

  *#newLine(executes: boolean): Task {
    const console = this.#console;
    if (console.line.indexOf('\n', console.cursor) >= 0 || console.cursor < console.line.length) {
      this.#insertNewLine();
      return;
    }
    if (!executes || openBrackets(console.line) > 0) {
      if (console.showsLine) console.print('\n:');
      console.line += '\n';
      console.cursor++;
      return;
    }
    if (console.showsLine) console.print('\n');
    if (!console.isEchoOffForLine) console.isLineRemoved = true;
    const line = console.line.trimEnd();
    console.clearLine(false);
    this.#historyAt = null;
    if (line !== '' && console.echoes) this.#remember(line);
    yield* this.#statements.execute(line);
    console.isEchoOffForLine = false;
  }

  #insertNewLine(): void {
    const console = this.#console;
    if (console.showsLine) console.raw('\x1b[J');
    console.line = `${console.line.slice(0, console.cursor)}\n${console.line.slice(console.cursor)}`;
    if (console.showsLine) {
      console.printFrom(console.cursor);
      console.moveCursor(console.line.length, console.cursor + 1);
    }
    console.cursor++;
  }

  #append(text: string): void {
    const console = this.#console;
    const isAtEnd = console.cursor >= console.line.length;
    console.line = console.line.slice(0, console.cursor) + text + console.line.slice(console.cursor);
    if (!isAtEnd && console.showsLine) console.printRestAndBack(console.cursor);
    console.cursor += text.length;
    if (console.showsLine) console.raw(text);
  }

  #delete(isBackspace: boolean): void {
    const console = this.#console;
    const at = isBackspace ? console.cursor - 1 : console.cursor;
    if (at < 0 || at >= console.line.length) return;
    const deletesNewLine = console.line[at] === '\n';
    if (deletesNewLine && console.showsLine) {
      console.raw('\x1b[J');
      if (isBackspace) {
        console.raw('\b ');
        console.moveCursor(console.cursor, console.cursor - 1);
      }
    }
    console.line = console.line.slice(0, at) + console.line.slice(at + 1);
    if (isBackspace) console.cursor--;
    if (!console.showsLine) return;
    if (deletesNewLine) {
      console.printFrom(console.cursor);
      console.moveCursor(console.line.length, console.cursor);
    } else {
      if (isBackspace) console.raw('\b');
      console.printRestAndBack(console.cursor);
    }
  }

  /** Home goes back character by character; End prints what it passes (jsiHandleHome, jsiHandleEnd). */
  #moveToStart(): void {
    const console = this.#console;
    const start = console.cursor === 0 ? 0 : console.line.lastIndexOf('\n', console.cursor - 1) + 1;
    if (console.showsLine) console.raw('\b'.repeat(console.cursor - start));
    console.cursor = start;
  }

  #moveToEnd(): void {
    const console = this.#console;
    const next = console.line.indexOf('\n', console.cursor);
    const end = next < 0 ? console.line.length : next;
    if (console.showsLine) console.raw(console.line.slice(console.cursor, end));
    console.cursor = end;
  }

  #remember(line: string): void {
    this.#history = [...this.#history.filter((one) => one !== line), line];
  }

  #upOrDown(step: number): void {
    const at = (this.#historyAt ?? this.#history.length) + step;
    if (at < 0 || at > this.#history.length) return;
    this.#historyAt = at;
    const console = this.#console;
    const showed = console.showsLine;
    if (showed) {
      console.moveCursor(console.cursor, 0);
      console.raw('\x1b[J');
    }
    console.line = this.#history[at] ?? '';
    console.cursor = console.line.length;
    if (showed) console.printFrom(0);
  }
}
