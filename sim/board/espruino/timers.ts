/**
 * Espruino's timers: kept as time left since the last turn of the loop, so that they are exact to the loop's turn, and
 * an interval keeps its rhythm. Source: espruino/Espruino@c5ff787b1 src/jswrap_interactive.c, src/jsinteractive.c jsiIdle.
 */
import { nsPerMs } from '../time.ts';

const leastMs = 0.1;
const longestMs = 100 * 365 * 24 * 3600 * 1000;

interface Timer {
  readonly id: number;
  readonly callback: unknown;
  readonly args: readonly unknown[];
  intervalNs: number | null;
  dueNs: number;
}

export class EspruinoTimers {
  #timers: Timer[] = [];

  /** The id, or null when the interval is too long. */
  set(callback: unknown, ms: unknown, args: readonly unknown[], repeats: boolean, nowNs: number): number | null {
    const asked = Number(ms);
    const intervalMs = Number.isNaN(asked) || asked < leastMs ? leastMs : asked;
    if (intervalMs > longestMs) return null;
    const intervalNs = Math.round(intervalMs * nsPerMs);
    // The lowest number above all that are in use, as an array's length grows.
    const id = Math.max(0, ...this.#timers.map((timer) => timer.id)) + 1;
    this.#timers.push({ id, callback, args, intervalNs: repeats ? intervalNs : null, dueNs: nowNs + intervalNs });
    return id;
  }

  clear(id: number): void {
    this.#timers = this.#timers.filter((timer) => timer.id !== id);
  }

  clearAll(): void {
    this.#timers = [];
  }

  change(id: number, ms: number, nowNs: number): void {
    const timer = this.#timers.find((one) => one.id === id);
    if (!timer) return;
    const intervalNs = Math.round(Math.max(leastMs, ms) * nsPerMs);
    if (timer.intervalNs !== null) timer.intervalNs = intervalNs;
    timer.dueNs = nowNs + intervalNs;
  }

  /** Runs what is due at `nowNs`; a callback that says false loses its interval. */
  *run<Step>(
    nowNs: number,
    call: (callback: unknown, args: readonly unknown[]) => Generator<Step, boolean, void>,
  ): Generator<Step, boolean, void> {
    let hasRun = false;
    for (const timer of [...this.#timers]) {
      if (timer.dueNs > nowNs || !this.#timers.includes(timer)) continue;
      hasRun = true;
      const goesOn = yield* call(timer.callback, timer.args);
      if (goesOn && timer.intervalNs !== null) timer.dueNs += timer.intervalNs;
      else this.clear(timer.id);
    }
    return hasRun;
  }

  get count(): number {
    return this.#timers.length;
  }

  nextNs(): number | null {
    return this.#timers.length === 0 ? null : Math.min(...this.#timers.map((timer) => timer.dueNs));
  }
}
