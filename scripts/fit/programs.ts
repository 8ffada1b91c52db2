/** The programs that prices are fitted to, and what the real engines took for them (test/fixtures/cost-programs.json). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBoard } from '../../boards/board.ts';
import { packageRoot } from '../../boards/root.ts';
import { createProfiledEngine } from '../../sim/engine/create.ts';
import type { Bag } from '../../sim/engine/features.ts';

/** `run(n)` called once, as the first call after loading. Null: not measured, or refused by the engine. */
export interface CostProgram {
  name: string;
  source: string;
  n: number;
  /** JerryScript: core cycles without collections, bytes at load, collected memory that the call allocated. */
  cycles: number | null;
  heapBytes: number | null;
  allocatedBytes: number | null;
  /** Misses of the RP2040's flash cache in the call; null where a collection ran in it. */
  flashMisses: number | null;
  /** Espruino: ARM Thumb-2 instructions, variables at load. */
  instructions: number | null;
  jsvars: number | null;
}

export type EngineName = 'jerryscript' | 'espruino';

export interface Profile {
  program: CostProgram;
  /** Features of the call, and of what loading left in memory. */
  work: Bag;
  memory: Bag;
}

const boards: Readonly<Record<EngineName, string>> = { jerryscript: 'kaluma-pico', espruino: 'pico_r1_3' };

const fixtures = join(packageRoot, 'test', 'fixtures');

/** A program of test/fixtures/fidelity-own, as its truth.json has it. */
interface OwnTruth {
  n: number;
  kaluma: {
    cycles: number;
    collectionCycles: number;
    allocatedBytes: number;
    heapBytes: number;
    flashMisses: number | null;
  } | null;
  espruino: { armInstructions: number; jsvars: number } | null;
}

export const isOwnProgram = (name: string): boolean => name.startsWith('own/');

/** The programs of one construct each, and those that people might write. */
export function readCostPrograms(): CostProgram[] {
  const read = (...path: string[]): string => readFileSync(join(fixtures, ...path), 'utf8');
  const { programs } = JSON.parse(read('cost-programs.json')) as { programs: CostProgram[] };
  const own = JSON.parse(read('fidelity-own', 'truth.json')) as { programs: Record<string, OwnTruth> };
  return [
    ...programs,
    ...Object.entries(own.programs).map(
      ([name, { n, kaluma, espruino }]): CostProgram => ({
        name: `own/${name}`,
        source: read('fidelity-own', name),
        n,
        cycles: kaluma && kaluma.cycles - kaluma.collectionCycles,
        heapBytes: kaluma?.heapBytes ?? null,
        allocatedBytes: kaluma?.allocatedBytes ?? null,
        flashMisses: kaluma?.flashMisses ?? null,
        instructions: espruino?.armInstructions ?? null,
        jsvars: espruino?.jsvars ?? null,
      }),
    ),
  ];
}

/** What the models count in each program that the engine ran. */
export function profile(programs: readonly CostProgram[], engine: EngineName): Profile[] {
  const board = loadBoard(boards[engine]);
  return programs
    .filter(({ cycles, instructions }) => (engine === 'jerryscript' ? cycles : instructions) !== null)
    .map((program) => {
      const profiled = createProfiledEngine(board);
      const loaded = profiled.run(program.source, program.name);
      const memory: Bag = new Map(profiled.memory());
      profiled.resetProfile();
      const called = profiled.run(`run(${program.n})`, 'call');
      if (loaded.kind !== 'value' || called.kind !== 'value')
        throw new Error(`${program.name} does not run on ${engine}: ${JSON.stringify([loaded, called])}`);
      return { program, work: profiled.profile(), memory };
    });
}
