/**
 * Kaluma, from power-up on: banner, autorun, and the loop of timers, terminal and REPL.
 *
 * Out of memory ends it without a word: the processor stops, USB no longer answers, and only a power cycle helps.
 * Source: kaluma-project/kaluma@1.2.1 targets/rp2/src/main.c, src/runtime.c, src/io.c, src/jerryxx.c, src/jerry_port.c.
 */
import type { Engine, Outcome } from '../../engine/engine.ts';
import type { Firmware, Machine, Task } from '../machine.ts';
import { PinWatches } from '../pin-watches.ts';
import { Pins } from '../pins.ts';
import { passRun } from '../run.ts';
import { nsPerMs } from '../time.ts';
import { banner, runCommand } from './commands.ts';
import { errorLines } from './error-texts.ts';
import { Folders } from './folders.ts';
import { heapOf, kalumaGlobals } from './globals.ts';
import { LineEditor } from './line-editor.ts';
import { parseNs, vmStartNs } from './parse-time.ts';
import { prettyPrint } from './pretty-print.ts';
import { ProgramArea } from './program-area.ts';
import { KalumaTimers } from './timers.ts';
import { KalumaTty } from './tty.ts';

/** Held low at power-up, this pin keeps the stored program from running (board.h SCR_LOAD_GPIO). */
const skipProgramPin = 22;
const defaultLineBytes = 1024;
const resultDepth = 3;
const dotByte = 0x2e;
/** As the engine models tell the stored program from lines of the REPL; Kaluma itself names neither. */
const programName = 'program.js';
/** The VM looks for Ctrl-C at every 16th jump back (km_runtime_init): about 16 turns of an empty loop. */
const stopCheckNs = 90_000;
const red = (text: string): string => `\x1b[31m${text}\r\n\x1b[0m`;
/** A turn of the loop without anything to do: an estimate, small beside the millisecond it reads. */
const turnNs = 5_000;

export class KalumaFirmware implements Firmware {
  readonly machine: Machine;
  readonly tty: KalumaTty;
  readonly editor: LineEditor;
  readonly program: ProgramArea;
  readonly folders = new Folders();
  readonly #timers = new KalumaTimers();
  readonly #watches: PinWatches;
  #engine: Engine | null = null;
  #heapPeakBytes = 0;
  #isDead = false;

  constructor(machine: Machine) {
    this.machine = machine;
    this.#watches = new PinWatches(machine);
    this.tty = new KalumaTty(machine);
    this.editor = new LineEditor(this.tty, machine.board.console.lineBufferBytes ?? defaultLineBytes);
    this.program = new ProgramArea(machine);
  }

  get engine(): Engine | null {
    return this.#engine;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  receive(bytes: Uint8Array): number {
    return this.tty.receive(bytes);
  }

