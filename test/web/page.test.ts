// The page in a real browser. One Chromium for all; each part is a file of its own.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, vi } from 'vitest';
import { accessTests } from './access.ts';
import { chromiumPath, TestBrowser } from './browser.ts';
import { liveTests } from './live.ts';
import { recordedTests } from './recorded.ts';
import { serialTests } from './serial.ts';

vi.mock('../../firmware/src/telemetry/observer.ts', () => import('../../firmware/src/telemetry/recorder.ts'));

if (chromiumPath === undefined) console.warn('no Chromium on this machine: the page is not opened in a browser');

describe.skipIf(chromiumPath === undefined)('the page in Chromium', { timeout: 60_000 }, () => {
  const browser = new TestBrowser();
  const cacheBefore = process.env.XDG_CACHE_HOME;

  beforeAll(async () => {
    process.env.XDG_CACHE_HOME = mkdtempSync(join(tmpdir(), 'heapglass-'));
    await browser.launch();
  });
  afterAll(async () => {
    process.env.XDG_CACHE_HOME = cacheBefore;
    await browser.close();
  });

  describe('live', () => liveTests(browser));
  describe('Web Serial', () => serialTests(browser));
  describe('recordings', () => recordedTests(browser));
  describe('access', () => accessTests(browser));
});
