// The page from a disk, without any install: it flashes a virtual board over Web Serial, watches it, and saves a recording.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { command as bundleCommand } from '../../host/commands/bundle.ts';
import { Recording } from '../../host/recording/reader.ts';
import { openSim, type SimTransport } from '../../host/transport/sim.ts';
import { runCommand } from '../view/run-command.ts';
import { figure, fileUrl, mapColours, type TestBrowser } from './browser.ts';
import { mockSerial } from './mock-serial.ts';

export function serialTests(browser: TestBrowser): void {
  const folder = mkdtempSync(join(tmpdir(), 'heapglass-'));
  let sim: SimTransport | null = null;
  afterEach(async () => {
    await browser.closePages();
    await sim?.close();
    sim = null;
  });

  async function bundled(board: string): Promise<string> {
    const path = join(folder, `${board}.bundle.json`);
    const { code } = await runCommand(bundleCommand, ['examples/leaky-sensor.js', '--board', board, '--out', path]);
    expect(code).toBe(0);
    return path;
  }

  test('flashes a bundle, verified; shows its heap by source line; saves a recording that others read', async () => {
    sim = await openSim('kaluma-pico');
    sim.setRealTime(true);
    const bundle = await bundled('kaluma-pico');
    const { page, requests, complaints } = await browser.open(fileUrl, {}, async (one) => {
      await mockSerial(one, sim!);
    });
    await page.getByRole('button', { name: 'Flash a bundle' }).last().click();
    await page.getByLabel('Bundle file').setInputFiles(bundle);
    await page.getByText('leaky-sensor.js · for kaluma-pico').waitFor();
    await page.getByRole('button', { name: 'Pick the port and flash' }).click();
    await page.getByText(/Stored and compared: [\d ]+ bytes/).waitFor({ state: 'attached', timeout: 15_000 });
    await page.getByRole('heading', { level: 2, name: 'leaky-sensor.js' }).waitFor();
    await page.getByRole('button', { name: 'leaky-sensor.js:19' }).waitFor();
    expect(await mapColours(page)).toBeGreaterThan(4);
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save recording' }).click();
    const path = join(folder, 'saved.hgrec');
    await (await saving).saveAs(path);
    const recording = new Recording(path);
    const model = recording.seekOperations(Number.POSITIVE_INFINITY).model;
    expect(model.operations).toBeGreaterThan(5);
    expect(model.exact).toBe(true);
    expect(recording.siteName(1, model.lastHello!.bundleId)).toMatch(/^leaky-sensor\.js:\d+$/);
    recording.close();
    expect(
      requests.filter((url) => !url.startsWith('file:') && !url.startsWith('blob:') && !url.startsWith('data:')),
    ).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test('refuses a bundle for another engine before anything is erased, and what is no bundle', async () => {
    sim = await openSim('kaluma-pico');
    sim.setRealTime(true);
    const bundle = await bundled('pico_r1_3');
    const { page } = await browser.open(fileUrl, {}, async (one) => {
      await mockSerial(one, sim!);
    });
    await page.getByRole('button', { name: 'Flash a bundle' }).last().click();
    await page
      .getByLabel('Bundle file')
      .setInputFiles({ name: 'x.json', mimeType: 'text/plain', buffer: Buffer.from('<b>') });
    await page.getByText('x.json is no bundle').waitFor();
    await page.getByLabel('Bundle file').setInputFiles(bundle);
    await page.getByRole('button', { name: 'Pick the port and flash' }).click();
    await page.getByText('the bundle is for pico_r1_3').waitFor();
    await page.getByText('nothing was erased').waitFor();
  });

  test('connects to a board that runs; a cable that is pulled is said, and plugged in again it goes on', async () => {
    const { bundle } = await import('../../firmware/toolchain/bundle.ts');
    const { loadBoard } = await import('../../boards/board.ts');
    const { code } = await bundle({ entry: 'examples/leaky-sensor.js', board: loadBoard('kaluma-pico') });
    sim = await openSim('kaluma-pico', { program: code });
    sim.setRealTime(true);
    const { page } = await browser.open(fileUrl, {}, async (one) => {
      await mockSerial(one, sim!);
    });
    await page.getByRole('button', { name: 'Connect a board' }).last().click();
    await page.getByRole('button', { name: 'Pick the port' }).click();
    await page.getByRole('heading', { level: 2, name: 'usb 2e8a:000a' }).waitFor();
    await expect.poll(() => figure(page, 'live'), { timeout: 8000 }).toMatch(/^\d/);
    await page.evaluate('serialUnplug()');
    await page.getByText('The line is lost: The device has been lost.').first().waitFor();
    // Plugged in again: the port is opened anew, and the session goes on.
    await expect.poll(() => page.locator('.state').textContent(), { timeout: 4000 }).toBe('live');
    const operations = () => page.locator('.facts').textContent();
    const before = await operations();
    await expect.poll(operations).not.toBe(before);
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await page.getByRole('heading', { level: 2, name: 'See what is in' }).waitFor();
  });

  test('a browser without Web Serial is told so, and what works', async () => {
    const { page } = await browser.open(fileUrl, {}, async (one) => {
      await one.addInitScript("Object.defineProperty(navigator, 'serial', { value: undefined })");
    });
    await page.getByText('This browser has no Web Serial.').waitFor();
    expect(await page.getByRole('button', { name: 'Connect a board' }).isDisabled()).toBe(true);
    expect(await page.getByRole('button', { name: 'Open a recording' }).last().isEnabled()).toBe(true);
  });
}