  heap(): { totalBytes: number; usedBytes: number; peakBytes: number } {
    const heap = heapOf(this.machine, this.#engine, this.#heapPeakBytes);
    this.#heapPeakBytes = heap.peakBytes;
    return heap;
  }

  *main(): Task {
    const runsProgram = this.machine.pin(skipProgramPin) !== 0;
    this.#readLoopClock();
    this.tty.print(banner(this.machine.board.engineVersion));
    yield* this.restart(runsProgram);
    while (!this.#isDead) {
      this.machine.spend(turnNs);
      this.#readLoopClock();
      yield* this.#runWatches();
      yield* this.#runTimers();
      if (!this.#isDead && this.tty.available() > 0) yield* this.#handle(this.tty.read());
      if (this.#isDead) return;
      if (this.tty.available() > 0) continue;
      const nextMs = this.#timers.nextMs();
      const due = [this.#watches.nextNs(), nextMs === null ? null : nextMs * nsPerMs].filter((at) => at !== null);
      yield { untilNs: due.length === 0 ? null : Math.min(...due), forInput: true };
    }
  }

  /** Throws the VM away and makes a new one; runs the stored program if asked. */
  *restart(runsProgram: boolean): Task {
    this.#startVm();
    if (!runsProgram) return;
    const text = this.program.text();
    if (text.length === 0) return;
    const source = new TextDecoder().decode(text);
    this.machine.spend(parseNs(source));
    const outcome = yield* this.#finish(this.#run(source, programName), true, source);
    if (outcome === null || outcome.kind === 'value') return;
    // A text that does not parse leaves the VM as it is; one that throws gets a fresh VM.
    if (outcome.kind !== 'error' || outcome.name !== 'SyntaxError') this.#startVm();
  }

  *softReset(): Task {
    yield* this.restart(false);
    this.tty.print('\r\nsoft reset\r\n');
  }

  #startVm(): void {
    this.#timers.clearAll();
    this.#watches.clearAll();
    this.#heapPeakBytes = 0;
    const globals = kalumaGlobals(
      this.machine,
      this.tty,
      this.#timers,
      { pins: new Pins(this.machine), watches: this.#watches },
      () => this.heap(),
    );
    this.machine.spend(vmStartNs);
    this.#engine = this.machine.startEngine(globals);
  }

  #readLoopClock(): void {
    this.#timers.loopMs = Math.floor(this.machine.nowNs() / nsPerMs);
  }

  *#runWatches(): Task {
    for (const { id, watch } of this.#watches.take(this.machine.nowNs())) {
      if (this.#isDead) return;
      const outcome = yield* this.#finish(this.#engine!.call(watch.callback, [watch.pin]), true);
      if (outcome?.kind !== 'value') this.#watches.clear(id);
    }
  }

  *#runTimers(): Task {
    const run = (callback: unknown): Task<Outcome | null> => this.#finish(this.#engine!.call(callback, []), true);
    const isDead = (): boolean => this.#isDead;
    yield* this.#timers.run(function* (callback) {
      return isDead() || (yield* run(callback))?.kind === 'value';
    });
  }

  *#handle(bytes: Uint8Array): Task {
    for (const byte of bytes) {
      const event = this.editor.handle(byte);
      if (event === null) continue;
      if (event.kind === 'softReset') yield* this.softReset();
      else if (event.bytes[0] === dotByte) yield* runCommand(this, event.bytes);
      else if (event.bytes.length > 0) yield* this.#evaluate(event.bytes);
      if (this.#isDead) return;
      this.editor.prompt();
    }
  }

  *#evaluate(line: Uint8Array): Task {
    // The line is a C string.
    const end = line.indexOf(0);
    const source = new TextDecoder().decode(end < 0 ? line : line.subarray(0, end));
    const outcome = yield* this.#finish(this.#run(source, 'repl'), false, source);
    if (outcome?.kind === 'value') this.tty.print(`${prettyPrint(outcome.value, resultDepth)}\r\n`);
  }

  #run(source: string, fileName: string): Outcome {
    return this.#engine!.run(source, fileName);
  }

  /** Lets the run's time pass, until its end or Ctrl-C, and prints what went wrong. Null when the board is dead. */
  *#finish(outcome: Outcome, showsTrace: boolean, source = ''): Task<Outcome | null> {
    let askedNs: number | null = null;
    const stopNs = (): number | null => {
      if (!this.tty.isVmStopAsked) return null;
      askedNs ??= this.machine.nowNs();
      return this.machine.runsCodeNs(askedNs) + stopCheckNs;
    };
    if (yield* passRun(this.machine, stopNs, outcome.kind === 'interrupted')) {
      this.tty.isVmStopAsked = false;
      this.tty.print(red('Aborted'));
      return { kind: 'interrupted' };
    }
    if (outcome.kind === 'outOfMemory') {
      this.#isDead = true;
      return null;
    }
    if (outcome.kind === 'error') for (const line of errorLines(outcome, source, showsTrace)) this.tty.print(red(line));
    return outcome;
  }
}
