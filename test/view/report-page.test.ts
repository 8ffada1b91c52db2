// The report in a real browser, opened from disk: it draws, asks nobody for anything, and its keys work.
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { command as report } from '../../host/commands/report.ts';
import { loadReport } from '../../host/report/load.ts';
import { reportHtml } from '../../host/view/report/report.ts';
import { runCommand } from './run-command.ts';

const chromiumPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
if (chromiumPath === undefined) console.warn('no Chromium on this machine: the report is not opened in a browser');

describe.skipIf(chromiumPath === undefined)('the report in Chromium', () => {
  let browser: Browser;
  let page: Page;
  const requests: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'heapglass-')), 'report.html');
    const trace = join(packageRoot, 'test/fixtures/traces/lua-queens.trace');
    const data = loadReport(trace, { policy: 'best-fit', arenaBytes: null });
    const hostile = '<img src="http://127.0.0.1:1/x" onerror="document.title=1">';
    writeFileSync(path, reportHtml({ ...data, sites: [{ name: hostile, liveBytes: 1, liveBlocks: 1, mallocs: 1 }] }));
    browser = await chromium.launch({ executablePath: chromiumPath!, args: ['--no-sandbox'] });
    page = await browser.newPage({ viewport: { width: 1000, height: 800 } });
    page.on('request', (request) => requests.push(request.url()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => complaints.push(message.text()));
    await page.goto(pathToFileURL(path).href);
  });
  afterAll(() => browser?.close());

  test('one request: the file itself; no error, no complaint', () => {
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatch(/^file:/);
    expect(complaints).toEqual([]);
  });

  test('the map is drawn and both charts are there', async () => {
    expect(await page.locator('.u-wrap').count()).toBe(2);
    const colours = await page.locator('#map').evaluate((element) => {
      const canvas = element as unknown as {
        width: number;
        height: number;
        getContext(kind: string): { getImageData(...area: number[]): { data: Uint8ClampedArray } };
      };
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      const seen = new Set<string>();
      for (let at = 0; at < data.length; at += 4) seen.add(data.slice(at, at + 4).join());
      return seen.size;
    });
    expect(colours).toBeGreaterThan(2);
  });

  test('the slider and the map go through time by keyboard, and say where they are', async () => {
    const said = () => page.locator('#map-at').textContent();
    const before = await said();
    await page.locator('#time').focus();
    await page.keyboard.press('Home');
    const first = await said();
    expect(first).not.toBe(before);
    await page.locator('#map').focus();
    await page.keyboard.press('ArrowRight');
    expect(await said()).not.toBe(first);
    expect(await page.locator('#map').getAttribute('aria-label')).toContain('live');
  });

  test('a hostile site name is text', async () => {
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).toContain('Heapglass');
    expect(await page.getByText('onerror=').count()).toBe(1);
  });

  test('two reports on one page: what changed, both maps, one chart of both', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'heapglass-'));
    const path = join(folder, 'diff.html');
    const [a, b] = ['lua-queens', 'mqtt-sub'].map((name) => join(packageRoot, `test/fixtures/traces/${name}.trace`));
    const { out } = await runCommand(report, ['diff', a!, b!, '--out', path]);
    expect(out).toContain('peakLiveBytes');
    await page.goto(pathToFileURL(path).href);
    expect(await page.getByRole('row', { name: /^peak live/ }).textContent()).toMatch(/KB.*KB.*-/);
    expect(await page.locator('canvas.cells').count()).toBe(2);
    expect(await page.locator('.u-wrap').count()).toBe(1);
    const second = page.locator('#map-at-b');
    const before = await second.textContent();
    await page.locator('#time-b').focus();
    await page.keyboard.press('Home');
    expect(await second.textContent()).not.toBe(before);
    expect(complaints).toEqual([]);
  });
});
