// The store of site tables: what was flashed is known again by the id that the board says, and a broken store is none.
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { bundle } from '../../firmware/toolchain/bundle.ts';
import { recallBundle, rememberBundle, siteNames, storeFolder } from '../../host/bundle-store.ts';
import { Session } from '../../host/monitor/session.ts';
import { FakeEngine } from '../toolchain/fake-engine.ts';

const cacheOfTheRun = storeFolder();

beforeEach(() => {
  vi.stubEnv('XDG_CACHE_HOME', mkdtempSync(join(tmpdir(), 'heapglass-store-')));
});

test("a run of the tests keeps out of the user's cache", () => {
  expect(cacheOfTheRun.startsWith(tmpdir())).toBe(true);
  expect(cacheOfTheRun.startsWith(join(homedir(), '.cache'))).toBe(false);
});

const sites = [{ site: 1, file: 'app.js', line: 7, column: 3, call: 'malloc' }];

test('a bundle is recalled by its id, an unknown one is not', () => {
  rememberBundle({ id: 42, policy: 'tlsf', sites }, 'app.js');
  expect(recallBundle(42)).toEqual({ program: 'app.js', policy: 'tlsf', sites });
  expect(recallBundle(43)).toBeUndefined();
  const name = siteNames();
  expect([name(1, 42), name(2, 42), name(1, 43), name(1, 0)]).toEqual(['app.js:7', undefined, undefined, undefined]);
});

test('what is not sound is as if it were not there', () => {
  rememberBundle({ id: 42, policy: 'tlsf', sites }, 'app.js');
  writeFileSync(join(storeFolder(), '42.json'), '{"sites":');
  expect(recallBundle(42)).toBeUndefined();
  vi.stubEnv('XDG_CACHE_HOME', '/dev/null');
  expect(() => rememberBundle({ id: 1, policy: 'tlsf', sites }, 'app.js')).not.toThrow();
});

test('it keeps the newest 200', () => {
  for (let id = 1; id <= 205; id++) rememberBundle({ id, policy: 'tlsf', sites }, 'app.js');
  expect(readdirSync(storeFolder())).toHaveLength(200);
});

test('a monitor that attaches to a board names the lines of the bundle that runs there', async () => {
  const board = loadBoard('kaluma-pico');
  const source =
    "import { createHeap } from 'heapglass';\nconst heap = createHeap({ bytes: 1024 });\nexport function go() {\n  return heap.malloc(24);\n}\n";
  const built = await bundle({ entry: join(tmpdir(), 'app.js'), source, board });
  rememberBundle(built, 'app.js');
  const engine = new FakeEngine(board);
  engine.run(built.code).go!();
  engine.advance(2000);
  const session = new Session({ source: 'test', siteName: siteNames() });
  for (const bytes of engine.written) session.push(bytes);
  expect(session.siteName(1)).toBe('app.js:4');
});
