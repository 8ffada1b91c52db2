/** `heapglass monitor`: a board's heap, live, over any line. */
import { exitCodes, Problem } from '../../boards/problem.ts';
import { usageProblem } from '../arguments.ts';
import { siteNames } from '../bundle-store.ts';
import type { Command, Io } from '../command.ts';
import { TelemetryDecoder } from '../model/decoder.ts';
import { Controls, KEYS } from '../monitor/controls.ts';
import { History } from '../monitor/history.ts';
import { jsonEvents } from '../monitor/json-events.ts';
import { Keeper } from '../monitor/keeper.ts';
import { readKeys } from '../monitor/keyboard.ts';
import { Session } from '../monitor/session.ts';
import { watch } from '../monitor/watch.ts';
import { RecordingWriter } from '../recording/writer.ts';
import { PortFollower } from '../transport/follow.ts';
import type { Transport } from '../transport/transport.ts';
import { visible } from '../view/escape.ts';
import { liveView } from '../view/live-view.ts';
import { bytesText } from '../view/units.ts';

/** 20 frames a second. */
const STEP_MS = 50;

interface Wishes {
  port: string;
  record: RecordingWriter | null;
  forMs: number | undefined;
  transport: Transport;
  reopen: () => Promise<Transport>;
}

/** What `flash --monitor` hands over. */
export interface LiveWishes {
  session?: Session;
  until?: AbortSignal;
  onMoment?: () => void;
  /** Whether a virtual board keeps to the wall clock. */
  paced?: boolean;
}

/** The session of a live view: what the board prints goes to a pipe's stderr. */
export function liveSession(port: string, io: Io): Session {
  return new Session({
    source: port,
    siteName: siteNames(),
    onText: (line) => {
      if (!io.isTerminal && line.trim() !== '') io.err(`board: ${visible(line, 200)}\n`);
    },
  });
}

/** Shows `session` until its time is over, Ctrl-C, or `until`; a lost line is opened again with `reopen`. */
export async function showLive(wishes: Wishes & LiveWishes, io: Io): Promise<Session> {
  const { port, record, forMs, transport, reopen, until, onMoment, session = liveSession(port, io) } = wishes;
  const stop = new AbortController();
  const signal = AbortSignal.any([io.signal, stop.signal, ...(until ? [until] : [])]);
  const history = new History();
  const keeper = new Keeper(session, record);
  const controls = new Controls(history, { quit: () => stop.abort(), mark: () => keeper.mark() });
  let state: 'live' | 'lost' = 'live';
  let saidNoise = false;
  const view = liveView(io, KEYS);
  const release = readKeys((key) => controls.press(key));
  try {
    await watch({
      transport,
      reopen,
      stepMs: STEP_MS,
      signal,
      paced: wishes.paced ?? (io.isTerminal || forMs === undefined),
      ...(forMs !== undefined && { forMs }),
      onBytes: (bytes) => keeper.hear(bytes),
      onLost: (reason) => {
        if (state === 'live' && !io.isTerminal) io.err(`the line is lost: ${reason}; waiting for it\n`);
        state = 'lost';
        session.say(`the line is lost: ${reason}; waiting for it`);
      },
      onBack: () => {
        state = 'live';
        if (!io.isTerminal) io.err('the line is back\n');
        session.say('the line is back');
      },
      onMoment: () => {
        onMoment?.();
        history.add(session.elapsedMs, () => session.scene(state));
        view.show(() => controls.shown(() => session.scene(state)));
        if (session.noise !== null && !saidNoise && !io.isTerminal) io.err(`${session.noise}\n`);
        saidNoise ||= session.noise !== null;
      },
    });
  } finally {
    release();
    view.finish(session.scene('ended'));
  }
  return session;
}

async function writeJson({ port, record, forMs, transport, reopen }: Wishes, io: Io): Promise<Session> {
  const session = new Session({ source: port, siteName: siteNames() });
  const keeper = new Keeper(session, record);
  const decoder = new TelemetryDecoder(jsonEvents((line) => io.out(line)));
  await watch({
    transport,
    reopen,
    stepMs: STEP_MS,
    signal: io.signal,
    paced: forMs === undefined,
    ...(forMs !== undefined && { forMs }),
    onBytes: (bytes) => {
      keeper.hear(bytes);
      decoder.push(bytes);
    },
    onLost: (reason) => io.err(`the line is lost: ${reason}; waiting for it\n`),
    onBack: () => io.err('the line is back\n'),
    onMoment: () => {},
  });
  return session;
}

/** A watch that ends without a single frame says so, with what came instead. */
export function nothingHeard(session: Session, port: string): Problem | null {
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
  summary: "shows a board's heap live, over a serial port, tcp:// or a virtual board",
  positionals: '',
  options: {
    port: {
      type: 'string',
      short: 'p',
      value: 'PORT',
      help: 'a path, COMn, tcp://HOST:PORT, rfc2217://HOST:PORT, sim:BOARD or rp2040js:IMAGE',
    },
    baud: { type: 'string', value: 'RATE', help: 'rate of a serial line; 115200 if not given' },
    seconds: { type: 'string', value: 'N', help: 'end after this long; until Ctrl-C if not given' },
    record: { type: 'string', value: 'FILE', help: 'keep everything the line brings, for replay, report and export' },
    json: { type: 'boolean', help: 'a line of JSON an event' },
  },
  notes: `Keys: q quit, p pause, left and right go through the past, End back to now, / filters the sites, m sets a mark.
In a pipe: a line a second. A lost line is opened again, and the session goes on.

  heapglass monitor --port /dev/ttyACM0
  heapglass monitor --port /dev/ttyACM0 --record night.hgrec
  heapglass monitor --port tcp://127.0.0.1:4000 --seconds 10 --json`,
  async run(args, io) {
    const port = args.text('port');
    if (port === undefined || args.positionals.length > 0) {
      throw usageProblem('monitor', 'it takes --port, and no file', ['`heapglass ports` lists what is connected']);
    }
    const baud = args.number('baud', 1);
    const seconds = args.number('seconds', 1);
    const path = args.text('record');
    const record =
      path === undefined ? null : new RecordingWriter(path, { startedAt: new Date().toISOString(), source: port });
    const follower = new PortFollower(port, baud === undefined ? {} : { baud });
    const open = () => follower.open();
    try {
      const forMs = seconds === undefined ? undefined : seconds * 1000;
      const wishes: Wishes = { port, record, forMs, transport: await open(), reopen: open };
      const session = await (args.flag('json') ? writeJson(wishes, io) : showLive(wishes, io));
      const silent = nothingHeard(session, port);
      if (silent !== null && !io.signal.aborted) throw silent;
      return exitCodes.done;
    } finally {
      record?.close();
    }
  },
};
