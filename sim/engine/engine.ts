/**
 * What a virtual board needs of a JavaScript engine model: run source text with a cycle count, against an engine heap
 * of the board's size. One implementation, two cost models and memory models (espruino, jerryscript).
 */
export interface Engine {
  /** Cycles charged since power-up (core clocks). */
  readonly cycles: number;
  /** Engine instructions charged since power-up, in the terms of the cost model; null where the model counts cycles only. */
  readonly instructions: number | null;
  /** Bytes (JerryScript) of the engine's heap in use; null on Espruino. */
  readonly heapBytes: number | null;
  /** Variables (Espruino) in use; null on JerryScript. */
  readonly jsvars: number | null;
  /**
   * Runs a program or a REPL line in the global scope. The outcome is a value: nothing escapes as a host exception.
   * `where` is where the text lies: of a text in flash Espruino's functions keep a pointer, else a copy.
   */
  run(source: string, fileName: string, where?: 'ram' | 'flash'): Outcome;
  /** Calls a function of the program: a timer's, an event handler's. */
  call(fn: unknown, args: unknown[]): Outcome;
  /** The text of a function as the board's engine gives it. */
  functionText(fn: unknown): string;
  /** Adds cycles that the machine spends outside JS code (a native function, an interrupt). */
  charge(cycles: number): void;
}

export interface EngineOptions {
  /** Asked now and then while code runs: true ends the run as Ctrl-C does. */
  isInterrupted?: () => boolean;
  /** Core cycles that one `run` or `call` may take; it ends as interrupted beyond. No limit by default. */
  cycleBudget?: number;
  /** JerryScript on the RP2040: what the misses of the flash cache cost is charged as well. Not by default. */
  withFlashCache?: boolean;
}

export type Outcome =
  | { kind: 'value'; value: unknown /** as the engine's REPL would print it */; text: string }
  | {
      kind: 'error';
      name: string;
      message: string;
      line: number | null;
      /** Of a text that does not parse; from 1. */
      column?: number;
      /** Lines of the calls that it came out of, innermost first. */
      lines?: readonly number[];
    }
  /** Uncatchable on the real engines: the program cannot see it. */
  | { kind: 'outOfMemory' }
  /** The cycle budget of this run was used up, or Ctrl-C came. */
  | { kind: 'interrupted' };
