// A heap of several regions in the views: a band for each, with its name, its break and what is nobody's. Goldens in
// test/view/golden (`npx vitest run test/view/regions -u` rewrites them: read the diff).
import { describe, expect, test } from 'vitest';
import { BLOCK_BEYOND, BLOCK_CONTROL, BLOCK_FREE, BLOCK_LIVE } from '../../firmware/src/policy.ts';
import { drawFrame } from '../../host/view/frame.ts';
import { momentLine } from '../../host/view/lines.ts';
import { bandLines } from '../../host/view/panels/bands.ts';
import type { RegionRow, Scene } from '../../host/view/scene.ts';
import type { Form } from '../../host/view/theme.ts';
import { Viewport } from '../../host/web/view/map/viewport.ts';
import { sampleScene } from './sample-scene.ts';

const regions: RegionRow[] = [
  {
    name: 'sram0-3',
    start: 0,
    bytes: 8192,
    breakBytes: 5120,
    isLarge: false,
    liveBytes: 3000,
    largeBytes: 0,
    unusedBytes: 3072,
  },
  {
    name: 'sram4',
    start: 8192,
    bytes: 2048,
    breakBytes: 2048,
    isLarge: false,
    liveBytes: 900,
    largeBytes: 0,
    unusedBytes: 0,
  },
  {
    name: 'psram',
    start: 10240,
    bytes: 65536,
    breakBytes: 0,
    isLarge: true,
    liveBytes: 24576,
    largeBytes: 24576,
    unusedBytes: 40960,
  },
];
const blocks: [bytes: number, kind: number][] = [
  [512, BLOCK_CONTROL],
  ...Array.from({ length: 24 }, (_, i): [number, number] => [192, i % 3 === 2 ? BLOCK_FREE : BLOCK_LIVE]),
  [3072, BLOCK_BEYOND],
  [256, BLOCK_CONTROL],
  [1200, BLOCK_LIVE],
  [592, BLOCK_FREE],
  [30720, BLOCK_BEYOND],
  [16384, BLOCK_LIVE],
  [10240, BLOCK_BEYOND],
  [8192, BLOCK_LIVE],
];
const scene: Scene = {
  ...sampleScene,
  arenaBytes: 75776,
  regions,
  walk(visit) {
    let offset = 0;
    for (const [bytes, kind] of blocks) {
      visit(offset, bytes, kind);
      offset += bytes;
    }
  },
};
const frame = (of: Scene, columns: number, rows: number, form: Form): string =>
  `${drawFrame(of, { columns, rows, form, keys: 'q quit' }).lines(form).join('\n')}\n`;

test.each([
  ['80x24-regions-shades', 80, 24, 'shades'],
  ['80x24-regions-ascii', 80, 24, 'ascii'],
  ['80x24-regions-colour', 80, 24, 'colour'],
  ['120x40-regions-shades', 120, 40, 'shades'],
] as [string, number, number, Form][])('golden %s', async (name, columns, rows, form) => {
  await expect(frame(scene, columns, rows, form)).toMatchFileSnapshot(`golden/${name}.txt`);
});

test('a terminal too small for bands shows the heap as one map', () => {
  for (const [columns, rows] of [
    [40, 24],
    [80, 8],
    [1, 1],
  ] as const) {
    const lines = frame(scene, columns, rows, 'shades').split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(rows);
    expect(lines.join('')).not.toContain('sram0-3');
  }
});

test('a name from a hostile board draws nothing but letters', () => {
  const hostile = regions.map((region) => ({ ...region, name: '\x1b[2J\u202e<b>' }));
  const text = frame({ ...scene, regions: hostile }, 80, 24, 'shades');
  expect(text).not.toContain('\x1b');
  expect(text).not.toContain('\u202e');
});

test('in a pipe the regions stand one after the other', () => {
  const map = /\[(.*?)\]/.exec(momentLine(scene))![1]!;
  const bands = map.split('|');
  expect(bands.length).toBe(3);
  expect(bands[0]).toMatch(/^[^-]+-+$/);
  expect(bands[1]).not.toContain('-');
  expect(bands[2]).toMatch(/^-+[^-]+-*[^-]+$/);
});

test('bands share all lines, and each has one', () => {
  for (let lines = 3; lines < 60; lines++) {
    const bands = bandLines(regions, lines);
    expect(bands.reduce((sum, rows) => sum + rows, 0)).toBe(lines);
    expect(Math.min(...bands)).toBeGreaterThanOrEqual(1);
    expect(bands[2]).toBeGreaterThanOrEqual(bands[0]!);
  }
});

describe('the page’s viewport', () => {
  const viewport = (rows: number): Viewport => {
    const view = new Viewport();
    view.extent = { left: 60, width: 800, rows, pitch: 18, height: 16 };
    view.fit(75776, regions);
    return view;
  };

  test.each([8, 11, 16, 21])('V2 with %i rows: every byte has a place, and the place leads back to it', (rows) => {
    const view = viewport(rows);
    expect(view.labels.map(({ band }) => band)).toEqual([0, 1, 2]);
    expect((view.rows.length + view.labels.length) * 18).toBeLessThanOrEqual(rows * 18);
    let end = 0;
    for (const row of view.rows) {
      expect(row.start).toBe(end);
      end = row.end;
    }
    expect(end).toBe(75776);
    for (let byte = 0; byte < 75776; byte += 1016) {
      view.pieces(byte, byte + 8, ({ x, y, width }) => {
        if (width > 0.5) expect(Math.abs(view.byteAt(x + width / 2, y + 4)! - byte)).toBeLessThanOrEqual(1024);
      });
    }
    for (const { y } of view.labels) expect(view.byteAt(400, y + 4)).toBeNull();
  });

  test('a region begins a row of its own, at every zoom', () => {
    const view = viewport(16);
    for (let i = 0; i < 12; i++) {
      for (const { start } of regions)
        if (start > view.from && start < view.from + view.span)
          expect(view.rows.some((row) => row.start === start)).toBe(true);
      expect(view.rows[0]!.start).toBe(view.from);
      expect(view.rows.at(-1)!.end).toBe(view.from + view.span);
      view.zoom(0.6, 9000);
    }
  });

  test('one arena has neither bands nor labels', () => {
    const view = new Viewport();
    view.extent = { left: 0, width: 640, rows: 8, pitch: 18, height: 16 };
    view.fit(4096);
    expect(view.labels).toEqual([]);
    expect(view.rows.map(({ start }) => start)).toEqual([0, 512, 1024, 1536, 2048, 2560, 3072, 3584]);
    expect(view.byteAt(320, 20)).toBe(512 + 256);
  });
});
