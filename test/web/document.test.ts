// docs/monitor-web.md: its commands run, its keys are the page's, its pictures are there and small, its bounds the code's.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { MOST_PIECE_BYTES } from '../../host/serve/protocol.ts';
import { MOST_KEPT_BYTES } from '../../host/web/data/byte-source.ts';
import { KEYS } from '../../host/web/view/key-list.ts';
import { shots } from '../../scripts/screenshots.ts';

const text = readFileSync(join(packageRoot, 'docs/monitor-web.md'), 'utf8');
const commands = [...text.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block]) => block!.trim().split('\n'));
const folder = mkdtempSync(join(tmpdir(), 'heapglass-'));

test.each(commands)('%s', (command) => {
  const words = command.split(' ').slice(2);
  // What it writes goes to a folder of its own.
  const placed = words.map((word, at) => (['--out', '--page'].includes(words[at - 1]!) ? join(folder, word) : word));
  const env = { ...process.env, XDG_CACHE_HOME: folder };
  const out = execFileSync(process.execPath, [join(packageRoot, 'dist/heapglass.js'), ...placed], {
    cwd: packageRoot,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 20_000,
  });
  const written = placed.find((_, at) => ['--out', '--page'].includes(words[at - 1]!));
  if (written === undefined) expect(out).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\n/);
  else expect(statSync(written).size).toBeGreaterThan(1000);
});

test('the keys are the page’s', () => {
  const rows = [...text.matchAll(/^\| `(.+)` \| (.+) \|$/gm)].map(([, key, does]) => [key, does]);
  expect(rows).toEqual(KEYS.map((row) => [...row]));
});

test('the pictures are there, and each below 150 KB', () => {
  const pictures = [...text.matchAll(/\(images\/([\w-]+)\.png\)/g)].map(([, name]) => name!);
  expect(pictures.length).toBeGreaterThan(2);
  for (const name of pictures) expect(shots.map((shot) => shot.name)).toContain(name);
  for (const { name } of shots) {
    expect(statSync(join(packageRoot, `docs/images/${name}.png`)).size, name).toBeLessThan(150_000);
  }
});

test('the bounds are the code’s', () => {
  expect(text).toContain(`pieces of ${MOST_PIECE_BYTES / 1024} KB`);
  expect(text).toContain(`up to ${MOST_KEPT_BYTES / (1 << 20)} MB`);
  const source = (path: string) => readFileSync(join(packageRoot, path), 'utf8');
  expect(source('host/serve/client.ts')).toContain('MOST_READS = 16;');
  expect(source('host/web/data/past.ts')).toContain('MOST_PLACES = 4096;');
  expect(source('host/web/data/logged-session.ts')).toContain('MOST_EVENTS = 500;');
});
