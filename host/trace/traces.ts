/** Which traces a command means: the files named, or the recorded ones that come with the package. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { packageRoot } from '../../boards/root.ts';
import { readTrace, type Trace } from './trace.ts';

/** In the package itself; the larger set lies beside it where it is there at all. */
const folders = [join(packageRoot, '..', 'shared', 'traces'), join(packageRoot, 'test', 'fixtures', 'traces')];

/** Paths of the recorded traces at hand, in alphabetical order. */
export function recordedTracePaths(): string[] {
  const folder = folders.find((path) => existsSync(path));
  if (folder === undefined) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.trace'))
    .sort()
    .map((name) => join(folder, name));
}

/** Reads the traces named; without names, the recorded ones. */
export function readTraces(paths: readonly string[]): Trace[] {
  const chosen = paths.length > 0 ? paths : recordedTracePaths();
  if (chosen.length === 0) {
    throw new Problem(exitCodes.usage, 'no traces', [], 'Name trace files; docs/traces.md says how one is made.');
  }
  return chosen.map((path) => readTrace(path));
}
