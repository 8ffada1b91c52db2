/**
 * A virtual board: a processor that runs a firmware coroutine, its flash, its line, and the power, in virtual time.
 *
 * The board knows no wall clock and no host: `advanceTo` runs all events up to a time, in order. The processor is one
 * such source of events. While it computes, its own time (`machine.nowNs`) runs ahead of the board's by the cycles it
 * used; whatever reaches it meanwhile waits, as it does for a real processor that is busy.
 *
 * Invariant B1: the same board, program, seed and stimuli give the same bytes at the same times.
 * Invariant B2: what the board does at a time depends on nothing that reaches it later.
 */
import type { Board } from '../../boards/board.ts';
import type { Engine } from '../engine/engine.ts';
import { EventQueue, type Scheduled } from './event-queue.ts';
import { type Faults, noFaults } from './faults.ts';
import type { FlashMemory } from './flash-memory.ts';
import { Line, type LineFacts } from './line.ts';
import type { LineBoard } from './line-board.ts';
import type { EngineFactory, Firmware, FirmwareFactory, HostFunctions, Machine, Task, Wait } from './machine.ts';
import type { PinChange } from './pins.ts';
import { createRandom, type Random } from './random.ts';
import { nsPerSecond } from './time.ts';

/** A run that takes longer than this does not end by itself: it goes on until Ctrl-C. */
const endlessSeconds = 60;

export interface VirtualBoardParts {
  board: Board;
  firmware: FirmwareFactory;
  engine: EngineFactory;
  flash: FlashMemory;
  line: LineFacts;
}

export interface VirtualBoardOptions {
  seed?: number;
  faults?: Faults;
  /** Levels that the outside drives onto pins all the time. */
  pins?: Readonly<Record<number, 0 | 1>>;
  /** And from a time on (pins.ts), in the order of the times. */
  pinChanges?: readonly PinChange[];
}

/** What was done to a board from outside, and when: enough to do it again (`snapshot.ts`). */
export type Stimulus = { atNs: number } & (
  | { kind: 'bytes'; bytes: Uint8Array }
  | { kind: 'attach' | 'detach' | 'plug' | 'unplug' | 'powerCycle' }
);

interface Span {
  fromNs: number;
  untilNs: number;
}

export class VirtualBoard implements LineBoard {
  readonly board: Board;
  readonly seed: number;
  readonly options: Readonly<VirtualBoardOptions>;
  readonly line: Line;
  readonly flash: FlashMemory;
  readonly stimuli: Stimulus[] = [];
  readonly #parts: VirtualBoardParts;
  readonly #queue = new EventQueue();
  readonly #random: Random;
  readonly #machine: Machine;
  #nowNs = 0;
  /** The processor's time is `#baseNs` and the engine's cycles since `#baseCycles`. */
  #baseNs = 0;
  #baseCycles = 0;
  /** When the processor last began to compute. */
  #resumedNs = 0;
  /** Since then: when it was busy without running code. */
  #spent: Span[] = [];
  #engine: Engine | null = null;
  #firmware!: Firmware;
  #task!: Task;
  #wait: Wait | null = null;
  #wake: Scheduled | null = null;
  #isPowerFailing = false;
  #powerCycles = 0;

