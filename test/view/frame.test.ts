// Rendered frames against goldens (test/view/golden; `npx vitest run test/view -u` rewrites them: read the diff), and
// what holds for every frame.
import { expect, test } from 'vitest';
import { drawFrame, heights } from '../../host/view/frame.ts';
import { momentLine } from '../../host/view/lines.ts';
import type { Scene } from '../../host/view/scene.ts';
import { type Form, formFor } from '../../host/view/theme.ts';
import { sampleScene } from './sample-scene.ts';

const keys = 'q quit  p pause  left/right scrub  m mark  / filter';
const text = (scene: Scene, columns: number, rows: number, form: Form) =>
  `${drawFrame(scene, { columns, rows, form, keys }).lines(form).join('\n')}\n`;

const empty: Scene = {
  ...sampleScene,
  state: 'waiting',
  program: '',
  policy: null,
  atMs: 0,
  arenaBytes: null,
  figures: null,
  walk: () => {},
  series: [],
  histogram: [],
  sites: [],
  line: null,
  message: 'nothing that looks like telemetry yet',
};

test.each([
  ['80x24-shades', sampleScene, 80, 24, 'shades'],
  ['80x24-ascii', sampleScene, 80, 24, 'ascii'],
  ['80x24-colour', sampleScene, 80, 24, 'colour'],
  ['120x40-shades', sampleScene, 120, 40, 'shades'],
  ['40x12-shades', sampleScene, 40, 12, 'shades'],
  ['80x24-waiting', empty, 80, 24, 'shades'],
  ['80x24-not-exact', { ...sampleScene, exact: false, state: 'lost' }, 80, 24, 'shades'],
] as [string, Scene, number, number, Form][])('golden %s', async (name, scene, columns, rows, form) => {
  await expect(text(scene, columns, rows, form)).toMatchFileSnapshot(`golden/${name}.txt`);
});

test('a frame has the terminal’s rows, none wider than its columns, at any size', () => {
  for (const [columns, rows] of [
    [1, 1],
    [10, 3],
    [39, 11],
    [80, 23],
    [80, 24],
    [133, 37],
    [300, 100],
  ] as const) {
    const lines = drawFrame(sampleScene, { columns, rows, form: 'shades', keys }).lines('shades');
    expect(lines).toHaveLength(rows);
    for (const line of lines) expect([...line].length).toBeLessThanOrEqual(columns);
  }
});

test('panels share all rows at every height', () => {
  for (let rows = 9; rows < 120; rows++) {
    const { map, series, lists } = heights(rows);
    expect(map + series + lists).toBe(rows - 5);
    expect(map).toBeGreaterThanOrEqual(4);
  }
});

test('without colour nothing but text is written', () => {
  for (const form of ['shades', 'ascii'] as const) expect(text(sampleScene, 80, 24, form)).not.toContain('\x1b');
  expect(text(sampleScene, 80, 24, 'ascii')).toMatch(/^[\x20-\x7e\n]*$/);
});

test('a hostile board’s strings change nothing outside their field', () => {
  const hostile = '\x1b[2J\x1b]0;owned\x07\u202e\u0000\r\nevil👾漢\u0301';
  const scene: Scene = {
    ...sampleScene,
    program: hostile,
    source: hostile,
    policy: hostile,
    message: hostile.repeat(50),
    sites: [{ name: hostile.repeat(20), liveBytes: 1, liveBlocks: 1, mallocs: 1 }],
  };
  const frame = text(scene, 80, 24, 'shades');
  expect(frame.split('\n')).toHaveLength(25);
  expect(frame.replaceAll('\n', '')).not.toMatch(/[\x00-\x1f\x7f\u202e👾漢]|\u0301/u);
  for (const line of frame.split('\n')) expect([...line].length).toBeLessThanOrEqual(80);
  expect(text(scene, 80, 24, 'colour').replace(/\x1b\[[0-9;]*m/g, '')).not.toContain('\x1b');
  expect(momentLine(scene)).not.toMatch(/[\x00-\x1f\x7f]/);
});

test('the plain line', () => {
  expect(momentLine(sampleScene)).toMatchInlineSnapshot(
    `"  12.3 s  [≡▒▒▒▒▒▒▒▒▒▒▓███████░············]  live 7.5 KB  peak 8.8 KB  largest free 5.9 KB  fragmentation 27 %  blocks 41  failed 2  240 events/s  lost frames 1  dropped events 17"`,
  );
  expect(momentLine(empty)).toMatchInlineSnapshot(`"    0 ms  no figures yet  nothing that looks like telemetry yet"`);
});

test('the form follows colour and locale', () => {
  expect(formFor(true, { LANG: 'de_DE.UTF-8' })).toBe('colour');
  expect(formFor(false, {})).toBe('shades');
  expect(formFor(true, { LANG: 'C' })).toBe('ascii');
  expect(formFor(true, { LC_ALL: 'C.utf8', LANG: 'C' })).toBe('colour');
});
