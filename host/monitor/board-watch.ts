/**
 * One board that is watched, whoever shows it: its line opened again when it was lost, its session, its recording, and
 * what a fleet's metrics ask of it.
 */
import type { Keeper } from './keeper.ts';
import type { Session } from './session.ts';
import { type WatchOptions, watch } from './watch.ts';

/** 20 frames a second. */
const STEP_MS = 50;

export interface BoardOptions {
  /** What people call it. */
  name: string;
  port: string;
  keeper: Keeper;
  /** The open line; null for one that is not there yet and is waited for. */
  transport: WatchOptions['transport'];
  reopen: WatchOptions['reopen'];
  onLost?: (reason: string) => void;
  onBack?: () => void;
}

export type RunOptions = Pick<WatchOptions, 'signal' | 'forMs' | 'paced'> & {
  onMoment?: () => Promise<void> | void;
  /** Sees the bytes after the session did. */
  onBytes?: WatchOptions['onBytes'];
};

export class BoardWatch {
  readonly name: string;
  readonly port: string;
  readonly keeper: Keeper;
  readonly startedAtMs = Date.now();
  reconnects = 0;
  isOpen: boolean;
  heardAtMs: number | null = null;
  /** How long the open line brought no frame, on its own clock, behind the last one; 0 before the first. */
  silentMs = 0;
  /** Why the line is lost, for people; null while it is open. */
  lostBecause: string | null = null;
  readonly #options: BoardOptions;

  constructor(options: BoardOptions) {
    this.name = options.name;
    this.port = options.port;
    this.keeper = options.keeper;
    this.isOpen = options.transport !== null;
    this.#options = options;
  }

  get session(): Session {
    return this.keeper.session;
  }

  get state(): 'live' | 'lost' {
    return this.isOpen ? 'live' : 'lost';
  }

  /** Until the time is over or `signal` aborts. */
  async run({ signal, forMs, paced, onMoment, onBytes }: RunOptions): Promise<void> {
    const { transport, reopen, onLost, onBack } = this.#options;
    const { session } = this;
    let wasLost = transport === null;
    let everOpen = !wasLost;
    let framesHeard = 0;
    let heardAtLineMs: number | null = null;
    try {
      await watch({
        transport,
        reopen,
        stepMs: STEP_MS,
        signal,
        paced,
        ...(forMs !== undefined && { forMs }),
        onBytes: (bytes) => {
          const { frames } = session.decoder.statistics;
          this.keeper.hear(bytes);
          if (session.decoder.statistics.frames > frames) this.heardAtMs = Date.now();
          onBytes?.(bytes);
        },
        onLost: (reason) => {
          this.isOpen = false;
          this.lostBecause = reason;
          session.say(`the line is lost: ${reason}; waiting for it`);
          if (!wasLost) onLost?.(reason);
          wasLost = true;
        },
        onBack: () => {
          this.isOpen = true;
          this.lostBecause = null;
          if (everOpen) this.reconnects++;
          everOpen = true;
          wasLost = false;
          session.say('the line is back');
          onBack?.();
        },
        onMoment: (lineMs) => {
          const { frames } = session.decoder.statistics;
          if (lineMs === null || frames > framesHeard) heardAtLineMs = lineMs;
          framesHeard = frames;
          this.silentMs = lineMs === null || heardAtLineMs === null ? 0 : lineMs - heardAtLineMs;
          return onMoment?.();
        },
      });
    } finally {
      this.isOpen = false;
    }
  }
}
