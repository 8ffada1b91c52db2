// Differential redraw held to a small terminal: what the bytes make of the old screen is the new frame.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { drawFrame } from '../../host/view/frame.ts';
import { Grid } from '../../host/view/grid.ts';
import { redraw, terminal } from '../../host/view/redraw.ts';
import { style } from '../../host/view/theme.ts';
import { sampleScene } from './sample-scene.ts';

/** A terminal that knows what redraw sends: cursor position, SGR as what it sets, clear, synchronised output. */
class Screen {
  readonly cells: string[];
  private at = 0;
  private look = { bold: false, dim: false, fg: '', bg: '' };
  private readonly columns: number;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.cells = new Array<string>(columns * rows).fill(' ');
  }

  write(bytes: string): void {
    for (const [, y, x, look, forward, mode, character] of bytes.matchAll(
      /\x1b\[(\d+);(\d+)H|\x1b\[([0-9;]*)m|\x1b\[(\d+)C|(\x1b\[\?2026[hl]|\x1b\[2J)|([^\x1b])/g,
    )) {
      if (y) this.at = (Number(y) - 1) * this.columns + Number(x) - 1;
      else if (look !== undefined) this.dress(look);
      else if (forward) this.at += Number(forward);
      else if (mode) continue;
      else this.cells[this.at++] = `${character} ${JSON.stringify(this.look)}`;
    }
  }

  private dress(codes: string): void {
    for (const [code, colour] of [...codes.matchAll(/([34]8);5;(\d+)|(\d+)/g)].map(([all, , n]) => [all, n])) {
      if (code === '0') this.look = { bold: false, dim: false, fg: '', bg: '' };
      else if (code === '1') this.look = { ...this.look, bold: true };
      else if (code === '2') this.look = { ...this.look, dim: true };
      else if (code === '39') this.look = { ...this.look, fg: '' };
      else if (code === '49') this.look = { ...this.look, bg: '' };
      else if (code!.startsWith('38')) this.look = { ...this.look, fg: colour! };
      else this.look = { ...this.look, bg: colour! };
    }
  }
}

const looks = [0, style({ fg: 1 }), style({ bg: 200, bold: true }), style({ fg: 255, bg: 0, dim: true })];

function gridOf(columns: number, rows: number, cells: readonly [string, number][]): Grid {
  const grid = new Grid(columns, rows);
  cells.forEach(([character, look], at) => {
    grid.set(at % columns, Math.floor(at / columns), character, looks[look]!);
  });
  return grid;
}

test('the old screen and the bytes give the new frame', () => {
  const columns = 11;
  const rows = 4;
  const cells = fc.array(fc.tuple(fc.constantFrom('a', 'b', '█', ' '), fc.nat(3)), {
    minLength: columns * rows,
    maxLength: columns * rows,
  });
  fc.assert(
    fc.property(cells, cells, (first, second) => {
      const [a, b] = [gridOf(columns, rows, first), gridOf(columns, rows, second)];
      const changed = new Screen(columns, rows);
      changed.write(redraw(null, a, 'colour'));
      changed.write(redraw(a, b, 'colour'));
      const fresh = new Screen(columns, rows);
      fresh.write(redraw(null, b, 'colour'));
      expect(changed.cells).toEqual(fresh.cells);
    }),
    { numRuns: 300 },
  );
});

test('an unchanged frame costs nothing, a changed figure a few bytes', () => {
  const options = { columns: 80, rows: 24, form: 'colour', keys: '' } as const;
  const first = drawFrame(sampleScene, options);
  expect(redraw(first, drawFrame(sampleScene, options), 'colour')).toBe('');
  const next = drawFrame({ ...sampleScene, atMs: 12_445 }, options);
  const bytes = redraw(first, next, 'colour');
  expect(bytes.length).toBeLessThan(40);
  expect(bytes.startsWith(terminal.begin)).toBe(true);
  expect(bytes).not.toContain('\x1b[2J');
});

test('a resized terminal is redrawn wholly', () => {
  const at = (columns: number) => drawFrame(sampleScene, { columns, rows: 24, form: 'colour', keys: '' });
  expect(redraw(at(80), at(81), 'colour')).toContain('\x1b[2J');
});
