/**
 * The one error that people are shown: the problem, the facts, and what to do.
 *
 * Thrown for anything that is the input's, the board's or the line's fault; the command line prints it and exits with
 * its code. Every other exception is a defect of Heapglass and is reported as one. It lives with the boards because
 * every other folder may import this one.
 */

/** Exit codes of the `heapglass` command; listed in `heapglass --help`. */
export const exitCodes = {
  done: 0,
  /** The work was done and its answer is no: a budget exceeded, an operation that failed. */
  failed: 1,
  usage: 2,
  /** A file cannot be read or written, is malformed, or was cut where nothing sound is left. */
  badInput: 3,
  /** A port or address cannot be opened, or nothing answers on it. */
  noBoard: 4,
  /** The line was lost while working. */
  lineLost: 5,
  /** A program, arena or trace does not fit the board. */
  tooBig: 6,
  /** What the board holds is not what was sent. */
  notVerified: 7,
  /** A program uses what the engine lacks, or the board lacks the feature asked for. */
  unsupported: 8,
  /** An optional part (an image, a client, a browser) is not there. */
  missing: 9,
  /** A board that was watched ran out of memory: a request of its heap got nothing, or its engine stopped for want of it. */
  outOfMemory: 10,
  /** A defect of Heapglass itself. */
  defect: 70,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export class Problem extends Error {
  readonly exitCode: ExitCode;
  /** What was found, in order: sizes with units, names, positions. */
  readonly facts: readonly string[];
  /** What the reader can do next. */
  readonly advice: string;

  constructor(exitCode: ExitCode, problem: string, facts: readonly string[], advice: string, options?: ErrorOptions) {
    super(problem, options);
    this.name = 'Problem';
    this.exitCode = exitCode;
    this.facts = facts;
    this.advice = advice;
  }
}

const whyUnreadable: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder, not a file',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EACCES: 'permission denied',
};

/** The Problem of an input file, with the system's reason in words. `what` is how it is spoken of: a path, or `the trace x`. */
export function cannotRead(what: string, error: unknown, advice: string): Problem {
  const { code, message } = error as NodeJS.ErrnoException;
  return new Problem(exitCodes.badInput, `${what} cannot be read`, [whyUnreadable[code ?? ''] ?? message], advice);
}
