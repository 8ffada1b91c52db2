/** The end of a run on a board, in words and as JSON. */
import { bytesText, countText, percentText, plural } from '../view/units.ts';
import type { BoardRun } from './board-run.ts';

export function runSummary(run: BoardRun) {
  const { plan, session, report, cycles } = run;
  const figures = session.figures();
  const line = session.line();
  const { statistics } = session.decoder;
  return {
    board: plan.board.id,
    trace: plan.trace.name,
    everyNthBlock: plan.everyNth,
    ops: report.ops,
    policy: plan.policy,
    arenaBytes: plan.arenaBytes,
    reason: plan.reason,
    bundleBytes: run.bundle.bytes,
    flash: {
      storedBytes: run.flashed.storedBytes,
      attempts: run.flashed.attempts,
      uploadSeconds: run.flashed.uploadMs / 1000,
      isVerified: run.flashed.isVerified,
    },
    peakLiveBytes: figures.peakLiveBytes,
    externalFragmentation: figures.externalFragmentation,
    mostFragmentation: mostFragmentation(run),
    failures: report.failures,
    damagedPayloads: report.damaged,
    cyclesPerMalloc: cycles.malloc,
    cyclesPerFree: cycles.free,
    boardSeconds: run.boardSeconds,
    wallSeconds: run.wallSeconds,
    frames: line.frames,
    framesLost: line.framesLost,
    framesBad: line.framesBad,
    eventsDropped: line.eventsDropped,
    telemetryBytes: statistics.bytes - statistics.textBytes,
    bytesPerOperation: report.ops === 0 ? 0 : (statistics.bytes - statistics.textBytes) / report.ops,
    hostAgreesWithBoard: run.agrees,
    atEnd: figures,
  };
}

/** The highest fragmentation seen while the heap was full enough for it to matter: at the fullest tenth of the run. */
function mostFragmentation({ session }: BoardRun): number {
  const points = session.timeline.points(1024);
  const peak = Math.max(0, ...points.map(({ liveBytes }) => liveBytes ?? 0));
  return Math.max(
    0,
    ...points
      .filter(({ liveBytes }) => (liveBytes ?? 0) >= peak * 0.9)
      .map(({ externalFragmentation }) => externalFragmentation ?? 0),
  );
}

export function summaryLines(run: BoardRun): string[] {
  const s = runSummary(run);
  const us = (cycles: number) => `${countText((cycles * 1e6) / run.plan.board.clockHz)} us`;
  return [
    `${plural(s.ops, 'operation')} of ${s.trace} on ${run.plan.board.name}, ${s.policy}, arena ${bytesText(s.arenaBytes)}`,
    `  peak live        ${bytesText(s.peakLiveBytes)}, ${percentText(s.peakLiveBytes / s.arenaBytes)} of the arena`,
    `  fragmentation    ${percentText(s.mostFragmentation)} of the free bytes near the peak, ${percentText(s.externalFragmentation)} at the end`,
    `  failed           ${plural(s.failures, 'request')}; ${s.damagedPayloads === 0 ? 'no payload' : plural(s.damagedPayloads, 'payload')} damaged`,
    s.cyclesPerMalloc === 0
      ? '  malloc, free     not counted: the engine of this virtual board has no cost model yet'
      : `  malloc, free     ${countText(s.cyclesPerMalloc)} and ${countText(s.cyclesPerFree)} cycles on average (${us(s.cyclesPerMalloc)}, ${us(s.cyclesPerFree)}), recording included`,
    `  telemetry        ${plural(s.frames, 'frame')}, ${s.bytesPerOperation.toFixed(2)} bytes an operation; lost ${countText(s.framesLost)}, damaged ${countText(s.framesBad)}, dropped events ${countText(s.eventsDropped)}`,
    `  host and board   ${s.hostAgreesWithBoard ? 'agree on every byte of the map' : 'DO NOT AGREE on the map'}`,
    `  time             ${s.boardSeconds.toFixed(1)} s of the board's in ${s.wallSeconds.toFixed(1)} s here`,
  ];
}
