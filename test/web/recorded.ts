// Recordings opened in the page: the same figures as the command line gets, at any point, and the damage said.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { LEVEL_COUNTERS } from '../../firmware/wire/format.ts';
import { Recording } from '../../host/recording/reader.ts';
import { bytesText } from '../../host/view/units.ts';
import { figure, fileUrl, type TestBrowser } from './browser.ts';
import { recordTrace } from './recordings.ts';

/** HEAPGLASS_EVENTS=10000000 for the long campaign. */
const OPERATIONS = Number(process.env.HEAPGLASS_EVENTS ?? 60_000);
const READ_WITHIN_MS = 8000 + OPERATIONS / 100;

/** Moves the slider; resolves to how long it took until the moment was shown, in milliseconds. */
function scrubTo(page: Page, atMs: number): Promise<number> {
  return page.evaluate(`new Promise((resolve) => {
    const slider = document.querySelector('input[type=range]');
    const shown = document.querySelector('.scrubber .time');
    const before = shown.textContent;
    const startMs = performance.now();
    slider.value = '${atMs}';
    slider.dispatchEvent(new Event('input'));
    const look = () => {
      if (shown.textContent !== before) resolve(performance.now() - startMs);
      else requestAnimationFrame(look);
    };
    look();
  })`);
}

export function recordedTests(browser: TestBrowser): void {
  const folder = mkdtempSync(join(tmpdir(), 'heapglass-'));
  const path = join(folder, 'long.hgrec');
  beforeAll(() => {
    recordTrace(path, 'test/fixtures/traces/mqtt-sub.trace', OPERATIONS);
  });
  afterEach(() => browser.closePages());

  test('the figures of the command line, at the end and at any point; a scrub takes less than 200 ms', async () => {
    const { page, complaints } = await browser.open(fileUrl);
    await page.locator('input[type=file]').first().setInputFiles(path);
    await page.getByRole('heading', { level: 2, name: 'trace.js' }).waitFor();
    await expect.poll(() => page.locator('.state').textContent(), { timeout: READ_WITHIN_MS }).toBe('ended');
    const recording = new Recording(path);
    const end = recording.seekOperations(Number.POSITIVE_INFINITY).model;
    await expect.poll(() => figure(page, 'live')).toBe(bytesText(end.liveBytes));
    const tookMs: number[] = [];
    for (const part of [0.9, 0.11, 0.5, 0.73, 0.02]) {
      await page.keyboard.press('End');
      const slider = page.getByRole('slider');
      const step = Number(await slider.getAttribute('step'));
      const atMs = Math.round((end.atMs * part) / step) * step;
      tookMs.push(await scrubTo(page, atMs));
      const { model } = recording.seekTime(atMs);
      await expect.poll(() => figure(page, 'live'), { message: `at ${atMs} ms` }).toBe(bytesText(model.liveBytes));
      expect(await figure(page, 'largest free'), `at ${atMs} ms`).toBe(bytesText(model.metrics().largestFreeBytes));
    }
    recording.close();
    if (process.env.HEAPGLASS_REPORT) {
      const heap = await page.evaluate('performance.memory.usedJSHeapSize');
      console.log(`${OPERATIONS} operations: scrubs ${tookMs.map(Math.round).join(', ')} ms; page heap ${heap} bytes`);
    }
    // The median: other tests share the machine.
    expect(tookMs.sort((a, b) => a - b)[2]).toBeLessThan(200);
    expect(complaints).toEqual([]);
  });

  test('a file that is dropped on the page is opened; one that was cut is shown as far as it is sound', async () => {
    const { page } = await browser.open(fileUrl);
    const cut = readFileSync(path).subarray(0, 40_000);
    await page.evaluate(`(() => {
      const transfer = new DataTransfer();
      const bytes = Uint8Array.from(atob('${cut.toString('base64')}'), (character) => character.charCodeAt(0));
      transfer.items.add(new File([bytes], 'cut.hgrec'));
      document.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, cancelable: true }));
    })()`);
    await page
      .getByText(/The recording was cut: \d+ bytes at its end are no whole record/)
      .first()
      .waitFor();
    expect(await figure(page, 'live')).toMatch(/\d/);
  });

  test('what is no recording is refused in words, and the page is as it was', async () => {
    const { page } = await browser.open(fileUrl);
    const other = join(folder, 'notes.hgrec');
    writeFileSync(other, '<script>alert(1)</script>');
    await page.locator('input[type=file]').first().setInputFiles(other);
    await page.getByText('notes.hgrec is not a Heapglass recording.').waitFor();
    await page.getByRole('heading', { level: 2, name: 'See what is in' }).waitFor();
  });

  test('a loss is a gap: counted, said, not bridged in the series, and the map exact again after a sweep', async () => {
    const lossy = join(folder, 'lossy.hgrec');
    recordTrace(lossy, 'test/fixtures/traces/mqtt-sub.trace', 6000, { isLost: (atMs) => atMs > 2000 && atMs < 2600 });
    const { page } = await browser.open(fileUrl);
    await page.locator('input[type=file]').first().setInputFiles(lossy);
    await page
      .getByText(/Lost on the way: \d+ frames, .* The map is exact again\./)
      .first()
      .waitFor();
    await page.locator('summary').click();
    await expect.poll(() => page.getByRole('row', { name: /not known/ }).count()).toBeGreaterThan(0);
    if (process.env.HEAPGLASS_REPORT)
      await page.locator('.series-panel').screenshot({ path: join(tmpdir(), 'gap.png') });
  });

  test('a board at level counters: live from its counters, the map and free memory from its sweeps, a series', async () => {
    const counted = join(folder, 'counted.hgrec');
    recordTrace(counted, 'test/fixtures/traces/mqtt-sub.trace', 3000, { level: LEVEL_COUNTERS });
    const { page } = await browser.open(fileUrl);
    await page.locator('input[type=file]').first().setInputFiles(counted);
    await page.getByText('counters, no events').waitFor();
    await page.getByText('this is its last sweep').waitFor();
    expect(await figure(page, 'live')).toMatch(/KB$/);
    await expect.poll(() => page.locator('.u-wrap').count()).toBe(2);
  });

  test('the example that is in the page: a leak, a broken-up heap and failed requests, in words', async () => {
    const { page } = await browser.open(fileUrl);
    await page.getByRole('button', { name: 'See an example' }).click();
    await page
      .getByText(/weather-station\.js:\d+ leaks/)
      .first()
      .waitFor();
    await page
      .getByText(/Fragmented: .*held apart by/)
      .first()
      .waitFor();
    const failed = page.getByText(/request of .* failed: .* free, the largest block/).first();
    await failed.click();
    await expect.poll(() => page.locator('.state').textContent()).toBe('past');
    await page.getByText('radio far away').waitFor();
  });
}
