// Tests keep what Heapglass remembers of bundles in a folder of their own, not in the user's cache.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Before the first test file; what it returns runs behind the last. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'heapglass-cache-'));
  process.env.XDG_CACHE_HOME = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
