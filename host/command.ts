/**
 * What a command of the `heapglass` tool is: a name, its help, its options, and a function from arguments to an exit
 * code. Commands write through `Io` only, so that tests and the browser run them without a process.
 */
import type { ParseArgsConfig } from 'node:util';
import type { ExitCode } from '../boards/problem.ts';

export interface Io {
  /** Results: what a pipe should get; bytes go as they are. */
  out(text: string | Uint8Array): void;
  /** Progress, warnings and errors. */
  err(text: string): void;
  /** True when `out` is a terminal that may be redrawn. */
  readonly isTerminal: boolean;
  readonly columns: number;
  readonly rows: number;
  /** False under NO_COLOR, in a pipe, and with TERM=dumb. */
  readonly color: boolean;
  /** Aborted by Ctrl-C, by SIGTERM, by a terminal that closes, and when nobody takes the output any more. */
  readonly signal: AbortSignal;
}

export interface OptionHelp {
  type: 'string' | 'boolean';
  short?: string;
  multiple?: boolean;
  /** How the value is called in the help: `BYTES`, `PATH`. */
  value?: string;
  /** The value may be left out: then this one is meant. A word that `pattern` does not match is no value of it. */
  assumed?: { value: string; pattern: RegExp };
  help: string;
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Positional arguments as the usage line shows them: `<program.js>`. */
  readonly positionals: string;
  readonly options: Readonly<Record<string, OptionHelp>>;
  /** Paragraphs and examples under the options. */
  readonly notes?: string;
  run(args: Arguments, io: Io): Promise<ExitCode>;
}

export interface Arguments {
  readonly positionals: readonly string[];
  /** The value of a string option, or undefined. */
  text(name: string): string | undefined;
  /** The value of an option that holds a whole number >= `least`; a usage problem otherwise. */
  number(name: string, least?: number): number | undefined;
  flag(name: string): boolean;
  list(name: string): readonly string[];
}

export type ParseOptions = NonNullable<ParseArgsConfig['options']>;
