/**
 * `flash --monitor`: from the started program straight to the live heap, on the same open line. When the line is lost
 * it is opened again, with the session as it was.
 */
import type { Problem } from '../../boards/problem.ts';
import type { Io } from '../command.ts';
import { BoardWatch } from '../monitor/board-watch.ts';
import { Keeper } from '../monitor/keeper.ts';
import type { Session } from '../monitor/session.ts';
import { showBoards } from '../monitor/show-boards.ts';
import { watchVerdict } from '../monitor/verdict.ts';
import type { Transport } from '../transport/transport.ts';

export interface HandOver {
  /** Milliseconds from `startedMs` to the first exact heap map, on the line's clock; null when none came. */
  firstMapMs: number | null;
  /** What was wrong with the board when it was left; null when nothing was. */
  verdict: Problem | null;
}

export interface HandOverOptions {
  /** On the transport's clock: when the command began. */
  startedMs: number;
  /** Opens the line again after it was lost. */
  reopen: () => Promise<Transport>;
  /** Ends by itself after this long; without it with Ctrl-C. */
  forMs?: number;
  /** Shows nothing: for --json. */
  isQuiet?: boolean;
  /** Ends it as well: a source file that changed. */
  until?: AbortSignal;
}

/** Shows what comes on `transport` until it ends, and closes it. Bytes that came before are in the session already. */
export async function handOver(
  transport: Transport,
  session: Session,
  io: Io,
  { startedMs, reopen, forMs, isQuiet = false, until }: HandOverOptions,
): Promise<HandOver> {
  const over: HandOver = { firstMapMs: null, verdict: null };
  const onMoment = () => {
    if (over.firstMapMs === null && session.model.arenaBytes > 0 && session.model.exact) {
      over.firstMapMs = transport.clock.nowMs() - startedMs;
    }
  };
  const say = (text: string) => {
    if (isQuiet || !io.isTerminal) io.err(`${text}\n`);
  };
  const board = new BoardWatch({
    name: transport.name,
    port: transport.name,
    keeper: new Keeper(session, null),
    transport,
    reopen,
    onLost: (reason) => say(`the line is lost: ${reason}; waiting for it`),
    onBack: () => say('the line is back'),
  });
  const limit = { ...(forMs !== undefined && { forMs }), onMoment };
  if (isQuiet) {
    await board.run({ ...limit, paced: false, signal: until ? AbortSignal.any([io.signal, until]) : io.signal });
  } else {
    // Who looks on sees a virtual board at its own pace.
    await showBoards([board], { ...limit, paced: true, ...(until && { until }) }, io);
  }
  over.verdict = watchVerdict([board]);
  return over;
}
