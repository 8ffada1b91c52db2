// What a board's engine gives a bundle, in Node: a clock that a test advances, timers, and a console that keeps what is
// written to it. Only the names that the engine has.
import vm from 'node:vm';
import type { Board } from '../../boards/board.ts';

interface Timer {
  everyMs: number;
  dueMs: number;
  callback: () => void;
  once: boolean;
}

export class FakeEngine {
  nowMs = 0;
  /** Each raw write to the console. */
  readonly written: Uint8Array[] = [];
  /** What print and console.log said. */
  readonly printed: string[] = [];
  /** The engine's heap: each answer about it takes `answer`. */
  readonly memory = { used: 1000, total: 2250, answer: 0 };
  readonly #timers = new Map<number, Timer>();
  #nextTimer = 1;
  readonly #globals: Record<string, unknown>;

  constructor(board: Board, extra: Record<string, unknown> = {}) {
    const write = (bytes: Uint8Array): void => void this.written.push(Uint8Array.from(bytes));
    const print = (...values: unknown[]): void => void this.printed.push(values.join(' '));
    const start = (callback: () => void, ms: number, once: boolean): number => {
      const everyMs = Math.max(1, ms);
      this.#timers.set(this.#nextTimer, { everyMs, dueMs: this.nowMs + everyMs, callback, once });
      return this.#nextTimer++;
    };
    const shared = {
      setInterval: (callback: () => void, ms: number) => start(callback, ms, false),
      setTimeout: (callback: () => void, ms: number) => start(callback, ms, true),
      clearInterval: (id: number) => this.#timers.delete(id),
      clearTimeout: (id: number) => this.#timers.delete(id),
      console: { log: print },
      print,
    };
    const device = { write };
    const memory = (): Record<string, number> => {
      const { used, total } = this.memory;
      this.memory.used += this.memory.answer;
      return { usage: used, heapUsed: used, total, heapTotal: total, blocksize: 13 };
    };
    const own: Record<string, unknown> =
      board.engine === 'kaluma'
        ? {
            millis: () => this.nowMs,
            micros: () => this.nowMs * 1000,
            process: { stdout: device, memoryUsage: () => memory() },
          }
        : {
            process: { memory: () => memory() },
            getTime: () => 1.7e9 + this.nowMs / 1000,
            E: { getConsole: () => 'Serial1' },
            Serial1: device,
          };
    this.#globals = { ...shared, ...own, ...extra };
    this.#globals.global = this.#globals;
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** Runs a bundle; what it made global can be called afterwards. */
  run(code: string): Record<string, (...args: unknown[]) => unknown> {
    vm.runInNewContext(code, this.#globals, { timeout: 10_000 });
    return this.#globals as Record<string, (...args: unknown[]) => unknown>;
  }

  /** Lets time pass, with the timers that come due, in their order. */
  advance(ms: number): void {
    const until = this.nowMs + ms;
    for (;;) {
      let next: [number, Timer] | undefined;
      for (const entry of this.#timers)
        if (entry[1].dueMs <= until && (!next || entry[1].dueMs < next[1].dueMs)) next = entry;
      if (!next) break;
      const [id, timer] = next;
      this.nowMs = timer.dueMs;
      if (timer.once) this.#timers.delete(id);
      else timer.dueMs += timer.everyMs;
      timer.callback();
    }
    this.nowMs = until;
  }
}
