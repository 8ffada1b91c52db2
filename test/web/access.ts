// Everyone can use the page: axe finds nothing, in light and dark; the keyboard reaches all; a narrow window holds it.
import { mkdtempSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { fileUrl, type TestBrowser } from './browser.ts';
import { recordTrace } from './recordings.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core finds, a line each. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ html, any }) => id + ': ' + html.slice(0, 120) + ' ' + (any[0]?.message ?? ''))))`);
}

export function accessTests(browser: TestBrowser): void {
  const path = join(mkdtempSync(join(tmpdir(), 'heapglass-')), 'short.hgrec');
  beforeAll(() => {
    recordTrace(path, 'test/fixtures/traces/bc-pi.trace', 3000);
  });
  afterEach(() => browser.closePages());

  async function opened(options = {}): Promise<Page> {
    const { page } = await browser.open(fileUrl, options);
    await page.locator('input[type=file]').first().setInputFiles(path);
    await expect.poll(() => page.locator('.state').textContent()).toBe('ended');
    return page;
  }

  test.each(['light', 'dark'] as const)('axe-core finds nothing, %s', async (colorScheme) => {
    const { page } = await browser.open(fileUrl, { colorScheme });
    expect(await violations(page)).toEqual([]);
    await page.locator('input[type=file]').first().setInputFiles(path);
    await expect.poll(() => page.locator('.state').textContent()).toBe('ended');
    await page.getByRole('button', { name: 'Table' }).click();
    await page.locator('summary').click();
    await page.locator('.block-table tbody tr').first().waitFor();
    await page.locator('.series-panel tbody tr').first().waitFor();
    expect(await violations(page)).toEqual([]);
  });

  test('the keyboard alone: time, the map block by block, zoom, the table, the keys', async () => {
    const page = await opened();
    const time = () => page.locator('.scrubber .time').textContent();
    const end = await time();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(time).not.toBe(end);
    await expect.poll(() => page.locator('.state').textContent()).toBe('past');
    await page.keyboard.press('Home');
    await expect.poll(time).toMatch(/^0 ms of/);
    await page.keyboard.press('End');
    await expect.poll(time).toBe(end);

    await page.locator('canvas.map').focus();
    const said = () => page.locator('.said').textContent();
    await page.keyboard.press('ArrowRight');
    await expect.poll(said).toMatch(/^0x[0-9a-f]{4} to 0x[0-9a-f]{4}: /);
    const first = await said();
    await page.keyboard.press('ArrowRight');
    await expect.poll(said).not.toBe(first);
    const scale = () => page.locator('.map-panel .panel-head .quiet').textContent();
    const whole = await scale();
    await page.keyboard.press('Enter');
    await expect.poll(scale).not.toBe(whole);
    await page.keyboard.press('0');
    await expect.poll(scale).toBe(whole);
    expect(await page.locator('canvas.map').getAttribute('aria-label')).toMatch(/^Arena of .* live blocks? with/);

    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText('zoom to the block').waitFor();
    await page.keyboard.press('Escape');
    const table = page.getByRole('button', { name: 'Table' });
    await table.focus();
    await page.keyboard.press('Enter');
    expect(await table.getAttribute('aria-pressed')).toBe('true');
    await expect.poll(() => page.getByRole('row', { name: /live/ }).count()).toBeGreaterThan(3);
  });

  test('a wheel zooms, a pointer says what is under it, a site is lit', async () => {
    const page = await opened();
    const map = page.locator('canvas.map');
    await map.hover({ position: { x: 300, y: 8 } });
    await expect.poll(() => page.locator('.said').textContent()).toMatch(/^0x/);
    await page.mouse.wheel(0, -400);
    await expect.poll(() => page.locator('.map-panel .panel-head .quiet').textContent()).toMatch(/^0x/);
    const site = page.locator('.sites-panel tbody button').first();
    await site.click();
    await expect.poll(() => site.getAttribute('aria-pressed')).toBe('true');
  });

  test.each([390, 1024])('nothing is cut off at %i pixels', async (width) => {
    const page = await opened({ viewport: { width, height: 800 } });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
  });
}
