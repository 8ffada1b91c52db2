// Takes the pictures of docs/monitor-web.md: the page with its example, in Debian's Chromium. `npm run screenshots`.
// They are documentation, not goldens: fonts differ from machine to machine.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { packageRoot } from '../boards/root.ts';
import { pagePath } from '../host/serve/page.ts';

interface Shot {
  name: string;
  width: number;
  height: number;
  scheme: 'light' | 'dark';
  prepare(page: Page): Promise<void>;
}

const example = async (page: Page): Promise<void> => {
  await page.getByRole('button', { name: 'See an example' }).click();
  await page.getByText('ended').waitFor();
};

/** The moment of the first failed request, on the map by site. */
const failure = async (page: Page): Promise<void> => {
  await example(page);
  await page.locator('.events button', { hasText: 'failed' }).last().click();
  await page.getByLabel('Colour blocks by').selectOption('site');
};

export const shots: readonly Shot[] = [
  { name: 'web-start', width: 1280, height: 720, scheme: 'light', prepare: async () => {} },
  { name: 'web-board', width: 1080, height: 720, scheme: 'light', prepare: example },
  { name: 'web-past', width: 1080, height: 660, scheme: 'dark', prepare: failure },
  {
    name: 'web-zoom',
    width: 1024,
    height: 768,
    scheme: 'light',
    prepare: async (page) => {
      await failure(page);
      await page.locator('canvas.map').click({ position: { x: 500, y: 120 } });
      await page.keyboard.press('Enter');
    },
  },
  { name: 'web-narrow', width: 390, height: 844, scheme: 'dark', prepare: example },
];

export const folder = join(packageRoot, 'docs', 'images');

async function take(browser: Browser, { name, width, height, scheme, prepare }: Shot): Promise<void> {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme });
  await page.goto(pathToFileURL(pagePath).href);
  await prepare(page);
  await page.waitForTimeout(600);
  await page.screenshot({ path: join(folder, `${name}.png`) });
  await page.close();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(folder, { recursive: true });
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  for (const shot of shots) await take(browser, shot);
  await browser.close();
}
