/**
 * Work on a line that may be lost in the middle and come back within seconds: a board that was unplugged for a moment or
 * that reset itself. The work begins again from its start, because nothing else is certain about the board.
 */
import { type ExitCode, exitCodes, Problem } from '../../boards/problem.ts';
import { interrupted } from './flasher.ts';

export const backWithinMs = 15_000;
const defaultTryEveryMs = 500;
/** More in one run are a cable or a supply that has to be looked at. */
const lossesAtMost = 3;

export interface ComebackOptions {
  /** Whether work that lost the line now may begin again. */
  mayBeginAgain: () => boolean;
  /** Gives the lost line up, so that it can be opened again. */
  release: () => Promise<void>;
  /** Told once a loss. */
  onLost: (problem: Problem) => void;
  signal: AbortSignal;
  /** Milliseconds of the wall clock that a lost line is waited for. */
  withinMs?: number;
  tryEveryMs?: number;
}

/** The result of `work`, begun again after each loss. Rejects with the loss when the line does not come back. */
export async function withComebacks<T>(
  work: () => Promise<T>,
  { mayBeginAgain, release, onLost, signal, withinMs = backWithinMs, tryEveryMs = defaultTryEveryMs }: ComebackOptions,
): Promise<T> {
  let lost: Problem | null = null;
  let losses = 0;
  let endMs = 0;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.exitCode === exitCodes.lineLost && mayBeginAgain()) {
        if (++losses > lossesAtMost) throw error;
        lost = error;
        endMs = performance.now() + withinMs;
        onLost(error);
      } else if (lost === null || !isAway(error.exitCode)) throw error;
      else if (performance.now() >= endMs) throw notBack(lost, withinMs, error.message);
    }
    await release();
    await pause(tryEveryMs, signal);
    if (signal.aborted) throw interrupted(lost.facts);
  }
}

/** A port that is not there, or one that nothing answers on yet. */
const isAway = (code: ExitCode): boolean => code === exitCodes.noBoard || code === exitCodes.lineLost;

const notBack = ({ exitCode, message, facts, advice }: Problem, withinMs: number, last: string): Problem =>
  new Problem(exitCode, message, [...facts, `it did not come back within ${withinMs / 1000} s: ${last}`], advice);

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
