/** `flash --monitor`: from the started program straight to the live heap, on the same open line. */
import type { Io } from '../command.ts';
import type { Session } from '../monitor/session.ts';
import type { Transport } from '../transport/transport.ts';
import { liveView } from '../view/live-view.ts';

/** 20 looks a second: what a terminal is redrawn at. */
const stepMs = 50;

export interface HandOver {
  /** Milliseconds from `startedMs` to the first exact heap map; null when none came. */
  firstMapMs: number | null;
  lostBecause: string | null;
}

export interface HandOverOptions {
  /** On the transport's clock: when the command began. */
  startedMs: number;
  /** Ends by itself after this long; without it, with Ctrl-C or the line. */
  forMs?: number;
  /** Shows nothing: for --json. */
  isQuiet?: boolean;
  /** Ends it as well: a source file that changed. */
  until?: AbortSignal;
}

/** Feeds the session from the transport and shows it until it ends. Bytes that came before are the session's already. */
export async function watchLine(
  transport: Transport,
  session: Session,
  io: Io,
  options: HandOverOptions,
): Promise<HandOver> {
  const { clock } = transport;
  const view = options.isQuiet ? null : liveView(io, 'Ctrl-C ends');
  const over: HandOver = { firstMapMs: null, lostBecause: null };
  transport.onData((bytes) => session.push(bytes));
  transport.onClose((reason) => {
    over.lostBecause = reason;
  });

  const endMs = options.forMs === undefined ? Number.POSITIVE_INFINITY : clock.nowMs() + options.forMs;
  for (;;) {
    if (over.firstMapMs === null && session.model.arenaBytes > 0 && session.model.exact) {
      over.firstMapMs = clock.nowMs() - options.startedMs;
    }
    const isOver = io.signal.aborted || options.until?.aborted || over.lostBecause !== null || clock.nowMs() >= endMs;
    if (isOver) break;
    view?.show(() => session.scene('live'));
    await clock.sleep(stepMs, io.signal);
  }
  view?.finish(session.scene('ended'));
  return over;
}
