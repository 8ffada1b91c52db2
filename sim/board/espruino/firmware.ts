/**
 * Espruino, from power-up on: Storage, boot code, banner, and the idle loop of input, timers, and what was asked for.
 *
 * Out of memory cannot be caught: the run is interrupted, the error is printed, an interval whose callback it hit is
 * removed, and the board goes on. Source: espruino/Espruino@c5ff787b1 src/jsinteractive.c (jsiInit, jsiSemiInit,
 * jsiSoftInit, jsiIdle, jsiLoop, jsiCheckErrors), src/jsflash.c (jsfLoadBootCodeFromFlash), src/jsvar.c.
 */
import { parse } from 'acorn';
import type { Engine, Outcome } from '../../engine/engine.ts';
import type { Firmware, Machine, Task } from '../machine.ts';
import { PinWatches, type WatchEvent } from '../pin-watches.ts';
import { Pins } from '../pins.ts';
import { passRun } from '../run.ts';
import { nsPerSecond } from '../time.ts';
import { bootBanner } from './banner.ts';
import { EspruinoConsole } from './console.ts';
import { errorText } from './error-texts.ts';
import { espruinoGlobals, type GlobalsHost, type NativeCall } from './globals.ts';
import { InputBuffer } from './input-buffer.ts';
import { LineEditor } from './line-editor.ts';
import { Packets } from './packets.ts';
import { printJson } from './print-json.ts';
import { Storage } from './storage.ts';
import { EspruinoTimers } from './timers.ts';

const ctrlC = 0x03;
/** The system timer's range (targets/stm32 and nrf5x jshardware.c: 24 bits of the core clock). */
const systemTickCycles = 2 ** 24;
/** A turn of the idle loop with nothing to do: an estimate. */
const turnNs = 20_000;
/** In the order in which Espruino lists them. */
const errorFlagNames = ['FIFO_FULL', 'BUFFER_FULL', 'CALLBACK', 'LOW_MEMORY', 'MEMORY'] as const;
type ErrorFlag = (typeof errorFlagNames)[number];

interface Place {
  /** As the stack trace calls it: `REPL`, `boot code`. */
  name: string;
  /** The file in Storage that the text was run from, or nothing. */
  file: string;
  source: string;
}

interface Failure {
  text: string;
  trace: string;
}

export class EspruinoFirmware implements Firmware, GlobalsHost {
  readonly machine: Machine;
  readonly console: EspruinoConsole;
  readonly timers = new EspruinoTimers();
  readonly watches: PinWatches;
  readonly storage: Storage | null;
  readonly input: InputBuffer;
  readonly handlers = new Map<string, unknown[]>();
  readonly nativeCall: NativeCall | null;
  readonly isDead = false;
  readonly #tickNs: number;
  readonly #packets: Packets;
  readonly #editor: LineEditor;
  #pins: Pins;
  #engine: Engine | null = null;
  #hasCtrlC = false;
  #failure: Failure | null = null;
  #isEventInterrupted = false;
  readonly #flags = new Set<ErrorFlag>();
  readonly #reportedFlags = new Set<ErrorFlag>();
  #asked: { kind: 'reset' } | { kind: 'load'; fileName: string | undefined } | null = null;

