/**
 * Remembers the site table of each bundle that was flashed from this machine, so that `monitor` names source lines on a
 * board that it attaches to later. Found by the bundle's id, which the board says in every hello.
 *
 *   <cache>/heapglass/bundles/<id>.json     { program, policy, sites: [{ site, file, line, column, call }] }
 *
 * A cache: what cannot be read or written is as if it were not there.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { env, platform } from 'node:process';
import * as v from 'valibot';
import type { Bundle } from '../firmware/toolchain/bundle.ts';

const mostBundles = 200;

const storedSchema = v.object({
  program: v.string(),
  policy: v.string(),
  sites: v.array(
    v.object({ site: v.number(), file: v.string(), line: v.number(), column: v.number(), call: v.string() }),
  ),
});

export type StoredBundle = v.InferOutput<typeof storedSchema>;

export function storeFolder(): string {
  const cache = env.XDG_CACHE_HOME || (platform === 'win32' && env.LOCALAPPDATA) || join(homedir(), '.cache');
  return join(cache, 'heapglass', 'bundles');
}

const pathOf = (id: number): string => join(storeFolder(), `${id}.json`);

export function rememberBundle({ id, policy, sites }: Pick<Bundle, 'id' | 'policy' | 'sites'>, program: string): void {
  if (sites.length === 0) return;
  try {
    mkdirSync(storeFolder(), { recursive: true });
    writeFileSync(pathOf(id), `${JSON.stringify({ program, policy, sites })}\n`);
    forgetOldest();
  } catch {
    // A home that cannot be written to is no reason not to flash.
  }
}

function forgetOldest(): void {
  const files = readdirSync(storeFolder())
    .map((name) => join(storeFolder(), name))
    .map((path) => ({ path, changedMs: statSync(path).mtimeMs }))
    .sort((a, b) => b.changedMs - a.changedMs);
  for (const { path } of files.slice(mostBundles)) rmSync(path, { force: true });
}

/** What is remembered of the bundle with this id; undefined when nothing sound is. */
export function recallBundle(id: number): StoredBundle | undefined {
  try {
    const result = v.safeParse(storedSchema, JSON.parse(readFileSync(pathOf(id), 'utf8')));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

/** Names a site of whatever bundle runs: `app.js:12`. Reads a bundle's table once. */
export function siteNames(): (site: number, bundleId: number) => string | undefined {
  const tables = new Map<number, Map<number, string>>();
  return (site, bundleId) => {
    if (bundleId === 0) return undefined;
    let table = tables.get(bundleId);
    if (!table) {
      const sites = recallBundle(bundleId)?.sites ?? [];
      table = new Map(sites.map(({ site: number, file, line }) => [number, `${file}:${line}`]));
      tables.set(bundleId, table);
    }
    return table.get(site);
  };
}
