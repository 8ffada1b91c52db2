// One Chromium for all of the page's tests, and what they share. Debian's, driven by playwright-core; nothing is downloaded.
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { pagePath } from '../../host/serve/page.ts';

export const chromiumPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);

/** The page as a file: no server. */
export const fileUrl = pathToFileURL(pagePath).href;

export interface OpenedPage {
  page: Page;
  /** What the page asked for, and what it complained about. */
  requests: string[];
  complaints: string[];
}

export class TestBrowser {
  #browser: Browser | null = null;
  readonly #pages: Page[] = [];

  async launch(): Promise<void> {
    this.#browser = await chromium.launch({ executablePath: chromiumPath!, args: ['--no-sandbox'] });
  }

  async open(
    url: string,
    options: BrowserContextOptions = {},
    prepare?: (page: Page) => Promise<void>,
  ): Promise<OpenedPage> {
    const page = await this.#browser!.newPage({ viewport: { width: 1280, height: 900 }, ...options });
    this.#pages.push(page);
    page.setDefaultTimeout(8000);
    const requests: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    await prepare?.(page);
    await page.goto(url);
    return { page, requests, complaints };
  }

  async closePages(): Promise<void> {
    for (const page of this.#pages.splice(0)) await page.context().close();
  }

  async close(): Promise<void> {
    await this.#browser?.close();
  }
}

/** Different colours in the map's canvas. */
export function mapColours(page: Page): Promise<number> {
  return page.evaluate(`(() => {
    const canvas = document.querySelector('canvas.map');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let at = 0; at < data.length; at += 16) seen.add(data.slice(at, at + 4).join());
    return seen.size;
  })()`);
}

/** The value of one of the large figures, as it reads. */
export async function figure(page: Page, label: string): Promise<string> {
  return (await page.locator(`.figure:has(dt:text-is("${label}")) .value`).first().textContent()) ?? '';
}