  constructor(machine: Machine, nativeCall: NativeCall | null) {
    this.machine = machine;
    this.nativeCall = nativeCall;
    this.watches = new PinWatches(machine);
    this.#pins = new Pins(machine);
    this.console = new EspruinoConsole(machine);
    this.input = new InputBuffer(machine);
    this.#tickNs = (systemTickCycles / machine.board.clockHz) * nsPerSecond;
    this.storage = machine.board.savedCode ? new Storage(machine, (text) => this.console.print(text)) : null;
    this.#packets = new Packets({
      raw: (text) => this.console.raw(text),
      storage: this.storage,
      nowNs: () => machine.nowNs(),
      echoAgain: () => {
        this.console.isEchoOffForLine = this.console.isEchoOffForLine && this.console.line !== '';
      },
      evaluateExpression: (source) => this.#evaluate(`(${source}\n)`),
      functionText: (fn) => this.functionText(fn),
      report: (outcome) => this.#report(outcome, { name: '', file: '', source: '' }),
      throwLater: (text) => {
        this.#failure ??= { text: `Error: ${text}`, trace: '' };
      },
      emit: (name, value) => this.#emit(name, value),
    });
    this.#editor = new LineEditor(this.console, this.#packets, {
      execute: (line) => this.#executeLine(line),
      identity: () => `Espruino ${machine.board.engineVersion} ${machine.board.id.toUpperCase()}`,
    });
  }

  get pins(): Pins {
    return this.#pins;
  }

  get engine(): Engine | null {
    return this.#engine;
  }

  usedVariables(): number {
    return this.#engine?.jsvars ?? 0;
  }

  errorFlags(): string[] {
    const flags = errorFlagNames.filter((name) => this.#flags.has(name));
    this.#flags.clear();
    this.#reportedFlags.clear();
    return flags;
  }

  askReset(clearsFlash: boolean): void {
    this.#asked = { kind: 'reset' };
    if (clearsFlash) for (const name of ['.bootcde', '.bootrst', '.varimg']) this.storage?.erase(name);
  }

  askLoad(fileName: string | undefined): void {
    this.#asked = { kind: 'load', fileName };
  }

  receive(bytes: Uint8Array): number {
    if (!this.#packets.isReceiving && bytes.includes(ctrlC)) this.#hasCtrlC = true;
    const taken = this.input.push(bytes);
    if (this.input.hasOverflowed) this.#flags.add('FIFO_FULL');
    return taken;
  }

  *main(): Task {
    if (this.storage?.isCorrupt) {
      this.console.print('Storage is corrupt.\nErasing Storage Area...\n');
      this.storage.eraseAll();
      this.console.print('Erase complete.\n');
    }
    const hasBootCode = ['.bootcde', '.bootrst'].some((name) => this.storage?.read(name));
    yield* this.#start(true, !hasBootCode);
    for (;;) {
      const wasBusy = yield* this.#turn();
      // A busy loop waits for nothing, but the line must have its turn: an interval may be due for ever.
      const isBusy = wasBusy || this.input.eventCount > 0;
      yield { untilNs: isBusy ? this.machine.nowNs() : this.#nextNs(), forInput: true };
    }
  }

  #nextNs(): number | null {
    const due = [this.timers.nextNs(), this.#packets.nextNs(), this.watches.nextNs()].filter((at) => at !== null);
    return due.length === 0 ? null : Math.min(...due);
  }

  /** Once around the idle loop. True when there was something to do. */
  *#turn(): Task<boolean> {
    this.machine.spend(turnNs);
    let wasBusy = false;
    for (let events = this.input.eventCount; events > 0; events--) {
      for (const code of this.input.pop() ?? []) yield* this.#editor.handle(code);
      wasBusy = true;
    }
    this.input.release();
    this.#packets.checkTimeouts();
    for (const event of this.watches.take(this.machine.nowNs())) {
      wasBusy = true;
      yield* this.#tellWatch(event);
    }
    const hasRunTimer = yield* this.timers.run(this.machine.nowNs(), (callback, args) =>
      this.#callBack(callback, args),
    );
    if (this.#asked) {
      wasBusy = true;
      yield* this.#doAsked();
    }
    this.#checkErrors();
    if (this.#hasCtrlC && !this.#packets.isReceiving) {
      this.#hasCtrlC = false;
      this.console.clearLine(true);
    }
    this.console.returnLine();
    return wasBusy || hasRunTimer;
  }

  *#doAsked(): Task {
    const asked = this.#asked!;
    if (asked.kind === 'reset') yield* this.#start(false, true);
    else if (asked.fileName === undefined) {
      this.#newEngine();
      yield* this.#runBootCode(true);
    } else {
      yield* this.#start(false, true);
      yield* this.#runFile(asked.fileName, asked.fileName);
    }
    // Boot code that asks for the same again is not heard: the flag is cleared afterwards (jsinteractive.c, jsiIdle).
    if (this.#asked?.kind === asked.kind) this.#asked = null;
  }

  /** A fresh interpreter: boot code, then the banner where it is shown. `loads` is false after reset(). */
  *#start(loads: boolean, showsBanner: boolean): Task {
    this.#newEngine();
    this.console.isEchoOff = false;
    yield* this.#runBootCode(loads);
    if (!this.console.echoes) return;
    if (showsBanner) this.console.print(bootBanner(this.machine.board));
    this.console.print('\n');
    this.console.isLineRemoved = true;
  }

  #newEngine(): void {
    this.timers.clearAll();
    this.watches.clearAll();
    this.#pins = new Pins(this.machine);
    this.handlers.clear();
    this.#packets.reset();
    this.#editor.reset();
    this.#flags.clear();
    this.#reportedFlags.clear();
    this.console.line = '';
    this.console.cursor = 0;
    this.#engine = this.machine.startEngine(espruinoGlobals(this));
  }

  *#runBootCode(loads: boolean): Task {
    for (const digit of [0, 1, 2, 3]) yield* this.#runFile(`.boot${digit}`, `.boot${digit}`);
    const runsAlways = this.storage?.read('.bootrst') != null;
    if (runsAlways) yield* this.#runFile('.bootrst', 'boot code');
    else if (loads) yield* this.#runFile('.bootcde', 'boot code');
    yield* this.#emit('init', undefined);
    this.#checkErrors();
  }

  *#runFile(fileName: string, name: string): Task {
    const data = this.storage?.read(fileName);
    if (!data) return;
    const source = Buffer.from(data).toString('latin1');
    const outcome = yield* this.#evaluate(source, fileName, 'flash');
    this.#report(outcome, { name, file: fileName, source });
  }

  *#executeLine(line: string): Task {
    if (line === '') {
      this.#checkErrors();
      return;
    }
    let outcome = yield* this.#evaluate(line);
    // A declaration has the value of what it declares.
    const declared = outcome.kind === 'value' && this.console.echoes ? declaredLast(line) : null;
    if (declared !== null) outcome = this.#engine!.run(declared, 'REPL');
    if (outcome.kind === 'value' && this.console.echoes && this.#failure === null) {
      const shown = printJson(outcome.value, {
        pretty: true,
        limited: true,
        dropsQuotes: true,
        showsNames: true,
        functionText: (fn) => this.functionText(fn),
      });
      this.console.print(`=${shown}\n`);
    }
    this.#report(outcome, { name: 'REPL', file: '', source: line });
  }

  functionText(fn: unknown): string {
    return this.#engine?.functionText(fn) ?? '';
  }

  *#evaluate(source: string, fileName = 'REPL', where: 'ram' | 'flash' = 'ram'): Task<Outcome> {
    return yield* this.#finish(this.#engine!.run(source, fileName, where));
  }

  /**
   * Lets a run's time pass. Ctrl-C breaks it off at the second tick of the system timer after it, so a run that ends
   * before is not hurt (jsparse.h EXEC_CTRL_C).
   */
  *#finish(outcome: Outcome): Task<Outcome> {
    let askedNs: number | null = null;
    const stopNs = (): number | null => {
      if (!this.#hasCtrlC) return null;
      askedNs ??= this.machine.nowNs();
      return Math.ceil((Math.floor(askedNs / this.#tickNs) + 2) * this.#tickNs);
    };
    if (!(yield* passRun(this.machine, stopNs, outcome.kind === 'interrupted'))) return outcome;
    this.#hasCtrlC = false;
    return { kind: 'interrupted' };
  }

  *#tellWatch({ id, watch, level, atNs, lastNs }: WatchEvent): Task {
    const time = atNs / nsPerSecond;
    const told = {
      state: level === 1,
      lastTime: lastNs === null ? undefined : lastNs / nsPerSecond,
      time,
      pin: watch.pin,
    };
    const goesOn = yield* this.#callBack(watch.callback, [told], 'watch');
    if (!goesOn || !watch.repeats) this.watches.clear(id);
  }

  /** A timer's or watch's callback. False when it must go: it was interrupted, or ran out of memory. */
  *#callBack(callback: unknown, args: readonly unknown[], kind: 'interval' | 'watch' = 'interval'): Task<boolean> {
    const outcome = yield* this.#finish(
      typeof callback === 'string' ? this.#engine!.run(callback, 'event') : this.#engine!.call(callback, [...args]),
    );
    if (outcome.kind === 'value') return true;
    if (outcome.kind === 'error') {
      this.#failure ??= this.#failureOf(outcome, { name: '', file: '', source: '' });
      return true;
    }
    if (outcome.kind === 'outOfMemory') this.#printOutOfMemory({ name: '', file: '', source: '' });
    this.console.removeLine();
    this.console.print(`ERROR: Ctrl-C while processing ${kind} - removing it.\n`);
    this.#flags.add('CALLBACK');
    this.#isEventInterrupted = true;
    return false;
  }

  *#emit(name: string, value: unknown): Task<boolean> {
    const handlers = this.handlers.get(name);
    if (!handlers) return false;
    for (const handler of handlers) {
      const outcome = yield* this.#finish(this.#engine!.call(handler, value === undefined ? [] : [value]));
      if (outcome.kind === 'outOfMemory') this.#printOutOfMemory({ name: '', file: '', source: '' });
      if (outcome.kind === 'error') this.#failure ??= this.#failureOf(outcome, { name: '', file: '', source: '' });
      if (outcome.kind === 'interrupted' || outcome.kind === 'outOfMemory') this.#isEventInterrupted = true;
    }
    return true;
  }

  #failureOf(failure: Extract<Outcome, { kind: 'error' }>, place: Place): Failure {
    const { name, line } = failure;
    const { text, column } = errorText(failure, place.source.split('\n')[(line ?? 1) - 1] ?? '');
    return { text, trace: name === '' ? '' : traceOf(place, line, column) };
  }

  /** Prints what became of a run, as jsiCheckErrors does behind each. */
  #report(outcome: Outcome, place: Place): void {
    if (outcome.kind === 'error') this.#failure ??= this.#failureOf(outcome, place);
    if (outcome.kind === 'outOfMemory') this.#printOutOfMemory(place);
    const isInterrupted = outcome.kind === 'interrupted' || outcome.kind === 'outOfMemory';
    this.#checkErrors(isInterrupted ? (outcome.kind === 'interrupted' ? traceOf(place, 1) : '') : null);
  }

  #printOutOfMemory(place: Place): void {
    if (!this.#flags.has('MEMORY')) this.console.print(`OUT OF MEMORY${traceOf(place, 1)}`);
    this.#flags.add('LOW_MEMORY').add('MEMORY');
  }

  /** `interruptedTrace`: null when nothing was interrupted. */
  #checkErrors(interruptedTrace: string | null = null): void {
    if (this.#isEventInterrupted) {
      this.#isEventInterrupted = false;
      this.console.removeLine();
      this.console.print('Execution Interrupted during event processing.\n');
    }
    const failure = this.#failure;
    this.#failure = null;
    if (failure) {
      this.console.removeLine();
      this.console.print(`Uncaught ${failure.text}\n${failure.trace}`);
    }
    if (interruptedTrace !== null) {
      this.console.removeLine();
      this.console.print(`Execution Interrupted\n${interruptedTrace}`);
    }
    const fresh = errorFlagNames.filter((name) => this.#flags.has(name) && !this.#reportedFlags.has(name));
    for (const name of fresh) this.#reportedFlags.add(name);
    if (fresh.length > 0) {
      this.console.removeLine();
      this.console.print(`New interpreter error: ${fresh.join(',')}\n`);
    }
  }
}

/** What the line's value is read from: the name that its last statement declares; null when it has its own value. */
function declaredLast(line: string): string | null {
  try {
    const last = parse(line, { ecmaVersion: 2022 }).body.at(-1);
    // A loop has none, whatever its last round was worth.
    if (last && /^(?:For|While|DoWhile)/.test(last.type)) return 'undefined';
    if (last?.type === 'FunctionDeclaration' || last?.type === 'ClassDeclaration') return last.id.name;
    const declarator = last?.type === 'VariableDeclaration' ? last.declarations.at(-1) : undefined;
    return declarator?.init && declarator.id.type === 'Identifier' ? declarator.id.name : null;
  } catch {
    return null;
  }
}

const longestMarker = 60;

/** Where it was, as Espruino prints it; the column is the first where it is not known. */
function traceOf({ name, file, source }: Place, line: number | null, column = 1): string {
  const position = `${file}:${line ?? 1}:${column}`;
  const text = source.split('\n')[(line ?? 1) - 1] ?? '';
  const marker = text.length > longestMarker ? `${text.slice(0, longestMarker)}...` : text;
  return `    at ${name === '' ? position : `${name} (${position})`}\n${marker}\n${' '.repeat(column - 1)}^\n`;
}
