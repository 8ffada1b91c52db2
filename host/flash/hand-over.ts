/**
 * `flash --monitor`: from the started program straight to the live heap, on the same open line. When the line is lost
 * it is opened again, with the session as it was.
 */
import type { Io } from '../command.ts';
import { showLive } from '../commands/monitor.ts';
import type { Session } from '../monitor/session.ts';
import { watch } from '../monitor/watch.ts';
import type { Transport } from '../transport/transport.ts';

/** 20 looks a second: what a terminal is redrawn at. */
const stepMs = 50;

export interface HandOver {
  /** Milliseconds from `startedMs` to the first exact heap map, on the line's clock; null when none came. */
  firstMapMs: number | null;
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
  const over: HandOver = { firstMapMs: null };
  const onMoment = () => {
    if (over.firstMapMs === null && session.model.arenaBytes > 0 && session.model.exact) {
      over.firstMapMs = transport.clock.nowMs() - startedMs;
    }
  };
  const common = { ...(forMs !== undefined && { forMs }), onMoment };
  if (isQuiet) {
    await watch({
      ...common,
      ...{ transport, reopen, stepMs, paced: false, signal: until ? AbortSignal.any([io.signal, until]) : io.signal },
      onBytes: (bytes) => session.push(bytes),
      onLost: (reason) => io.err(`the line is lost: ${reason}; waiting for it\n`),
      onBack: () => io.err('the line is back\n'),
    });
  } else {
    // Who looks on sees a virtual board at its own pace.
    await showLive(
      {
        port: transport.name,
        record: null,
        transport,
        reopen,
        session,
        paced: true,
        ...common,
        forMs,
        ...(until && { until }),
      },
      io,
    );
  }
  return over;
}
