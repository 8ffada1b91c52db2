/** Which traces a command means: the files named, or the recorded ones that come with the package. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { packageRoot } from '../../boards/root.ts';
import { readTrace, type Trace } from './trace.ts';

/** In the package itself; the larger set lies beside it where it is there at all. */
const folders = [join(packageRoot, '..', 'shared', 'traces'), join(packageRoot, 'test', 'fixtures', 'traces')];

/** The traces of a folder, in alphabetical order. */
function tracesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.trace'))
    .sort()
    .map((name) => join(folder, name));
}

/** Paths of the recorded traces at hand, in alphabetical order. */
function recordedTracePaths(): string[] {
  const folder = folders.find((path) => existsSync(path));
  return folder === undefined ? [] : tracesIn(folder);
}

/** A folder stands for the traces in it; a Problem when it has none. */
function expanded(path: string): string[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
  const found = tracesIn(path);
  if (found.length > 0) return found;
  throw new Problem(exitCodes.badInput, `the folder ${path} has no traces`, [], 'Their names end with `.trace`.');
}

/** Reads the traces named, by file or folder; without names, the recorded ones. */
export function readTraces(paths: readonly string[]): Trace[] {
  const chosen = paths.length > 0 ? paths.flatMap(expanded) : recordedTracePaths();
  if (chosen.length === 0) {
    throw new Problem(exitCodes.usage, 'no traces', [], 'Name trace files; docs/traces.md says how one is made.');
  }
  return chosen.map((path) => readTrace(path));
}
