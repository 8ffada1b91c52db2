/**
 * How cells look. A style is one small integer, so that a grid compares cells by number.
 *
 * Three forms: `colour` (256-colour SGR, half blocks), `shades` (Unicode shades, no SGR at all: NO_COLOR, pipes, e-mail)
 * and `ascii` (terminals that are not UTF-8). Colours are chosen to stay apart for colour-blind readers, and no
 * meaning is carried by colour alone: the colourless forms show the same things.
 */
export type Form = 'colour' | 'shades' | 'ascii';

/** Bits 0-8 foreground + 1, bits 9-17 background + 1 (0 is the terminal's own), bit 18 bold, bit 19 dim. */
export type Style = number;

export const plain: Style = 0;
const BOLD = 1 << 18;
const DIM = 1 << 19;

export function style(look: { fg?: number; bg?: number; bold?: boolean; dim?: boolean }): Style {
  const fg = look.fg === undefined ? 0 : look.fg + 1;
  const bg = look.bg === undefined ? 0 : look.bg + 1;
  return fg | (bg << 9) | (look.bold ? BOLD : 0) | (look.dim ? DIM : 0);
}

/** The SGR sequence that gives exactly this style, whatever came before. */
export function sgr(of: Style): string {
  const codes = ['0'];
  if (of & BOLD) codes.push('1');
  if (of & DIM) codes.push('2');
  const fg = of & 0x1ff;
  const bg = (of >> 9) & 0x1ff;
  if (fg) codes.push(`38;5;${fg - 1}`);
  if (bg) codes.push(`48;5;${bg - 1}`);
  return `\x1b[${codes.join(';')}m`;
}

/** The shortest bytes that turn one style into another: what is the same is not sent again. */
export function sgrFrom(before: Style, after: Style): string {
  const whole = sgr(after);
  // Bold and dim go off only together, and a reset is no longer.
  if (before & (BOLD | DIM) & ~after) return whole;
  const codes: string[] = [];
  if (after & ~before & BOLD) codes.push('1');
  if (after & ~before & DIM) codes.push('2');
  const fg = after & 0x1ff;
  const bg = (after >> 9) & 0x1ff;
  if (fg !== (before & 0x1ff)) codes.push(fg ? `38;5;${fg - 1}` : '39');
  if (bg !== ((before >> 9) & 0x1ff)) codes.push(bg ? `48;5;${bg - 1}` : '49');
  const change = `\x1b[${codes.join(';')}m`;
  return change.length < whole.length ? change : whole;
}

/** xterm's 256 colours as `#rrggbb`, for pictures: 0-15 as xterm's defaults, a 6x6x6 cube, 24 greys. */
function hexColour(index: number): string {
  const hex = (r: number, g: number, b: number) => `#${[r, g, b].map((v) => v.toString(16).padStart(2, '0')).join('')}`;
  if (index < 16) return basic[index]!;
  if (index >= 232) return hex(8 + (index - 232) * 10, 8 + (index - 232) * 10, 8 + (index - 232) * 10);
  const level = (v: number) => (v === 0 ? 0 : 55 + v * 40);
  const cube = index - 16;
  return hex(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6));
}
// biome-ignore format: one row for each half of the palette
const basic = [
  '#000000', '#cd0000', '#00cd00', '#cdcd00', '#0000ee', '#cd00cd', '#00cdcd', '#e5e5e5',
  '#7f7f7f', '#ff0000', '#00ff00', '#ffff00', '#5c5cff', '#ff00ff', '#00ffff', '#ffffff',
];

/** Foreground and background of a style, for pictures; null is the terminal's own. */
export function coloursOf(of: Style): { fg: string | null; bg: string | null; bold: boolean; dim: boolean } {
  const fg = of & 0x1ff;
  const bg = (of >> 9) & 0x1ff;
  return {
    fg: fg ? hexColour(fg - 1) : null,
    bg: bg ? hexColour(bg - 1) : null,
    bold: (of & BOLD) !== 0,
    dim: (of & DIM) !== 0,
  };
}

/** Colours of a map cell by how full it is: free, four mixed steps, live. */
export const mapColours = [237, 24, 31, 37, 43, 79] as const;
/** The policy's own bytes inside the arena. */
export const controlColour = 97;
/** Beyond a break, and pages that were given back: nobody's. */
export const beyondColour = 234;

export const styles = {
  title: style({ bold: true }),
  name: style({ fg: 79, bold: true }),
  quiet: style({ fg: 245 }),
  good: style({ fg: 79 }),
  warning: style({ fg: 214 }),
  bad: style({ fg: 203, bold: true }),
  live: style({ fg: 79 }),
  peak: style({ fg: 75 }),
  largest: style({ fg: 180 }),
  fragmentation: style({ fg: 209 }),
  bar: style({ fg: 37 }),
} as const;

/** Characters by form. `fill` runs from free to live; `spark` from lowest to highest; `bar` is a full cell of a bar. */
export interface Glyphs {
  fill: readonly string[];
  control: string;
  beyond: string;
  spark: readonly string[];
  bar: string;
  dot: string;
}

const unicode: Glyphs = {
  fill: ['·', '░', '▒', '▒', '▓', '█'],
  control: '≡',
  beyond: '-',
  spark: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
  bar: '█',
  dot: '·',
};

export const glyphs: Record<Form, Glyphs> = {
  colour: unicode,
  shades: unicode,
  ascii: {
    fill: ['.', '-', '-', '+', '+', '#'],
    control: '=',
    beyond: ',',
    spark: ['_', '.', '-', '~', '+', '*', '%', '#'],
    bar: '#',
    dot: '-',
  },
};

/** The form for a terminal: `ascii` only where the locale is known not to be UTF-8. */
export function formFor(color: boolean, environment: Readonly<Record<string, string | undefined>>): Form {
  const locale = environment.LC_ALL || environment.LC_CTYPE || environment.LANG || '';
  if (environment.TERM === 'dumb' || (locale !== '' && !/utf-?8/i.test(locale))) return 'ascii';
  return color ? 'colour' : 'shades';
}
