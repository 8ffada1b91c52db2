/**
 * Runs of JavaScript are computed ahead, in no time of the board's; here their time passes, and Ctrl-C ends them.
 *
 *   board's time   |-- run() computes --> |...........passRun............| end
 *   processor      started                     ^ Ctrl-C       ^ stop: what it had still to say is taken back
 *
 * What the run did to its variables behind the stop stays done: only its output is cut (docs/virtual-boards.md).
 */
import type { Machine, Task } from './machine.ts';

/**
 * Lets the time pass of a run that has just been computed. `stopNs` is asked whenever something came in: when the run is
 * broken off, null while nobody asks. `isEndless`: it does not end by itself. True when it was broken off.
 */
export function* passRun(machine: Machine, stopNs: () => number | null, isEndless: boolean): Task<boolean> {
  const endNs = isEndless ? Number.POSITIVE_INFINITY : machine.nowNs();
  machine.keepRunning();
  for (;;) {
    const breakNs = stopNs();
    const untilNs = Math.min(endNs, breakNs ?? Number.POSITIVE_INFINITY);
    if (machine.nowNs() >= untilNs) {
      const isStopped = untilNs < endNs;
      if (isStopped) machine.stopRunning();
      return isStopped;
    }
    yield { untilNs: Number.isFinite(untilNs) ? untilNs : null, forInput: true };
  }
}
