/** How a trace's run is shown and summed up. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Io } from '../command.ts';
import { FRAMES_PER_SECOND, liveView } from '../view/live-view.ts';
import { bytesText, countText, percentText, plural } from '../view/units.ts';
import type { TraceRun } from './trace-run.ts';

/** A trace shown without --speed takes this long. */
const WHOLE_SECONDS = 10;
/** Lines that a pipe gets for a whole trace. */
const LINES = 20;

/** The machine form: one object, keys as in `bench --json` where they mean the same. */
export function traceSummary(run: TraceRun, searched: boolean) {
  const { trace, arenaBytes, firstFailure } = run;
  const figures = run.figures();
  const complete = firstFailure === null;
  return {
    trace: trace.name,
    ops: trace.kinds.length,
    policy: run.policyName,
    arenaBytes,
    peakLiveBytes: trace.peakLiveBytes,
    /** Known only where the smallest arena was searched for. */
    footprintBytes: searched && complete ? arenaBytes : null,
    utilisation: searched && complete ? trace.peakLiveBytes / arenaBytes : null,
    failures: figures.failures,
    firstFailure,
    verifiedPayloads: run.verifiedPayloads,
    corruptedPayloads: run.corrupted.length,
    atEnd: figures,
  };
}

/** Runs the trace to its end: animated on a terminal, as fast as it goes and in a few lines elsewhere. */
export async function showTraceRun(
  run: TraceRun,
  searched: boolean,
  opsPerSecond: number | null,
  io: Io,
): Promise<void> {
  const ops = run.trace.kinds.length;
  const view = liveView(io, 'Ctrl-C ends', Math.max(1, Math.floor(ops / LINES)));
  const paced = io.isTerminal || opsPerSecond !== null;
  const perFrame = paced
    ? Math.max(1, Math.ceil((opsPerSecond ?? ops / WHOLE_SECONDS) / FRAMES_PER_SECOND))
    : Math.max(1, Math.floor(ops / LINES));
  while (!run.done && !io.signal.aborted) {
    run.advance(run.at + perFrame);
    view.show(() => run.scene('replay', 'live'));
    if (paced) await sleep(1000 / FRAMES_PER_SECOND);
  }
  view.finish(run.scene('replay', 'ended'));
  io.out(`\n${summaryText(run, searched)}`);
}

export function summaryText(run: TraceRun, searched: boolean): string {
  const { trace, arenaBytes, firstFailure } = run;
  const figures = run.figures();
  const part = percentText(trace.peakLiveBytes / arenaBytes);
  const lines = [
    `${trace.name}: ${plural(run.at, 'operation')} with ${run.policyName} in ${countText(arenaBytes)} bytes`,
    searched
      ? `  smallest arena   ${countText(arenaBytes)} B; peak of the requests ${countText(trace.peakLiveBytes)} B: ${part} of it`
      : `  arena            ${countText(arenaBytes)} B; peak of the requests ${countText(trace.peakLiveBytes)} B: ${part} of it`,
    `  peak live        ${bytesText(figures.peakLiveBytes)} as held, rounding included`,
    `  at the end       ${plural(figures.liveBlocks, 'block')} live, ${bytesText(figures.freeBytes)} free, largest ${bytesText(figures.largestFreeBytes)}`,
    `  contents         ${plural(run.verifiedPayloads, 'payload')} verified, ${run.corrupted.length === 0 ? 'none' : countText(run.corrupted.length)} damaged`,
    firstFailure
      ? `  failed           ${plural(figures.failures, 'request')}, first at operation ${firstFailure.op + 1}: ${firstFailure.sizeBytes} B asked, ${firstFailure.freeBytes} B free, largest ${firstFailure.largestFreeBytes} B`
      : '  failed           no request',
  ];
  return `${lines.join('\n')}\n`;
}
