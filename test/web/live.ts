// The live view over the WebSocket: a virtual board, a late page, a line that is lost, several boards, foreign pages.
import { afterEach, expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { rememberBundle } from '../../host/bundle-store.ts';
import { prepareProgram } from '../../host/flash/prepare.ts';
import { openTransport } from '../../host/transport/open.ts';
import { figure, fileUrl, mapColours, type TestBrowser } from './browser.ts';
import { framesOf } from './recordings.ts';
import { type Watched, watched, watchedLines } from './watched.ts';

export function liveTests(browser: TestBrowser): void {
  let open: Watched | null = null;
  afterEach(async () => {
    await browser.closePages();
    await open?.close();
    open = null;
  });

  test('a virtual board: figures, map, call sites by source line; no request but its own, no complaint', async () => {
    const board = loadBoard('kaluma-pico');
    const { bundle, code } = await prepareProgram('examples/leaky-sensor.js', board, {});
    rememberBundle(bundle!, 'leaky-sensor.js');
    const program = new TextDecoder().decode(code);
    open = await watched(['sim:kaluma-pico'], (port) => openTransport(port, { program }));
    const { page, requests, complaints } = await browser.open(open.server.url);
    await page.getByRole('heading', { level: 2, name: 'leaky-sensor.js' }).waitFor();
    await page.getByRole('button', { name: 'leaky-sensor.js:19' }).waitFor();
    expect(await figure(page, 'live')).toMatch(/^\d.* B$/);
    expect(await page.locator('.state').textContent()).toBe('live');
    expect(await mapColours(page)).toBeGreaterThan(4);
    expect(await page.locator('.u-wrap').count()).toBe(2);
    await expect.poll(() => page.locator('.facts').textContent()).toMatch(/\d{2,} operations/);
    expect(new Set(requests.map((url) => new URL(url).host)).size).toBe(1);
    expect(complaints).toEqual([]);
  });

  test('a late page has the same heap and the same history as an early one', async () => {
    const served = await watchedLines('board');
    open = served;
    const early = await browser.open(served.server.url);
    for (const frame of framesOf([100, 200, 300, 400, 500])) served.lines[0]!.send(frame);
    await expect.poll(() => figure(early.page, 'live')).toBe('1.5 KB');
    const late = await browser.open(served.server.url);
    await expect.poll(() => figure(late.page, 'live')).toBe('1.5 KB');
    const slider = (page: typeof late.page) => page.getByRole('slider').getAttribute('max');
    expect(await slider(late.page)).toBe(await slider(early.page));
  });

  test('a line that is lost and back is said; two boards stand side by side', async () => {
    const served = await watchedLines('kitchen', 'garden');
    open = served;
    const { page } = await browser.open(served.server.url);
    await expect.poll(() => page.locator('article.board').count()).toBe(2);
    const [first, second] = [page.locator('article').nth(0), page.locator('article').nth(1)];
    const boxes = [await first.boundingBox(), await second.boundingBox()];
    expect(boxes[0]!.y).toBe(boxes[1]!.y);
    served.lines[0]!.lose('the cable is out');
    await first.getByText('The line is lost: the cable is out.').first().waitFor();
    expect(await second.locator('.state').textContent()).toBe('live');
    await expect.poll(() => first.locator('.state').textContent(), { timeout: 4000 }).toBe('live');
    await first.getByText('the line is back').waitFor();
  });

  test('a mark is set here, and shown in every page', async () => {
    const served = await watchedLines('board');
    open = served;
    for (const frame of framesOf([64, 64])) served.lines[0]!.send(frame);
    const one = await browser.open(served.server.url);
    const other = await browser.open(served.server.url);
    await one.page.getByRole('button', { name: 'Mark this moment' }).click();
    await other.page.getByText('my mark 1').waitFor();
  });

  test('W2: a page of another origin gets no board', async () => {
    const served = await watchedLines('board');
    open = served;
    const { page } = await browser.open(fileUrl);
    const outcome = await page.evaluate(`new Promise((resolve) => {
      const socket = new WebSocket('${served.server.url.replace('http', 'ws')}live');
      socket.onopen = () => resolve('open');
      socket.onerror = () => resolve('refused');
    })`);
    expect(outcome).toBe('refused');
  });

  test('a hostile board stays inside its fields', async () => {
    const hostile = '<img src=x onerror="document.title=1">\u202e\u001b]0;owned\u0007';
    const bundleId = 815;
    const sites = [1, 2, 3].map((site) => ({ site, file: `${hostile}${site}`, line: 1, column: 1, call: hostile }));
    rememberBundle({ id: bundleId, policy: 'best-fit', sites }, hostile.repeat(50));
    const served = await watchedLines('board');
    open = served;
    const { page, complaints } = await browser.open(served.server.url);
    served.lines[0]!.send(new TextEncoder().encode(`${hostile.repeat(2000)}\n`));
    for (const frame of framesOf([64, 64, 64, 9999], bundleId)) served.lines[0]!.send(frame);
    await page.getByRole('button', { name: 'onerror' }).first().waitFor();
    await page.getByText('request of 9.8 KB').first().waitFor();
    await page.getByLabel('Colour blocks by').selectOption('site');
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).toBe('Heapglass');
    const text = (await page.locator('#app').textContent())!;
    expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u202a-\u202e]/);
    const { width } = (await page.locator('article').boundingBox())!;
    expect(width).toBeLessThanOrEqual(1280);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(1280);
    expect(complaints).toEqual([]);
  });
}
