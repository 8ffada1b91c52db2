/** How a run on a board is shown: steps and progress on err, the live view, the end in words or as JSON. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ExitCode, exitCodes } from '../../boards/problem.ts';
import type { Io } from '../command.ts';
import { type LiveView, liveView } from '../view/live-view.ts';
import { progressLine } from '../view/progress.ts';
import type { ReportRecorder } from '../view/report/report.ts';
import { type BoardRun, type BoardRunEvents, runOnBoard } from './board-run.ts';
import type { ReplayPlan } from './plan.ts';

export interface ShowOptions {
  seed: number;
  /** On a terminal: seconds of the board's time in one of the wall's. */
  speed: number;
  /** Nothing but the result. */
  quiet: boolean;
  /** Gathers a report meanwhile. */
  recorder?: ReportRecorder;
}

/** On a terminal the board's time passes no faster than this many times the wall's. */
function pacer(speed: number): (boardMs: number) => Promise<void> {
  let start: number | null = null;
  return async (boardMs) => {
    start ??= performance.now() - boardMs / speed;
    const earlyMs = start + boardMs / speed - performance.now();
    if (earlyMs > 1) await sleep(earlyMs);
  };
}

/** Runs the plan and shows it; the terminal is given back however it ends. */
export async function showRun(plan: ReplayPlan, io: Io, options: ShowOptions): Promise<BoardRun> {
  const { quiet, recorder, seed, speed } = options;
  let view: LiveView | null = null;
  const pace = pacer(speed);
  const progress = progressLine(io);
  // An object, since it is set in a callback, which the type checker does not follow.
  const ending: { show?: () => void } = {};
  if (!quiet) io.err(`${plan.reason}\n`);
  const events: BoardRunEvents = {
    signal: io.signal,
    onStep: (text) => {
      progress.end();
      if (!quiet) io.err(`${text}\n`);
    },
    onProgress: (state) => {
      if (!quiet) progress.show(state);
    },
    async onMoment(session) {
      recorder?.moment(session.elapsedMs, () => session.scene('live'));
      if (quiet) return;
      view ??= liveView(io, 'Ctrl-C ends it');
      view.show(() => session.scene('live'));
      ending.show = () => view?.finish(session.scene('ended'));
      if (io.isTerminal) await pace(session.elapsedMs);
    },
  };
  try {
    return await runOnBoard(plan, seed, events);
  } finally {
    progress.end();
    ending.show?.();
  }
}

/** 1 when a request failed, a payload was damaged, or host and board do not have the same map. */
export function exitCodeOf({ agrees, report }: BoardRun): ExitCode {
  return agrees && report.damaged === 0 && report.failures === 0 ? exitCodes.done : exitCodes.failed;
}
