/** Holds the models to what the real engines took: predicted beside measured, for programs that no price was fitted to. */
import { loadBoard } from '../../boards/board.ts';
import { measureCall } from './call.ts';

/** One program of the fidelity set: `run(n)` called once, and what it took. */
export interface Truth {
  name: string;
  source: string;
  n: number;
  checksum: number;
  kaluma: { cycles: number; cyclesXip40: number; heapBytes: number };
  espruino: { armInstructions: number; jsvars: number };
}

export interface Prediction {
  name: string;
  value: unknown;
  predicted: number;
  measured: number;
  predictedMemory: number;
  measuredMemory: number;
}

export function predict(programs: readonly Truth[], engine: 'kaluma' | 'espruino'): Prediction[] {
  const board = loadBoard(engine === 'kaluma' ? 'kaluma-pico' : 'pico_r1_3');
  return programs.map(({ name, source, n, kaluma, espruino }) => {
    const { value, cycles, instructions, load } = measureCall(board, { source, fileName: name }, `run(${n})`);
    return {
      name,
      value,
      predicted: engine === 'kaluma' ? cycles : (instructions ?? 0),
      measured: engine === 'kaluma' ? kaluma.cycles : espruino.armInstructions,
      predictedMemory: (engine === 'kaluma' ? load.engineHeapBytes : load.jsvars) ?? 0,
      measuredMemory: engine === 'kaluma' ? kaluma.heapBytes : espruino.jsvars,
    };
  });
}

export interface ErrorFigures {
  meanPercent: number;
  worstPercent: number;
}

export function errorsOf(pairs: readonly { predicted: number; measured: number }[]): ErrorFigures {
  const errors = pairs.map(({ predicted, measured }) => Math.abs(predicted / measured - 1) * 100);
  return {
    meanPercent: errors.reduce((sum, error) => sum + error, 0) / errors.length,
    worstPercent: Math.max(...errors),
  };
}

/** The same on the Pico with the misses of its flash cache, as the fidelity programs count them. */
export function predictWithFlashCache(programs: readonly Truth[]): { predicted: number; measured: number }[] {
  const board = loadBoard('kaluma-pico');
  return programs.map(({ name, source, n, kaluma }) => ({
    predicted: measureCall(board, { source, fileName: name }, `run(${n})`, { withFlashCache: true }).cycles,
    measured: kaluma.cyclesXip40,
  }));
}
