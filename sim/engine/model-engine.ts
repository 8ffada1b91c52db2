/**
 * An engine by its cost model: programs are instrumented (instrument.ts), run in a world of their own (sandbox.ts), and
 * charged as they run.
 *
 * Determinism: nothing here reads a clock or chance; the same text gives the same cycles.
 */
import type { Board } from '../../boards/board.ts';
import { espruinoCyclesPerInstruction } from './costs.ts';
import type { Engine, EngineOptions, Outcome } from './engine.ts';
import { EngineMemory } from './engine-memory.ts';
import { failureOf, textOf } from './failure.ts';
import type { Bag } from './features.ts';
import { FunctionTexts } from './function-text.ts';
import { type Instrumented, instrument } from './instrument.ts';
import { marker } from './marker.ts';
import type { Block, CostModel, Unit } from './model.ts';
import { unitOf } from './parse.ts';
import { type Controls, dynamicNames, preludeText } from './prelude.ts';
import { type ExecutionProfile, executionProfile } from './profile.ts';
import { type HostFunctions, Sandbox } from './sandbox.ts';

/** Charges between two looks at the budget and at Ctrl-C. */
const sliceUnits = 1 << 20;
const profileBlocks = 1 << 16;

export interface ProfiledEngine extends Engine {
  /** Features executed since the last `resetProfile`, by name. */
  profile(): Map<string, number>;
  resetProfile(): void;
  memory(): Map<string, number>;
}

export interface CallProfiledEngine extends Engine {
  /** Core cycles of one unit of the profile. */
  readonly cyclesPerUnit: number;
  /** What was executed since the last `resetProfile`. */
  callProfile(): ExecutionProfile;
  resetProfile(): void;
}

export class ModelEngine implements ProfiledEngine, CallProfiledEngine {
  readonly #board: Board;
  readonly #model: CostModel;
  readonly #options: EngineOptions;
  readonly #sandbox: Sandbox;
  readonly #controls: Controls;
  readonly #profiling: 'nothing' | 'features' | 'calls';
  readonly #blocks: Block[] = [];
  /** For profiling: the texts that were run, and in which of them each block stands. */
  readonly #texts: { fileName: string; source: string }[] = [];
  readonly #textOf: number[] = [];
  #unitsAtReset = 0;
  readonly cyclesPerUnit: number;
  readonly #memory: EngineMemory;
  readonly #functionTexts: FunctionTexts;
  #known: string[] = [];
  /** Units (cycles or instructions) charged in slices that are over. */
  #spent = 0;
  /** What the texts were called that were run. */
  readonly #files = new Set<string>();
  #slice = sliceUnits;
  #extraCycles = 0;
  #budgetEnd = Infinity;
  #death: 'outOfMemory' | 'interrupted' | null = null;
  #depth = 0;

