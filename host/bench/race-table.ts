/** What a race came to, as text. */
import { textTable } from './bench-table.ts';
import { ASSEMBLYSCRIPT, DLMALLOC, type RaceResult } from './race.ts';

/** Operations a second, and how many times those of the two allocators in WebAssembly they are. */
export function raceTable(results: readonly RaceResult[]): string {
  const rate = (name: string): number => results.find((result) => result.name === name)!.megaOperations;
  const rows = results.map(({ name, megaOperations }) => [
    name,
    megaOperations.toFixed(1),
    (megaOperations / rate(ASSEMBLYSCRIPT)).toFixed(2),
    (megaOperations / rate(DLMALLOC)).toFixed(2),
  ]);
  return textTable([['operations a second', 'millions', `of ${ASSEMBLYSCRIPT}`, `of ${DLMALLOC}`], ...rows]);
}
