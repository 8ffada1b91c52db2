/** `heapglass monitor`: the heaps of boards, live, over any line. */
import { exitCodes, Problem } from '../../boards/problem.ts';
import { usageProblem } from '../arguments.ts';
import type { Command, Io } from '../command.ts';
import { startExport } from '../metrics/export.ts';
import { otlpUrl } from '../metrics/push.ts';
import { defaultScrapeAddress, parseScrapeAddress, scrapeAddressPattern } from '../metrics/serve.ts';
import { TelemetryDecoder } from '../model/decoder.ts';
import type { BoardWatch } from '../monitor/board-watch.ts';
import { jsonEvents } from '../monitor/json-events.ts';
import { namedPorts, openBoards } from '../monitor/open-boards.ts';
import { showBoards } from '../monitor/show-boards.ts';
import { openTransport } from '../transport/open.ts';
import { bytesText } from '../view/units.ts';

/** A line of JSON an event; behind the board's name when there are several. */
async function writeJson(boards: readonly BoardWatch[], forMs: number | undefined, io: Io): Promise<void> {
  await Promise.all(
    boards.map((board) => {
      const named = boards.length > 1 ? { board: board.name } : {};
      const decoder = new TelemetryDecoder(jsonEvents((line) => io.out(line), named));
      return board.run({
        signal: io.signal,
        paced: forMs === undefined,
        ...(forMs !== undefined && { forMs }),
        onBytes: (bytes) => decoder.push(bytes),
      });
    }),
  );
}

/** A watch that ends without a single frame says so, with what came instead. */
function nothingHeard({ session, port }: BoardWatch): Problem | null {
  const { frames, bytes, textBytes } = session.decoder.statistics;
  if (frames > 0) return null;
  return new Problem(
    exitCodes.noBoard,
    `no telemetry came from ${port}`,
    [
      bytes === 0
        ? 'not one byte came'
        : `${bytesText(bytes)} came, ${bytesText(textBytes)} of them text, none of it a telemetry frame`,
      ...(session.noise === null ? [] : [session.noise]),
    ],
    'Flash a program that uses Heapglass (`heapglass flash`), and check --baud.',
  );
}

export const command: Command = {
  name: 'monitor',
  summary: "shows boards' heaps live, over serial ports, tcp:// or virtual boards",
  positionals: '[[NAME=]PORT...]',
  options: {
    port: {
      type: 'string',
      short: 'p',
      value: 'PORT',
      help: 'a path, COMn, tcp://HOST:PORT, rfc2217://HOST:PORT or sim:BOARD; the same as naming it without --port',
    },
    baud: { type: 'string', value: 'RATE', help: 'rate of a serial line; 115200 if not given' },
    seconds: { type: 'string', value: 'N', help: 'end after this long; until Ctrl-C if not given' },
    record: { type: 'string', value: 'FILE', help: 'keep everything the line brings, for replay, report and export' },
    json: { type: 'boolean', help: 'a line of JSON an event' },
    prometheus: {
      type: 'string',
      value: 'HOST:PORT',
      assumed: { value: defaultScrapeAddress, pattern: scrapeAddressPattern },
      help: `serve metrics for Prometheus; at ${defaultScrapeAddress} if not given`,
    },
    otlp: { type: 'string', value: 'URL', help: 'push metrics to an OpenTelemetry collector: http://HOST:4318' },
  },
  notes: `Keys: q quit, p pause, left and right go through the past, End back to now, / filters the sites, m sets a mark.
In a pipe: a line a second. A lost line is opened again, and the session goes on.
Several boards: Tab and the digits choose the one that is shown. The metrics are in docs/metrics.md.

  heapglass monitor --port /dev/ttyACM0
  heapglass monitor --port /dev/ttyACM0 --record night.hgrec
  heapglass monitor --port tcp://127.0.0.1:4000 --seconds 10 --json
  heapglass monitor kitchen=/dev/ttyACM0 garden=tcp://10.0.0.7:4000 --prometheus`,
  async run(args, io) {
    const ports = namedPorts([...(args.text('port') === undefined ? [] : [args.text('port')!]), ...args.positionals]);
    if (ports.length === 0) {
      throw usageProblem('monitor', 'it needs a port', ['`heapglass ports` lists what is connected']);
    }
    const baud = args.number('baud', 1);
    const seconds = args.number('seconds', 1);
    const scrape = args.text('prometheus');
    const otlp = args.text('otlp');
    const exported = {
      prometheus: scrape === undefined ? null : parseScrapeAddress(scrape),
      otlp: otlp === undefined ? null : otlpUrl(otlp),
    };
    const boards = await openBoards(
      ports,
      {
        open: (port) => openTransport(port, baud === undefined ? {} : { baud }),
        record: args.text('record'),
        printsText: !args.flag('json'),
      },
      io,
    );
    try {
      const endExport = await startExport(boards, exported, io);
      try {
        const forMs = seconds === undefined ? undefined : seconds * 1000;
        if (args.flag('json')) await writeJson(boards, forMs, io);
        else await showBoards(boards, forMs === undefined ? {} : { forMs }, io);
      } finally {
        await endExport();
      }
      const silent = boards.map(nothingHeard);
      if (silent.every((problem) => problem !== null) && !io.signal.aborted) throw silent[0];
      return exitCodes.done;
    } finally {
      for (const { keeper } of boards) keeper.close();
    }
  },
};
