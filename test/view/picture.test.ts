// The README's picture is what the demo draws today, and what the SVG shows is what the grid holds.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Grid } from '../../host/view/grid.ts';
import { framePicture } from '../../host/view/picture.ts';
import { style } from '../../host/view/theme.ts';
import { demoPicture, picturePath } from '../../scripts/picture.ts';

test('docs/demo.svg is current (else: npm run picture)', async () => {
  expect((await demoPicture()) === readFileSync(picturePath, 'utf8'), 'run `npm run picture`').toBe(true);
});

test('blocks become rectangles, text keeps its columns, markup is escaped', () => {
  const grid = new Grid(20, 1);
  grid.text(0, 0, '▀▀', style({ fg: 196, bg: 21 }));
  grid.text(3, 0, 'a <b>', style({ fg: 46 }));
  const svg = framePicture(grid, 'a "map"');
  expect(svg).toContain('<rect x="12" y="12" width="16" height="17" fill="#0000ff"/>');
  expect(svg).toContain('<rect x="12" y="12" width="16" height="8.5" fill="#ff0000"/>');
  expect(svg).toContain('<text x="36" y="25" textLength="40" fill="#00ff00">a &lt;b&gt;</text>');
});
