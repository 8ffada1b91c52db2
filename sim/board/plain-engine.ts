/**
 * An engine without a cost model: runs JavaScript in a context of its own and charges a flat cost for each run. For
 * the tests of lines, REPLs and flash protocols, which need values and errors but no cycles.
 */
import { type Context, createContext, runInContext } from 'node:vm';
import type { Board } from '../../boards/board.ts';
import type { Engine, Outcome } from '../engine/engine.ts';
import type { HostFunctions } from './machine.ts';

const cyclesPerRun = 1000;
const longestRunMs = 1000;
const heapUsedBytes = 12_300;

export function createPlainEngine(_board: Board, hostFunctions: HostFunctions): Engine {
  const context: Context = createContext({ ...hostFunctions });
  let cycles = 0;
  const attempt = (work: () => unknown): Outcome => {
    cycles += cyclesPerRun;
    try {
      const value = work();
      return { kind: 'value', value, text: String(value) };
    } catch (error) {
      const { name, message, code } = error as Error & { code?: string };
      if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return { kind: 'interrupted' };
      if (name === undefined) return { kind: 'error', name: '', message: String(error), line: null };
      return { kind: 'error', name, message, line: null };
    }
  };
  return {
    get cycles() {
      return cycles;
    },
    instructions: null,
    heapBytes: heapUsedBytes,
    jsvars: null,
    run: (source, fileName) =>
      attempt(() => runInContext(source, context, { filename: fileName, timeout: longestRunMs })),
    call: (fn, args) => attempt(() => (fn as (...values: unknown[]) => unknown)(...args)),
    charge: (more) => {
      cycles += more;
    },
  };
}
