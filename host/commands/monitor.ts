/** `heapglass monitor`: the heaps of boards, live, over any line. */
import { join } from 'node:path';
import { loadBoard } from '../../boards/board.ts';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { usageProblem } from '../arguments.ts';
import { rememberBundle } from '../bundle-store.ts';
import type { Command, Io } from '../command.ts';
import { prepareProgram } from '../flash/prepare.ts';
import { startExport } from '../metrics/export.ts';
import { otlpUrl } from '../metrics/push.ts';
import { defaultScrapeAddress } from '../metrics/serve.ts';
import { TelemetryDecoder } from '../model/decoder.ts';
import type { BoardWatch } from '../monitor/board-watch.ts';
import { jsonEvents } from '../monitor/json-events.ts';
import { namedPorts, openBoards } from '../monitor/open-boards.ts';
import { showBoards } from '../monitor/show-boards.ts';
import { watchVerdict } from '../monitor/verdict.ts';
import { recordingPath } from '../recording/path.ts';
import { defaultWebAddress, listenPattern, parseListen } from '../serve/listen-address.ts';
import { scratchFolder, serveBoards } from '../serve/monitor-web.ts';
import { writePage } from '../serve/page.ts';
import { WatchedBoard } from '../serve/watched-board.ts';
import { PortFollower } from '../transport/follow.ts';
import { bytesText } from '../view/units.ts';

/** What a page's own recording takes: a day of a full line at 115200 baud. */
const scratchMegabytes = 1000;

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

/** The program of a virtual board, bundled for it; a usage Problem for a port that is none. */
async function virtualProgram(port: string, program: string): Promise<string> {
  if (!port.startsWith('sim:')) {
    throw usageProblem('monitor', '--program is for virtual boards', ['a real board gets one with `heapglass flash`']);
  }
  const { code, bundle } = await prepareProgram(program, loadBoard(port.slice('sim:'.length)), {});
  if (bundle !== null) rememberBundle(bundle, program);
  return new TextDecoder().decode(code);
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
      help: 'a path, COMn, tcp://HOST:PORT, rfc2217://HOST:PORT, sim:BOARD or rp2040js:IMAGE; the same as naming it without --port',
    },
    web: {
      type: 'string',
      value: '[HOST:]PORT',
      assumed: { value: defaultWebAddress, pattern: listenPattern },
      help: `a page in the browser instead of the terminal; at ${defaultWebAddress} if not given`,
    },
    page: { type: 'string', value: 'FILE', help: 'write the page as a file that works without a server, and end' },
    program: { type: 'string', value: 'FILE', help: 'what virtual boards (sim:BOARD) run from the start' },
    baud: { type: 'string', value: 'RATE', help: 'rate of a serial line; 115200 if not given' },
    seconds: { type: 'string', value: 'N', help: 'end after this long; until Ctrl-C if not given' },
    record: { type: 'string', value: 'FILE', help: 'keep everything the line brings, for replay, report and export' },
    limit: {
      type: 'string',
      value: 'MB',
      help: `a recording grows no larger; without --record, --web keeps ${scratchMegabytes} MB a board`,
    },
    json: { type: 'boolean', help: 'a line of JSON an event' },
    prometheus: {
      type: 'string',
      value: 'HOST:PORT',
      assumed: { value: defaultScrapeAddress, pattern: listenPattern },
      help: `serve metrics for Prometheus; at ${defaultScrapeAddress} if not given`,
    },
    otlp: { type: 'string', value: 'URL', help: 'push metrics to an OpenTelemetry collector: http://HOST:4318' },
  },
  notes: `Keys: q quit, p pause, left and right go through the past, End back to now, / filters the sites, m sets a mark.
In a pipe: a line a second. A lost line is opened again, and the session goes on.
Exit code 10: a request of a board's heap failed, or its engine ran out of memory; 4: nothing answers, or nothing did for
the last 5 s.
Several boards: Tab and the digits choose the one that is shown. The metrics are in docs/metrics.md.

  heapglass monitor --port /dev/ttyACM0
  heapglass monitor --port /dev/ttyACM0 --record night.hgrec
  heapglass monitor --port tcp://127.0.0.1:4000 --seconds 10 --json
  heapglass monitor sim:kaluma-pico sim:puckjs --program examples/leaky-sensor.js --web
  heapglass monitor --page heapglass.html
  heapglass monitor kitchen=/dev/ttyACM0 garden=tcp://10.0.0.7:4000 --prometheus`,
  async run(args, io) {
    const page = args.text('page');
    if (page !== undefined) return writePage(page, io);
    const ports = namedPorts([...(args.text('port') === undefined ? [] : [args.text('port')!]), ...args.positionals]);
    if (ports.length === 0) {
      throw usageProblem('monitor', 'it needs a port', ['`heapglass ports` lists what is connected']);
    }
    const baud = args.number('baud', 1);
    const seconds = args.number('seconds', 1);
    const scrape = args.text('prometheus');
    const otlp = args.text('otlp');
    const exported = {
      prometheus: scrape === undefined ? null : parseListen(scrape, '--prometheus'),
      otlp: otlp === undefined ? null : otlpUrl(otlp),
    };
    const web = args.text('web') === undefined ? null : parseListen(args.text('web')!);
    const limit =
      args.number('limit', 1) ?? (web !== null && args.text('record') === undefined ? scratchMegabytes : null);
    const program = args.text('program');
    const followers = new Map<string, PortFollower>();
    const open = async (port: string) => {
      const options = {
        ...(baud !== undefined && { baud }),
        ...(program !== undefined && { program: await virtualProgram(port, program) }),
      };
      const follower = followers.get(port) ?? new PortFollower(port, options);
      followers.set(port, follower);
      return follower.open();
    };
    // What a page shows is a recording; the user's, or one that goes when the watch ends.
    const scratch = web !== null && args.text('record') === undefined ? scratchFolder() : null;
    const record = scratch === null ? args.text('record') : join(scratch.path, 'board.hgrec');
    const boards = await openBoards(
      ports,
      { open, record, ...(limit !== null && { mostBytes: limit * 1e6 }), printsText: !args.flag('json') },
      io,
    ).catch((error: unknown) => {
      scratch?.remove();
      throw error;
    });
    try {
      const endExport = await startExport(boards, exported, io);
      try {
        const forMs = seconds === undefined ? undefined : seconds * 1000;
        if (web !== null) {
          const watched = boards.map(
            (board, index) => new WatchedBoard(board, recordingPath(record!, index, boards.length)),
          );
          await serveBoards(
            watched,
            { listen: web, json: args.flag('json'), ...(forMs !== undefined && { forMs }) },
            io,
          );
        } else if (args.flag('json')) await writeJson(boards, forMs, io);
        else await showBoards(boards, forMs === undefined ? {} : { forMs }, io);
      } finally {
        await endExport();
      }
      for (const { keeper } of boards) if (keeper.record?.problem) throw keeper.record.problem;
      const silent = boards.map(nothingHeard);
      if (silent.every((problem) => problem !== null) && !io.signal.aborted) throw silent[0];
      const verdict = watchVerdict(boards);
      if (verdict !== null) throw verdict;
      return exitCodes.done;
    } finally {
      for (const { keeper } of boards) keeper.close();
      scratch?.remove();
    }
  },
};
