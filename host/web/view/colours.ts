/** The colours of the page's style for what is drawn on a canvas; read anew when the reader changes light and dark. */

const NAMES = [
  'fg',
  'quiet',
  'line',
  'panel',
  'free',
  'live',
  'peak',
  'largest',
  'fragmentation',
  'control',
  'bad',
  'accent',
] as const;
const SITES = 7;
const AGES = 6;

export type Colours = Record<(typeof NAMES)[number], string> & {
  /** By rank of the site; the last is for all others. */
  sites: readonly string[];
  /** From the youngest block to the oldest. */
  ages: readonly string[];
};

/** Black or white, whichever is read better on a colour (`#rrggbb`): WCAG 2.2, relative luminance. */
export function textOn(colour: string): string {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  // Where black and white have the same contrast.
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? '#0a0f12' : '#ffffff';
}

let read: Colours | null = null;

export function colours(): Colours {
  if (read !== null) return read;
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const named = Object.fromEntries(NAMES.map((name) => [name, of(name)])) as Record<(typeof NAMES)[number], string>;
  read = {
    ...named,
    sites: Array.from({ length: SITES }, (_, rank) => of(`site-${rank + 1}`)),
    ages: Array.from({ length: AGES }, (_, step) => of(`age-${step + 1}`)),
  };
  return read;
}

/** Calls back when light and dark were changed. */
export function onTheme(changed: () => void): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    read = null;
    changed();
  });
}
