/**
 * Watches an open line for as long as wanted: feeds the session, and when the line is lost opens it again, with the
 * session as it was. A port that comes back later is waited for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '../../boards/problem.ts';
import type { Transport } from '../transport/transport.ts';

export interface WatchOptions {
  /** The open line, which is closed at the end; null when it is not there yet. */
  transport: Transport | null;
  /** Opens it again after it was lost. */
  reopen: () => Promise<Transport>;
  onBytes: (bytes: Uint8Array) => void;
  /** The line was lost, or is still not back; `reason` is for people. */
  onLost: (reason: string) => void;
  onBack: () => void;
  /** Called every `stepMs` of the line's clock, which it gets, while it is open, and of the wall clock while it is lost. */
  onMoment: (lineMs: number | null) => Promise<void> | void;
  stepMs: number;
  signal: AbortSignal;
  /** Ends after this long on the line's clock, and on the wall clock while it is lost; never when not given. */
  forMs?: number;
  /** Virtual time passes no faster than the wall clock. */
  paced: boolean;
  /** Between two attempts to open a lost line. */
  retryMs?: number;
}

const RETRY_MS = 1000;

export async function watch(options: WatchOptions): Promise<void> {
  let { transport } = options;
  let leftMs = options.forMs ?? Number.POSITIVE_INFINITY;
  for (;;) {
    if (transport !== null) leftMs -= await watchOnce(transport, options, leftMs);
    if (options.signal.aborted || leftMs <= 0) return;
    // A line that stays lost is no reason to wait longer than was asked for.
    const lostAtMs = performance.now();
    transport = await openAgain(options, lostAtMs + leftMs);
    if (transport === null) return;
    leftMs -= performance.now() - lostAtMs;
    options.onBack();
  }
}

/** Until the line is lost, the time is over or the user ends it; returns how long on the line's clock. */
async function watchOnce(transport: Transport, options: WatchOptions, forMs: number): Promise<number> {
  const { clock } = transport;
  const startMs = clock.nowMs();
  let isLost = false;
  if (options.paced) transport.setRealTime?.(true);
  transport.onData(options.onBytes);
  transport.onClose((reason) => {
    isLost = true;
    options.onLost(reason);
  });
  try {
    while (!isLost && !options.signal.aborted && clock.nowMs() - startMs < forMs) {
      await clock.sleep(options.stepMs);
      await options.onMoment(clock.nowMs());
    }
    return clock.nowMs() - startMs;
  } finally {
    await transport.close().catch(() => {});
  }
}

/** Null when `untilMs` of the wall clock has come, or the user ends it. */
async function openAgain(
  { reopen, onLost, onMoment, signal, retryMs = RETRY_MS }: WatchOptions,
  untilMs: number,
): Promise<Transport | null> {
  while (!signal.aborted && performance.now() < untilMs) {
    await sleep(Math.min(retryMs, Math.max(0, untilMs - performance.now())), undefined, { signal }).catch(() => {});
    if (signal.aborted) break;
    await onMoment(null);
    try {
      return await reopen();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      onLost(error.message);
    }
  }
  return null;
}
