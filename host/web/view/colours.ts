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