  constructor(parts: VirtualBoardParts, options: VirtualBoardOptions = {}) {
    this.#parts = parts;
    this.board = parts.board;
    this.flash = parts.flash;
    this.options = options;
    this.seed = options.seed ?? 1;
    this.#random = createRandom(this.seed);
    const faults = options.faults ?? noFaults;
    this.line = new Line(parts.line, this.#queue, createRandom(this.seed ^ 0x5eed), faults);
    this.line.setBoardEnd((bytes) => this.#receive(bytes));
    this.#machine = this.#createMachine();
    for (const { atNs, forNs } of faults.unplug) {
      this.#queue.add(atNs, () => this.#cableOut());
      this.#queue.add(atNs + forNs, () => this.#cableIn());
    }
    if (faults.brownOutAfter !== null) this.#armBrownOut(faults.brownOutAfter);
    this.#powerUp();
  }

  get nowNs(): number {
    return this.#nowNs;
  }

  get firmware(): Firmware {
    return this.#firmware;
  }

  get powerCycles(): number {
    return this.#powerCycles;
  }

  nextEventNs(): number | null {
    return this.#queue.nextNs();
  }

  advanceTo(atNs: number): void {
    for (let next = this.#queue.nextNs(); next !== null && next <= atNs; next = this.#queue.nextNs()) this.step();
    this.#nowNs = Math.max(this.#nowNs, atNs);
  }

  step(): boolean {
    const event = this.#queue.take();
    if (!event) return false;
    this.#nowNs = Math.max(this.#nowNs, event.atNs);
    event.run();
    if (this.#isPowerFailing) {
      this.#isPowerFailing = false;
      this.#restart();
    }
    return true;
  }

  receive(bytes: Uint8Array): void {
    this.stimuli.push({ atNs: this.#nowNs, kind: 'bytes', bytes: bytes.slice() });
    this.line.hostWrite(bytes, this.#nowNs);
  }

  onTransmit(receiver: (bytes: Uint8Array) => void): void {
    this.line.setHostEnd(receiver);
  }

  attach(): void {
    this.stimuli.push({ atNs: this.#nowNs, kind: 'attach' });
    this.line.isAttached = true;
  }

  detach(): void {
    this.stimuli.push({ atNs: this.#nowNs, kind: 'detach' });
    this.line.isAttached = false;
  }

  /** Takes the cable out: a board that USB feeds loses its power with it. */
  unplug(): void {
    this.stimuli.push({ atNs: this.#nowNs, kind: 'unplug' });
    this.#cableOut();
  }

  plug(): void {
    this.stimuli.push({ atNs: this.#nowNs, kind: 'plug' });
    this.#cableIn();
  }

  #cableOut(): void {
    this.line.isPlugged = false;
    if (this.line.facts.kind === 'usb') this.#powerDown();
    else this.#portLost();
  }

  #cableIn(): void {
    this.line.isPlugged = true;
    if (this.line.facts.kind === 'usb') this.#powerUp();
  }

  onPortLost(portLost: () => void): void {
    this.#portLost = portLost;
  }
  #portLost: () => void = () => {};

  powerCycle(): void {
    this.stimuli.push({ atNs: this.#nowNs, kind: 'powerCycle' });
    this.#restart();
  }

  #restart(): void {
    this.#powerDown();
    this.#powerUp();
  }

  #powerDown(): void {
    this.#wake?.cancel();
    this.#wake = null;
    this.#wait = null;
    this.#engine = null;
    this.#task.return();
    if (this.line.facts.kind === 'usb') this.#portLost();
  }

  #powerUp(): void {
    this.#powerCycles++;
    this.flash.powerUp();
    this.#baseNs = this.#nowNs;
    this.#engine = null;
    this.#firmware = this.#parts.firmware(this.#machine);
    this.#task = this.#firmware.main();
    this.#wakeAt(this.#nowNs);
  }

  #armBrownOut(operations: number): void {
    this.flash.failAfter(operations, () => {
      this.#isPowerFailing = true;
    });
  }

  #receive(bytes: Uint8Array): number {
    if (this.#firmware.isDead) return 0;
    const taken = this.#firmware.receive(bytes);
    if (taken > 0 && this.#wait?.forInput) this.#wakeAt(Math.max(this.#nowNs, this.#machine.nowNs()));
    return taken;
  }

  #wakeAt(atNs: number): void {
    if (this.#wake && this.#wake.atNs <= atNs) return;
    this.#wake?.cancel();
    this.#wake = this.#queue.add(atNs, () => this.#resume());
  }

  /** Lets the processor run until it waits again. */
  #resume(): void {
    this.#wake = null;
    this.#wait = null;
    if (this.#machine.nowNs() < this.#nowNs) this.#setProcessorTime(this.#nowNs);
    this.#resumedNs = this.#machine.nowNs();
    this.#spent = [];
    const { value: wait, done } = this.#task.next();
    if (done || this.#isPowerFailing) return;
    this.#wait = wait;
    if (wait.untilNs !== null) this.#wakeAt(Math.max(this.#nowNs, this.#machine.nowNs(), wait.untilNs));
  }

  #setProcessorTime(ns: number): void {
    this.#baseNs = ns;
    this.#baseCycles = this.#engine?.cycles ?? 0;
  }

  #createMachine(): Machine {
    const nsPerCycle = nsPerSecond / this.board.clockHz;
    const pinChanges = this.options.pinChanges ?? [];
    let spans: readonly Span[] = [];
    const nowNs = (): number =>
      this.#engine === null
        ? this.#baseNs
        : Math.round(this.#baseNs + (this.#engine.cycles - this.#baseCycles) * nsPerCycle);
    return {
      board: this.board,
      flash: this.flash,
      random: this.#random,
      nowNs,
      spend: (ns) => {
        const fromNs = nowNs();
        this.#baseNs += Math.round(ns);
        if (ns > 0) this.#spent.push({ fromNs, untilNs: nowNs() });
      },
      transmit: (bytes, giveUpNs) => {
        if (this.#isPowerFailing) return;
        const atNs = nowNs();
        this.#baseNs += this.line.boardWrite(bytes, atNs, giveUpNs) - atNs;
      },
      transmitUrgently: (bytes) => this.line.boardWriteUrgently(bytes, this.#nowNs),
      transmittedNs: () => this.line.boardIdleNs,
      takesInputAgain: () =>
        this.#queue.add(Math.max(this.#nowNs, nowNs()), () => this.line.boardTakesAgain(this.#nowNs)),
      isAttached: () => this.line.isAttached,
      pin: (number) =>
        pinChanges.findLast(({ atNs, pin }) => pin === number && atNs <= nowNs())?.level ?? this.options.pins?.[number],
      pinChanges,
      keepRunning: () => {
        spans = this.#spent;
        this.#setProcessorTime(this.#nowNs);
      },
      stopRunning: () => this.line.cutOutput(this.#nowNs),
      runsCodeNs: (atNs) =>
        spans.reduce((ns, { fromNs, untilNs }) => (ns >= fromNs && ns < untilNs ? untilNs : ns), atNs),
      startEngine: (functions: HostFunctions) => {
        const startNs = nowNs();
        const cycleBudget = this.board.clockHz * endlessSeconds;
        const isEndless = () => nowNs() - this.#resumedNs > endlessSeconds * nsPerSecond;
        this.#engine = this.#parts.engine(this.board, functions, { isInterrupted: isEndless, cycleBudget });
        this.#setProcessorTime(startNs);
        return this.#engine;
      },
    };
  }
}
