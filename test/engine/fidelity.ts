/** The fidelity programs and what the real engines took, where they are at hand. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../boards/root.ts';
import type { Truth } from '../../sim/engine/validate.ts';

const folder = join(packageRoot, '..', 'shared', 'fidelity');

export const hasFidelity = existsSync(join(folder, 'truth.json'));

export function fidelityPrograms(): Truth[] {
  const { programs } = JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8')) as {
    programs: Record<string, Omit<Truth, 'name' | 'source'>>;
  };
  return Object.entries(programs).map(([name, truth]) => ({
    ...truth,
    name,
    source: readFileSync(join(folder, name), 'utf8'),
  }));
}
