/**
 * Text from a board or a file, made harmless before it is drawn. A hostile board changes nothing outside its field:
 * no control characters (terminal escapes), no bidirectional overrides, nothing of zero or double width, no markup.
 */

/** Letters and signs that take exactly one cell in every terminal: ASCII, Latin, Greek, Cyrillic, a few signs. */
const oneCell =
  /[\x20-\x7e\xa1-\xac\xae-\u02ff\u0370-\u0377\u037a-\u037f\u0384-\u0482\u048a-\u052f\u2013\u2014\u2018-\u201d\u2026]/;

/** At most `cells` cells of text; everything that is not one plain cell becomes `?`. The cut is shown by `…`. */
export function visible(text: string, cells: number): string {
  let shown = '';
  let count = 0;
  for (const character of text) {
    if (count === cells) return `${shown.slice(0, -1)}…`;
    shown += oneCell.test(character) && character.length === 1 ? character : '?';
    count++;
  }
  return shown;
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text for an HTML element or a quoted attribute. */
export function html(text: string): string {
  return visible(text, 4096).replace(/[&<>"']/g, (character) => entities[character]!);
}

/** JSON for a script element, in ASCII: no `<` ends the element, no line end or direction mark reaches the page's text. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<\x7f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Text of a REPL as lines to show: colours and cursor moves are dropped, what else is not text becomes `?`. */
function replText(text: string): string {
  return text.replace(/\x1b\[[0-9;?]*[A-Za-z]|\x1b[78]|\r|\x07/g, '').replace(/[\x00-\x09\x0b-\x1f\x7f]/g, '?');
}

/** How a REPL takes back its prompt, to print in its place: Espruino's `\r ESC [J`, Kaluma's `ESC [2K \r`. */
const takenBack = /\r\x1b\[J|\x1b\[2K\r/;

/** A line that a program printed, without the REPL's prompt before it; null for a prompt alone. */
function printedLine(line: string): string | null {
  const parts = line.split(takenBack);
  if (parts.length > 1) return replText(parts.at(-1)!);
  // With its echo off a REPL takes nothing back; its prompt has no space behind it.
  const text = replText(line);
  const printed = text.replace(/^>+(?! )/, '');
  return printed.trim() === '' && printed !== text ? null : printed;
}

/** Cuts what a board prints into such lines. One that is cut nowhere is given in pieces. */
export class PrintedLines {
  readonly #say: (line: string) => void;
  #line = '';

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  push(text: string): void {
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop()!;
    for (const line of lines) this.#put(line);
    while (this.#line.length > LONGEST_LINE) {
      this.#put(this.#line.slice(0, LONGEST_LINE));
      this.#line = this.#line.slice(LONGEST_LINE);
    }
  }

  end(): void {
    if (replText(this.#line).trim() !== '') this.#put(this.#line);
    this.#line = '';
  }

  #put(line: string): void {
    const printed = printedLine(line);
    if (printed !== null) this.#say(printed);
  }
}

const LONGEST_LINE = 4096;
const LONGEST_LABEL = 200;

/** A metric's label: any letters, but no control, format or half character, and not endless. */
export function labelText(text: string): string {
  return text.slice(0, LONGEST_LABEL).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '?');
}
