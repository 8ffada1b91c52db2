/** A trace or a recording, played to its end for a report. Which of the two a file is, its first byte says. */
import { closeSync, openSync, readSync } from 'node:fs';
import { cannotRead } from '../../boards/problem.ts';
import { type PolicyName, policies } from '../../firmware/src/policies/index.ts';
import { minimumFootprint } from '../bench/footprint.ts';
import { Session } from '../monitor/session.ts';
import { Recording } from '../recording/reader.ts';
import { TraceRun } from '../replay/trace-run.ts';
import { readTrace } from '../trace/trace.ts';
import { type ReportData, ReportRecorder } from '../view/report/report.ts';
import { plural } from '../view/units.ts';

/** Key frames are taken at this many moments of a trace at least. */
const TRACE_STEPS = 256;

export interface TraceWishes {
  policy: PolicyName;
  /** Null: the smallest that completes the trace. */
  arenaBytes: number | null;
}

/** True for a trace, which has that name or begins with its JSON line; a Problem when the file cannot be read. */
export function isTraceFile(path: string): boolean {
  try {
    const file = openSync(path, 'r');
    const first = new Uint8Array(1);
    readSync(file, first, 0, 1, 0);
    closeSync(file);
    return path.endsWith('.trace') || first[0] === '{'.charCodeAt(0);
  } catch (error) {
    throw cannotRead(path, error, 'Give a trace, or a recording of `heapglass monitor --record FILE`.');
  }
}

export function loadReport(path: string, wishes: TraceWishes): ReportData {
  return isTraceFile(path) ? traceReport(path, wishes) : recordingReport(path);
}

function traceReport(path: string, { policy, arenaBytes }: TraceWishes): ReportData {
  const trace = readTrace(path);
  const arena = arenaBytes ?? minimumFootprint(policies[policy], trace)?.footprintBytes ?? trace.peakLiveBytes * 4;
  const run = new TraceRun(trace, policy, arena);
  const recorder = new ReportRecorder(1);
  while (!run.done) {
    run.advance(run.at + Math.max(1, Math.floor(trace.kinds.length / TRACE_STEPS)));
    recorder.moment(run.at, () => run.scene(path, 'live'));
  }
  return recorder.finish(run.scene(path, 'ended'), `${trace.name} with ${policy}`, []);
}

function recordingReport(path: string): ReportData {
  const recording = new Recording(path);
  try {
    const { header, cutBytes } = recording;
    const session = new Session({
      source: header.source,
      ...(header.program !== undefined && { program: header.program }),
      siteName: (site, bundleId) => recording.siteName(site, bundleId),
    });
    const recorder = new ReportRecorder();
    for (const entry of recording.entries()) {
      if (entry.kind === 'line') session.push(entry.bytes);
      else session.setMark(entry.text);
      recorder.moment(session.elapsedMs, () => session.scene('live'));
    }
    const cut = cutBytes > 0 ? [`The file was cut: ${plural(cutBytes, 'byte')} at its end are no whole record.`] : [];
    const title = [header.program, header.board].filter(Boolean).join(' on ') || header.source;
    return recorder.finish(session.scene('ended'), title, [
      `Recorded ${header.startedAt} from ${header.source}.`,
      ...cut,
    ]);
  } finally {
    recording.close();
  }
}
