// The colours of the page, light and dark: text has a contrast of 4.5 to 1 on what is behind it (WCAG 2.2, 1.4.3), and
// what is drawn has 3 to 1 against its neighbours where a difference must be seen (1.4.11).
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { contrast, textOn } from '../../host/web/view/contrast.ts';

const css = readFileSync('host/web/page/tokens.css', 'utf8');
const tokens = (text: string) =>
  Object.fromEntries([...text.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name!, value!]));
const [light, dark] = css.split('prefers-color-scheme: dark').map(tokens) as [
  Record<string, string>,
  Record<string, string>,
];

test.each([
  ['light', light],
  ['dark', { ...light, ...dark }],
])('%s', (_, colour) => {
  const ratio = (a: string, b: string) => contrast(colour[a]!, colour[b]!);
  for (const text of ['fg', 'quiet', 'live', 'largest', 'fragmentation', 'bad', 'accent', 'warning', 'fine']) {
    for (const ground of ['panel', 'page'])
      expect(ratio(text, ground), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
  }
  for (const grade of ['bad', 'warning', 'fine']) {
    expect(ratio(grade, `${grade}-wash`), grade).toBeGreaterThanOrEqual(4.5);
    expect(ratio('fg', `${grade}-wash`), grade).toBeGreaterThanOrEqual(4.5);
  }
  expect(ratio('on-accent', 'accent')).toBeGreaterThanOrEqual(4.5);
  expect(ratio('quiet', 'free'), 'sizes in free memory').toBeGreaterThanOrEqual(4.5);
  expect(ratio('fg', 'free'), 'bars of the histogram').toBeGreaterThanOrEqual(4.5);
  for (const [name, value] of Object.entries(colour)) {
    if (/^(age|site|live)/.test(name))
      expect(contrast(textOn(value), value), `label on ${name}`).toBeGreaterThanOrEqual(4.5);
  }
});
