/**
 * A frame as an SVG picture, for documents: the cells of the real terminal output, each where it is. Block characters
 * become rectangles, so that no font changes them; text keeps its columns by `textLength`.
 */
import type { Grid } from './grid.ts';
import { coloursOf, type Style } from './theme.ts';

const CELL_WIDTH = 8;
const CELL_HEIGHT = 17;
const BASELINE = 13;
const MARGIN = 12;
const BACKGROUND = '#15181c';
const FOREGROUND = '#d7dce2';
const EIGHTHS = '▁▂▃▄▅▆▇█';

interface Run {
  x: number;
  text: string;
  style: Style;
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function rectangle(x: number, y: number, width: number, height: number, fill: string): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}"/>`;
}

/** The part of a cell that a block character fills, from its top: [top, height] in cells; null for other characters. */
function filled(character: string): [number, number] | null {
  if (character === '▀') return [0, 0.5];
  const eighths = EIGHTHS.indexOf(character) + 1;
  return eighths === 0 ? null : [1 - eighths / 8, eighths / 8];
}

/** Neighbours with the same character class and style, as one. */
function runs(grid: Grid, y: number): Run[] {
  const found: Run[] = [];
  for (let x = 0; x < grid.columns; x++) {
    const at = y * grid.columns + x;
    const character = grid.characters[at]!;
    const style = grid.styles[at]!;
    const last = found.at(-1);
    const isBlock = filled(character) !== null;
    const joins =
      last !== undefined &&
      last.style === style &&
      (isBlock ? last.text[0] === character : filled(last.text[0]!) === null);
    if (joins) last.text += character;
    else found.push({ x, text: character, style });
  }
  return found;
}

function drawRun({ x, text, style }: Run, y: number): string {
  const { fg, bg, bold } = coloursOf(style);
  const left = MARGIN + x * CELL_WIDTH;
  const top = MARGIN + y * CELL_HEIGHT;
  const width = text.length * CELL_WIDTH;
  const behind = bg === null ? '' : rectangle(left, top, width, CELL_HEIGHT, bg);
  const block = filled(text[0]!);
  if (block !== null) {
    const [from, height] = block;
    return behind + rectangle(left, top + from * CELL_HEIGHT, width, height * CELL_HEIGHT, fg ?? FOREGROUND);
  }
  const weight = bold ? ' font-weight="bold"' : '';
  // SVG collapses blanks: what two or more of them part is placed piece by piece.
  const pieces = [...text.matchAll(/\S+(?: \S+)*/g)].map(({ 0: piece, index }) => {
    const x = left + index * CELL_WIDTH;
    return `<text x="${x}" y="${top + BASELINE}" textLength="${piece.length * CELL_WIDTH}" fill="${fg ?? FOREGROUND}"${weight}>${escaped(piece)}</text>`;
  });
  return behind + pieces.join('');
}

/** The picture; `title` is its text alternative. */
export function framePicture(grid: Grid, title: string): string {
  const width = grid.columns * CELL_WIDTH + 2 * MARGIN;
  const height = grid.rows * CELL_HEIGHT + 2 * MARGIN;
  const rows = Array.from({ length: grid.rows }, (_, y) =>
    runs(grid, y)
      .map((run) => drawRun(run, y))
      .filter(Boolean)
      .join('\n'),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title).replaceAll('"', '&quot;')}" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="13" shape-rendering="crispEdges">
<rect width="100%" height="100%" rx="6" fill="${BACKGROUND}"/>
${rows.filter(Boolean).join('\n')}
</svg>
`;
}
