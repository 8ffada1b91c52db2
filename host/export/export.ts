/**
 * A recording in other tools' formats. Each format is a function that streams text through `write`; nothing is held
 * beyond the heap model, so a long recording needs no more memory than a short one.
 */
import { jsonEvents } from '../monitor/json-events.ts';
import { exportChromeTrace } from './chrome-trace.ts';
import { exportCsv } from './csv.ts';
import type { Exporter } from './exporter.ts';
import { exportSpeedscope } from './speedscope.ts';

export const exporters: Record<string, { summary: string; run: Exporter }> = {
  csv: {
    summary: 'a row a frame: time, live, peak, free and largest free bytes, fragmentation, losses',
    run: exportCsv,
  },
  jsonl: {
    summary: 'a line of JSON an event, as `monitor --json` writes it',
    run: (recording, write) => {
      const events = jsonEvents(write);
      recording.play({
        ...events,
        userMark: ({ atMs, text }) => write(`${JSON.stringify({ t: atMs, event: 'userMark', text })}\n`),
      });
    },
  },
  chrome: {
    summary: 'Trace Event Format for chrome://tracing and Perfetto: counters, failures, marks, gaps',
    run: exportChromeTrace,
  },
  speedscope: {
    summary: 'for speedscope.app: bytes by call site, live at the end and made in all',
    run: exportSpeedscope,
  },
};
