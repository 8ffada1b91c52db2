/** A recording shown again: the bytes of the line through the same session and view, at the pace they came or another. */
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes, Problem } from '../../boards/problem.ts';
import type { Io } from '../command.ts';
import { Session } from '../monitor/session.ts';
import { Recording } from '../recording/reader.ts';
import { visible } from '../view/escape.ts';
import { liveView } from '../view/live-view.ts';
import { bytesText, countText, durationText, plural } from '../view/units.ts';

/** A pause of the line is never waited out longer than this. */
const LONGEST_WAIT_MS = 2000;

export interface RecordingWishes {
  /** Times the recorded pace; null: at the recorded pace on a terminal, as fast as it goes elsewhere. */
  speed: number | null;
  json: boolean;
}

export async function replayRecording(path: string, { speed, json }: RecordingWishes, io: Io): Promise<void> {
  const recording = new Recording(path);
  try {
    const { header, cutBytes } = recording;
    const session = new Session({
      source: path,
      program: header.program ?? header.source,
      siteName: (site, bundleId) => recording.siteName(site, bundleId),
    });
    const view = json ? null : liveView(io, 'Ctrl-C ends it');
    const factor = speed ?? (io.isTerminal && !json ? 1 : null);
    let lastMs: number | null = null;
    for (const entry of recording.entries()) {
      if (io.signal.aborted) break;
      const { hostMs } = entry;
      const waitMs = lastMs === null || factor === null ? 0 : Math.min(LONGEST_WAIT_MS, (hostMs - lastMs) / factor);
      if (waitMs > 1) await sleep(waitMs);
      lastMs = hostMs;
      if (entry.kind === 'line') session.push(entry.bytes);
      else session.setMark(entry.text);
      view?.show(() => session.scene('live'));
    }
    session.decoder.end();
    view?.finish(session.scene('ended'));
    if (cutBytes > 0) io.err(`the recording was cut: ${plural(cutBytes, 'byte')} at its end are no whole record\n`);
    if (session.decoder.statistics.frames === 0) throw nothingIn(path, session);
    io.out(json ? `${JSON.stringify(recordingSummary(path, session, cutBytes))}\n` : `\n${summaryText(session)}`);
  } finally {
    recording.close();
  }
}

function nothingIn(path: string, session: Session): Problem {
  return new Problem(
    exitCodes.badInput,
    `${path} holds no telemetry`,
    [`${plural(session.decoder.statistics.bytes, 'byte')} of the line are in it, none of them a frame`],
    'Record a board whose program uses Heapglass.',
  );
}

function recordingSummary(path: string, session: Session, cutBytes: number) {
  const { statistics } = session.decoder;
  const { marks } = session.scene('ended');
  return {
    recording: path,
    seconds: session.elapsedMs / 1000,
    cutBytes,
    ...statistics,
    marks,
    engine: session.model.engineHeap.figures(),
    atEnd: session.figures(),
  };
}

function summaryText(session: Session): string {
  const line = session.line();
  const lost = line.framesLost + line.framesBad;
  const marks = session.scene('ended').marks ?? [];
  const set = marks.map(
    ({ atMs, text, liveBytes }) => `${durationText(atMs)}  ${visible(text, 80)}: ${bytesText(liveBytes)} live\n`,
  );
  return `${set.join('')}${plural(line.frames, 'frame')} with ${plural(session.model.operations, 'operation')}; lost or damaged ${countText(lost)}, dropped by the board ${countText(line.eventsDropped)}\n`;
}
