/**
 * Differential redraw: the shortest sensible bytes that turn the frame on the terminal into the next one.
 *
 * Only runs of changed cells are sent, each after one cursor move, and of a style only what differs from the one before; runs
 * closer than a cursor move costs are joined, where what lies between has the style that is in force.
 * Nothing is ever cleared first, so nothing flickers. The result is a pure function of the two frames.
 */
import type { Grid } from './grid.ts';
import { type Form, plain, type Style, sgr, sgrFrom } from './theme.ts';

/** A cursor move within a row costs 4 bytes: re-sending up to this many unchanged cells is no dearer. */
const JOIN_CELLS = 4;

export const terminal = {
  /** Alternate screen, cursor hidden, no line wrap. */
  enter: '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J',
  leave: '\x1b[?7h\x1b[?25h\x1b[?1049l',
  /** Synchronised output (terminals that know it show the frame at once; others ignore it). */
  begin: '\x1b[?2026h',
  end: '\x1b[?2026l',
} as const;

/** Bytes for the terminal; '' when nothing changed. `previous` null, or of another size, redraws everything. */
export function redraw(previous: Grid | null, next: Grid, form: Form): string {
  const { columns, rows } = next;
  const whole = previous === null || previous.columns !== columns || previous.rows !== rows;
  let out = whole ? '\x1b[0m\x1b[2J' : '';
  let current: Style = plain;
  const same = (at: number): boolean =>
    !whole &&
    previous.characters[at] === next.characters[at] &&
    (form !== 'colour' || previous.styles[at] === next.styles[at]);

  for (let y = 0; y < rows; y++) {
    const start = y * columns;
    let x = 0;
    /** Where the cursor is in this row, -1 when it is in another. */
    let cursor = -1;
    while (x < columns) {
      while (x < columns && same(start + x)) x++;
      if (x === columns) break;
      let end = x + 1;
      for (let probe = end; probe < columns && probe - end < JOIN_CELLS; probe++) {
        if (!same(start + probe)) end = probe + 1;
        else if (form === 'colour' && next.styles[start + probe] !== next.styles[start + probe - 1]) break;
      }
      out += cursor < 0 ? `\x1b[${y + 1};${x + 1}H` : `\x1b[${x - cursor}C`;
      for (; x < end; x++) {
        const next_ = next.styles[start + x]!;
        if (form === 'colour' && next_ !== current) {
          out += sgrFrom(current, next_);
          current = next_;
        }
        out += next.characters[start + x];
      }
      // At the right edge a terminal may stand on the last column still.
      cursor = x === columns ? -1 : x;
    }
  }
  if (out === '') return '';
  if (current !== plain) out += sgr(plain);
  return `${terminal.begin}${out}${terminal.end}`;
}