  constructor(
    board: Board,
    model: CostModel,
    functions: HostFunctions,
    options: EngineOptions,
    profiling: 'nothing' | 'features' | 'calls',
  ) {
    this.#board = board;
    this.#options = options;
    this.#profiling = profiling;
    this.#model = model;
    this.cyclesPerUnit = board.engine === 'espruino' ? espruinoCyclesPerInstruction(board) : 1;
    this.#functionTexts = new FunctionTexts(this.#model.engine);
    this.#sandbox = new Sandbox(board);
    const blocks = profiling === 'nothing' ? 0 : profileBlocks;
    this.#sandbox.prepare(preludeText(this.#model, blocks, profiling === 'calls'));
    const start = this.#sandbox.evaluate(`${marker}start`, 'prelude') as (
      refill: (left: number) => number,
      collect: (asked: number) => number,
      look: (asked: number) => number,
      text: (instrumented: string) => string,
    ) => Controls;
    this.#controls = start(
      (left) => this.#refill(left),
      (asked) => this.#collect(asked),
      (asked) => this.#look(asked),
      (instrumented) => this.#functionTexts.shown(instrumented),
    );
    this.#sandbox.evaluate(`delete globalThis.${marker}i;${marker}start=undefined`, 'prelude');
    this.#controls.setLeft(sliceUnits);
    this.#memory = new EngineMemory(board, {
      controls: this.#controls,
      globals: () => this.#known,
      read: (name) => this.#sandbox.read(name),
    });
    this.#sandbox.provide({ eval: (text: unknown) => this.#eval(text), ...functions }, () => this.#chargeHostCall());
  }

  get #units(): number {
    return this.#spent + (this.#slice - this.#controls.left());
  }

  get cycles(): number {
    return Math.round(this.#units * this.cyclesPerUnit + this.#extraCycles);
  }

  get instructions(): number | null {
    return this.#board.engine === 'espruino' ? Math.round(this.#units) : null;
  }

  get heapBytes(): number | null {
    return this.#memory.heapBytes;
  }

  get jsvars(): number | null {
    return this.#memory.jsvars;
  }

  /** What the programs run so far left in memory: for fitting prices. */
  memory(): Bag {
    return this.#memory.features;
  }

  charge(cycles: number): void {
    this.#extraCycles += cycles;
  }

  run(source: string, fileName: string, where: 'ram' | 'flash' = 'ram'): Outcome {
    let unit: Unit | null = null;
    this.#files.add(fileName);
    const outcome = this.#attempt(fileName, () => {
      unit = unitOf(source, this.#known, this.#model);
      return this.#sandbox.evaluate(this.#prepare(unit, fileName), fileName);
    });
    if (unit !== null) this.#memory.remember(unit, where);
    return outcome;
  }

  call(fn: unknown, args: unknown[]): Outcome {
    const inner = args.map((arg) => this.#sandbox.inward(arg));
    return this.#attempt('', () => {
      const value = (fn as (...values: unknown[]) => unknown)(...inner);
      // An evaluation runs the promise jobs that the call left.
      this.#sandbox.evaluate('0', 'jobs');
      return value;
    });
  }

  functionText(fn: unknown): string {
    return this.#controls.textOf(fn);
  }

  profile(): Map<string, number> {
    const features = new Map<string, number>();
    const counts = this.#controls.blockCounts();
    this.#blocks.forEach(({ bag }, at) => {
      const times = counts[at] ?? 0;
      if (times !== 0) for (const [name, count] of bag) features.set(name, (features.get(name) ?? 0) + count * times);
    });
    const dynamic = this.#controls.dynamicCounts();
    dynamicNames.forEach((name, at) => {
      const count = dynamic[at] ?? 0;
      if (count !== 0) features.set(name, (features.get(name) ?? 0) + count);
    });
    return features;
  }

  callProfile(): ExecutionProfile {
    const counters = this.#controls.callCounters();
    if (counters === null) throw new Error('calls are not counted');
    const counted = { blocks: this.#blocks, textOf: this.#textOf, counts: this.#controls.blockCounts() };
    const { calls, places } = executionProfile(counted, counters, this.#model);
    const inPrograms = calls.reduce((sum, { selfUnits }) => sum + selfUnits, 0);
    return { texts: this.#texts, calls, places, elsewhereUnits: this.#units - this.#unitsAtReset - inPrograms };
  }

  resetProfile(): void {
    this.#controls.reset();
    this.#unitsAtReset = this.#units;
  }

  /** Instrumented text of a program or a line. */
  #prepare(unit: Unit, fileName: string): string {
    const isProfiled = this.#profiling !== 'nothing';
    const instrumented: Instrumented = instrument(
      unit,
      this.#model,
      isProfiled ? { profile: { firstBlock: this.#blocks.length, countsCalls: this.#profiling === 'calls' } } : {},
    );
    const { code, blocks } = instrumented;
    this.#functionTexts.add(instrumented);
    if (isProfiled) {
      this.#blocks.push(...blocks);
      for (const _ of blocks) this.#textOf.push(this.#texts.length);
      this.#texts.push({ fileName, source: unit.source });
    }
    this.#known = [...unit.scopes.global.variables.keys()];
    // Kaluma parses everything as strict code; Espruino knows no strict mode.
    return this.#board.engine === 'kaluma' ? `'use strict';${code}` : code;
  }

  #eval(text: unknown): unknown {
    if (typeof text !== 'string') return text;
    return this.#sandbox.evaluate(this.#prepare(unitOf(text, this.#known, this.#model), 'eval'), 'eval');
  }

  #chargeHostCall(): void {
    this.#spent += this.#model.prices['call.native'] ?? 0;
  }

  #attempt(fileName: string, work: () => unknown): Outcome {
    if (this.#depth === 0) {
      this.#death = null;
      this.#controls.revive();
      this.#controls.unwind();
      this.#settle();
      this.#budgetEnd =
        this.#options.cycleBudget === undefined
          ? Infinity
          : this.#units + this.#options.cycleBudget / this.cyclesPerUnit;
    }
    this.#depth++;
    try {
      const value = work();
      return { kind: 'value', value, text: textOf(value) };
    } catch (error) {
      return this.#failure(error, fileName);
    } finally {
      this.#depth--;
      this.#settle();
    }
  }

  #failure(error: unknown, fileName: string): Outcome {
    if (this.#controls.isInterruption(error)) return { kind: this.#death ?? 'interrupted' };
    return failureOf(error, fileName, this.#files);
  }

  /** Closes the slice: what was charged counts, and a full slice is ahead. */
  #settle(): void {
    this.#spent += this.#slice - this.#controls.left();
    this.#slice = sliceUnits;
    this.#controls.setLeft(sliceUnits);
  }

  #refill(left: number): number {
    this.#spent += this.#slice - left;
    if (this.#spent > this.#budgetEnd || this.#options.isInterrupted?.() === true) {
      this.#death = 'interrupted';
      // The counter stays at -1 until the run has ended.
      this.#slice = -1;
      return -1;
    }
    this.#slice = Math.max(1, Math.min(sliceUnits, Math.ceil(this.#budgetEnd - this.#spent)));
    return this.#slice;
  }

  /** What the prelude calls: how much may be allocated until the next time, -1 when the run is over. */
  #collect(asked: number): number {
    const { units, left } = this.#memory.collect(asked);
    this.#spent += units;
    return left ?? this.#full();
  }

  #look(asked: number): number {
    return this.#memory.look(asked) ?? this.#full();
  }

  #full(): number {
    this.#death = 'outOfMemory';
    return -1;
  }
}
