/**
 * A virtual board in this process as a Transport, whose clock is the board's virtual time.
 *
 * A pump runs the board: one event, then a turn of the host's own event loop so that whatever the event woke can react,
 * then the next, whichever is first of the board's events and the host's sleeps. So the board's time stands still while
 * the host computes, a time-out of ten virtual seconds costs nothing when the board answers at once, and the same seed
 * gives the same bytes each time.
 *
 * The pump stands while neither the board nor a sleep has anything due, and ends with `close`; sleeps that are pending
 * then elapse at once.
 */
import { loadBoard } from '../../boards/board.ts';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { createVirtualBoard } from '../../sim/board/create.ts';
import { EventQueue } from '../../sim/board/event-queue.ts';
import { type Faults, parseFaults } from '../../sim/board/faults.ts';
import type { LineBoard } from '../../sim/board/line-board.ts';
import type { EngineFactory } from '../../sim/board/machine.ts';
import type { PinChange } from '../../sim/board/pins.ts';
import { nsPerMs } from '../../sim/board/time.ts';
import type { VirtualBoard } from '../../sim/board/virtual-board.ts';
import type { Clock, Transport } from './transport.ts';

export interface SimOptions {
  seed?: number;
  /** A `--faults` spec, or what one parses to. */
  faults?: string | Faults;
  pins?: Readonly<Record<number, 0 | 1>>;
  pinChanges?: readonly PinChange[];
  /** Virtual time passes no faster than the wall clock. */
  realTime?: boolean;
  engine?: EngineFactory;
  /** Another line than the board's default console. */
  console?: 'usb' | 'uart' | 'ble';
  /** An existing board to open again, instead of a new one. */
  board?: VirtualBoard;
  /** A program that is on a new board's flash from the start. */
  program?: string;
}

export interface SimTransport<Simulated extends LineBoard = VirtualBoard> extends Transport {
  readonly board: Simulated;
  setRealTime(isOn: boolean): void;
}

/** What the operating system's buffer for a port holds; `write` resolves when the rest has room. */
const hostBufferBytes = 4096;
/** A new board has been on for this long when its port is opened: what it printed at boot is lost, as on a real one. */
const bootMs = 1000;
/** In real time: how long the pump rests at once, so that what the host writes meanwhile is soon on its way. */
const longestWaitMs = 2;

/** Boots a board (or takes `options.board`) and opens its line. A Problem for an unknown board. */
export async function openSim(boardId: string, options: SimOptions = {}): Promise<SimTransport> {
  const board = options.board ?? bootBoard(boardId, options);
  return openBoard(board, { realTime: options.realTime === true });
}

/** Opens the line of a board that is on. `realTime` is not for a board that is slower than the wall clock. */
export function openBoard<Simulated extends LineBoard>(
  board: Simulated,
  { name = `sim:${board.board.id}`, realTime = false }: { name?: string; realTime?: boolean } = {},
): SimTransport<Simulated> {
  return new InProcessTransport(board, name, realTime);
}

function bootBoard(boardId: string, { faults, ...options }: SimOptions): VirtualBoard {
  const parsed = typeof faults === 'string' ? parseFaults(faults) : faults;
  const board = createVirtualBoard(loadBoard(boardId), { ...options, ...(parsed && { faults: parsed }) });
  board.advanceTo(bootMs * nsPerMs);
  return board;
}

class InProcessTransport<Simulated extends LineBoard> implements SimTransport<Simulated> {
  readonly board: Simulated;
  readonly name: string;
  readonly clock: Clock;
  readonly #sleeps = new EventQueue();
  #realTime: boolean;
  #nowNs: number;
  /** In real time: virtual milliseconds less the wall clock's. */
  #aheadMs: number;
  #receive: (bytes: Uint8Array) => void = () => {};
  #closed: (reason: string) => void = () => {};
  #isOpen = true;
  #isPumping = false;
  #writers: (() => void)[] = [];

  constructor(board: Simulated, name: string, realTime: boolean) {
    this.board = board;
    this.name = name;
    this.#realTime = realTime;
    this.#nowNs = board.nowNs;
    this.#aheadMs = board.nowNs / nsPerMs - performance.now();
    this.clock = {
      nowMs: () => this.#nowNs / nsPerMs,
      sleep: (ms, signal) => this.#sleep(ms, signal),
    };
    board.onTransmit((bytes) => this.#receive(bytes));
    board.onPortLost(() => this.#lose("the port is gone: the cable or the board's power"));
    board.line.onDrained(() => this.#admitWriters());
    board.attach();
    this.#startPump();
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#checkOpen();
    if (this.#realTime) this.#nowNs = Math.max(this.#nowNs, Math.round((performance.now() + this.#aheadMs) * nsPerMs));
    this.board.advanceTo(this.#nowNs);
    this.board.receive(bytes);
    this.#startPump();
    if (this.board.line.hostQueuedBytes > hostBufferBytes) {
      await new Promise<void>((resolve) => this.#writers.push(resolve));
      this.#checkOpen();
    }
  }

  onData(receiver: (bytes: Uint8Array) => void): void {
    this.#receive = receiver;
  }

  onClose(receiver: (reason: string) => void): void {
    this.#closed = receiver;
  }

  async setSignals(): Promise<void> {}

  setRealTime(isOn: boolean): void {
    this.#realTime = isOn;
    this.#aheadMs = this.#nowNs / nsPerMs - performance.now();
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.board.advanceTo(this.#nowNs);
    this.board.detach();
    this.board.onTransmit(() => {});
    this.board.onPortLost(() => {});
    this.#admitWriters();
    this.#startPump();
  }

  #checkOpen(): void {
    if (this.#isOpen) return;
    throw new Problem(exitCodes.lineLost, `${this.name} is closed`, [], 'Open the board again.');
  }

  #lose(reason: string): void {
    if (!this.#isOpen) return;
    void this.close();
    this.#closed(reason);
  }

  #admitWriters(): void {
    const writers = this.#writers;
    this.#writers = [];
    for (const resolve of writers) resolve();
  }

  #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (!this.#isOpen || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        sleep.cancel();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const sleep = this.#sleeps.add(this.#nowNs + Math.max(0, Math.round(ms * nsPerMs)), done);
      signal?.addEventListener('abort', done);
      this.#startPump();
    });
  }

  #startPump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    void this.#pump();
  }

  async #pump(): Promise<void> {
    for (;;) {
      await turn();
      if (!this.#isOpen) {
        for (let sleep = this.#sleeps.take(); sleep; sleep = this.#sleeps.take()) sleep.run();
        break;
      }
      const boardNs = this.board.nextEventNs();
      const sleepNs = this.#sleeps.nextNs();
      if (boardNs === null && sleepNs === null) break;
      const nextNs = Math.max(
        this.#nowNs,
        Math.min(boardNs ?? Number.POSITIVE_INFINITY, sleepNs ?? Number.POSITIVE_INFINITY),
      );
      if (this.#realTime) {
        const earlyMs = nextNs / nsPerMs - this.#aheadMs - performance.now();
        if (earlyMs > 1) {
          await new Promise((resolve) => setTimeout(resolve, Math.min(earlyMs, longestWaitMs)));
          continue;
        }
      }
      this.#nowNs = nextNs;
      if (boardNs !== null && boardNs <= nextNs) this.board.step();
      else this.#sleeps.take()?.run();
    }
    this.#isPumping = false;
  }
}

/** A turn of the host's event loop: every microtask that is ready runs before it resolves. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
