/**
 * Fits the price tables of the engine models to what the real engines took (test/fixtures/cost-programs.json,
 * test/fixtures/fidelity-own) and writes them to sim/engine/costs/, with the errors of programs left out in turn:
 *
 *     npx tsx scripts/fit-costs.ts            # about two minutes
 *     npx tsx scripts/fit-costs.ts --tables   # the tables only
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../boards/root.ts';
import { crossValidate } from './fit/fit.ts';
import { isOwnProgram, profile, readCostPrograms } from './fit/programs.ts';
import { fitTables, memory, work } from './fit/tables.ts';

const costs = (file: string): string => join(packageRoot, 'sim', 'engine', 'costs', file);
const write = (path: string, value: unknown): void => writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);

const programs = readCostPrograms();
const validation: Record<string, unknown> = {};
for (const engine of ['jerryscript', 'espruino'] as const) {
  const profiles = profile(programs, engine);
  const path = costs(`${engine}.json`);
  write(path, { ...JSON.parse(readFileSync(path, 'utf8')), ...fitTables(profiles, engine) });
  const isOwn = (p: (typeof profiles)[number]): boolean => isOwnProgram(p.program.name);
  if (!process.argv.includes('--tables'))
    validation[engine] = {
      work: crossValidate(profiles, work(engine), isOwn),
      memory: crossValidate(profiles, memory(engine), isOwn),
    };
}
if (!process.argv.includes('--tables')) write(costs('validation.json'), validation);
