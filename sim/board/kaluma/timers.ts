/**
 * Kaluma's timers: milliseconds of its loop, which reads the clock once a turn. A timer runs in the first turn whose
 * millisecond is past its own, so an interval of N first runs N + 1 ms after it was set, then each N.
 * Source: kaluma-project/kaluma@1.2.1 src/io.c km_io_timer_start, km_io_timer_run; src/global.c set_timer_cb.
 */
interface Timer {
  readonly id: number;
  readonly callback: unknown;
  readonly intervalMs: number;
  readonly repeats: boolean;
  dueMs: number;
}

/** The terminal's handle has id 0, that of the queued jobs 1. */
const firstId = 2;

export class KalumaTimers {
  #timers: Timer[] = [];
  #nextId = firstId;
  /** The loop's clock, in milliseconds since boot. */
  loopMs = 0;

  set(callback: unknown, delayMs: number, repeats: boolean): number {
    const intervalMs = Math.max(0, Math.trunc(delayMs) || 0);
    const timer = { id: this.#nextId++, callback, intervalMs, repeats, dueMs: this.loopMs + intervalMs };
    this.#timers.push(timer);
    return timer.id;
  }

  clear(id: number): void {
    this.#timers = this.#timers.filter((timer) => timer.id !== id);
  }

  clearAll(): void {
    this.#timers = [];
  }

  /** Calls what is due; a callback that fails loses its timer. */
  *run<Step>(call: (callback: unknown) => Generator<Step, boolean, void>): Generator<Step, void, void> {
    for (const timer of [...this.#timers]) {
      if (timer.dueMs >= this.loopMs || !this.#timers.includes(timer)) continue;
      timer.dueMs += timer.intervalMs;
      if (!timer.repeats) timer.dueMs = Number.POSITIVE_INFINITY;
      const goesOn = yield* call(timer.callback);
      if (!goesOn || !timer.repeats) this.clear(timer.id);
    }
  }

  /** The millisecond of the next turn that has something to call; null without timers. */
  nextMs(): number | null {
    const due = Math.min(...this.#timers.map((timer) => timer.dueMs));
    return Number.isFinite(due) ? due + 1 : null;
  }
}
