// The recorded traces: the shared set where it is there, else the few that the project carries.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../boards/root.ts';
import { readTrace, type Trace } from '../../host/trace/trace.ts';

const shared = join(packageRoot, '..', 'shared', 'traces');
const own = join(packageRoot, 'test', 'fixtures', 'traces');

const tracesAreShared = existsSync(shared);
const folder = tracesAreShared ? shared : own;
if (!tracesAreShared) console.warn(`traces: ${shared} is not there, so only those in test/fixtures/traces are run`);

export const traceNames: readonly string[] = existsSync(folder)
  ? readdirSync(folder)
      .filter((name) => name.endsWith('.trace'))
      .sort()
  : [];

export const loadTrace = (name: string): Trace => readTrace(join(folder, name));
