/** One call of a loaded program, measured as the fidelity figures are: the statement and everything it causes. */
import type { Board } from '../../boards/board.ts';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { callWorld } from './call-world.ts';
import { createEngine } from './create.ts';
import type { Engine, Outcome } from './engine.ts';

export interface CallFigures {
  /** What the statement gives; null for undefined, which JSON has no word for. */
  value: unknown;
  /** Core cycles of the call, on the board's core. */
  cycles: number;
  /** Espruino: ARM Thumb-2 instructions; null on Kaluma, whose model counts cycles. */
  instructions: number | null;
  /** What loading the program took, the call not included. */
  load: { engineHeapBytes: number | null; jsvars: number | null };
}

/** Ends what never ends: some minutes of board time. */
const defaultCallBudget = 50e9;

/**
 * Loads `source` and runs the statement `call` once. Throws a Problem where the program cannot be loaded, or the call
 * fails, runs out of memory or does not end within `cycleBudget` core cycles.
 */
export function measureCall(
  board: Board,
  program: { source: string; fileName: string },
  call: string,
  options: { cycleBudget?: number; withFlashCache?: boolean } = {},
): CallFigures {
  const world = callWorld(board, () => engine.cycles / board.clockHz);
  const engine: Engine = createEngine(board, world, {
    ...options,
    cycleBudget: options.cycleBudget ?? defaultCallBudget,
  });
  const before = memoryOf(engine);
  valueFrom(engine.run(program.source, program.fileName), `${program.fileName} does not load`);
  const after = memoryOf(engine);
  const from = { cycles: engine.cycles, instructions: engine.instructions };
  const value = valueFrom(engine.run(call, 'the call'), `${call} fails`);
  return {
    value: value === undefined ? null : value,
    cycles: engine.cycles - from.cycles,
    instructions: engine.instructions === null ? null : engine.instructions - (from.instructions ?? 0),
    load: {
      engineHeapBytes: after.heapBytes === null ? null : after.heapBytes - (before.heapBytes ?? 0),
      jsvars: after.jsvars === null ? null : after.jsvars - (before.jsvars ?? 0),
    },
  };
}

const memoryOf = ({ heapBytes, jsvars }: Engine) => ({ heapBytes, jsvars });

function valueFrom(outcome: Outcome, what: string): unknown {
  switch (outcome.kind) {
    case 'value':
      return outcome.value;
    case 'error':
      throw new Problem(
        exitCodes.failed,
        what,
        [
          `${outcome.name === '' ? 'thrown' : outcome.name}: ${outcome.message}`,
          ...(outcome.line === null ? [] : [`line ${outcome.line}`]),
        ],
        'The program runs as it stands, without bundling: it can use only what the board has.',
      );
    case 'outOfMemory':
      throw new Problem(exitCodes.tooBig, what, ['the engine ran out of memory or stack'], 'Give it less to do.');
    default:
      throw new Problem(exitCodes.failed, what, ['it did not end within the cycle budget'], 'Call it with less work.');
  }
}
