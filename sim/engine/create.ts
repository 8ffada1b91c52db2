/**
 * The engine of a virtual board: source text in, an outcome and a cycle count out. Programs are instrumented
 * (instrument.ts), run in a world of their own (sandbox.ts), and charged by the model of their board's engine.
 *
 * Determinism: nothing here reads a clock or chance; the same text gives the same cycles.
 */
import process from 'node:process';
import { Parser, type Program } from 'acorn';
import type { Board } from '../../boards/board.ts';
import { type AnyNode, childrenOf } from './ast.ts';
import { espruinoCosts, espruinoCyclesPerInstruction, jerryscriptCosts } from './costs.ts';
import type { Engine, EngineOptions, Outcome } from './engine.ts';
import { espruinoMemory } from './espruino/memory.ts';
import { espruinoModel } from './espruino/model.ts';
import { addTo, type Bag, priceOf } from './features.ts';
import { FunctionTexts } from './function-text.ts';
import { type Instrumented, instrument } from './instrument.ts';
import { jerryscriptMemory } from './jerryscript/memory.ts';
import { jerryscriptModel } from './jerryscript/model.ts';
import { marker } from './marker.ts';

import type { Block, CostModel, Unit } from './model.ts';
import { type Controls, dynamicNames, preludeText } from './prelude.ts';
import { type ExecutionProfile, executionProfile } from './profile.ts';
import { type HostFunctions, Sandbox } from './sandbox.ts';
import { analyseScopes } from './scopes.ts';
import { LiveSize } from './sizes.ts';

/** Charges between two looks at the budget and at Ctrl-C. */
const sliceUnits = 1 << 20;
const profileBlocks = 1 << 16;
const defaultVariableBytes = 13;
/** A program that holds more of the host's memory than this in typed arrays is out of its board's many times over. */
const hostBytesLimit = 1 << 28;
/** Bytes of text made between two looks whether the heap is full. */
const smallestLook = 2048;
/** JerryScript's heap gives out multiples of this (jmem.h JMEM_ALIGNMENT). */
const heapGranule = 8;

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

export function createEngine(board: Board, functions: HostFunctions = {}, options: EngineOptions = {}): Engine {
  return new ModelEngine(board, functions, options, 'nothing');
}

/** An engine that also counts features apart: for fitting prices. */
export function createProfiledEngine(board: Board): ProfiledEngine {
  return new ModelEngine(board, {}, {}, 'features');
}

/** An engine that also tells apart what each place of its programs and each call takes (profile.ts). */
export function createCallProfiledEngine(
  board: Board,
  functions: HostFunctions = {},
  options: EngineOptions = {},
): CallProfiledEngine {
  return new ModelEngine(board, functions, options, 'calls');
}

export function modelOf(board: Board, withFlashCache = false): CostModel {
  if (board.engine === 'espruino') return espruinoModel(espruinoCosts.prices);
  const { prices, flashMisses, allocations } = jerryscriptCosts;
  const missCycles = withFlashCache ? (board.flashMissCycles ?? 0) : 0;
  const names = Object.keys({ ...prices, ...flashMisses });
  const all = names.map((name) => [name, (prices[name] ?? 0) + missCycles * (flashMisses[name] ?? 0)]);
  return jerryscriptModel(Object.fromEntries(all), allocations);
}

/** Parses and analyses a text; throws acorn's SyntaxError. */
export function unitOf(source: string, known: readonly string[]): Unit {
  if (source.includes(marker)) throw new SyntaxError(`Invalid character U+01C2 (1:1)`);
  const program = Parser.parse(source, { ecmaVersion: 2022, sourceType: 'script', allowHashBang: false }) as Program;
  refuseModules(program as unknown as AnyNode);
  return { source, program, scopes: analyseScopes(program, known), known };
}

/** Neither board loads modules by `import()`, and Node's refusal would be an object of the host. */
function refuseModules(node: AnyNode): void {
  if (node.type === 'ImportExpression' || node.type === 'MetaProperty')
    throw new SyntaxError('import is not supported (1:1)');
  for (const child of childrenOf(node)) refuseModules(child);
}

class ModelEngine implements ProfiledEngine, CallProfiledEngine {
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
  /** Bytes of the engine's heap, or its variables. */
  readonly #heapSize: number;
  #liveAtLoad = 0;
  readonly #hostBytesAtStart = process.memoryUsage().arrayBuffers;
  readonly #gc = jerryscriptCosts.collection;
  readonly #memory: Bag = new Map();
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
    functions: HostFunctions,
    options: EngineOptions,
    profiling: 'nothing' | 'features' | 'calls',
  ) {
    this.#board = board;
    this.#options = options;
    this.#profiling = profiling;
    this.#model = modelOf(board, options.withFlashCache);
    this.#heapSize = (board.engine === 'kaluma' ? board.engineHeapBytes : board.jsvars?.count) ?? Infinity;
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
    this.#controls.setMemoryLeft(this.#memoryToCollection(this.#heldSize(0)));
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
    if (this.#board.engine !== 'kaluma') return null;
    const bytes = Math.max(0, priceOf(this.#memory, jerryscriptCosts.memory));
    return (this.#board.engineHeapUsedAtBootBytes ?? 0) + heapGranule * Math.round(bytes / heapGranule);
  }

  get jsvars(): number | null {
    if (this.#board.engine !== 'espruino') return null;
    return espruinoCosts.jsvarsAtBoot + Math.round(priceOf(this.#memory, espruinoCosts.memory));
  }

  /** What the programs run so far left in memory: for fitting prices. */
  memory(): Bag {
    return this.#memory;
  }

  charge(cycles: number): void {
    this.#extraCycles += cycles;
  }

  run(source: string, fileName: string): Outcome {
    let unit: Unit | null = null;
    this.#files.add(fileName);
    const outcome = this.#attempt(fileName, () => {
      unit = unitOf(source, this.#known);
      return this.#sandbox.evaluate(this.#prepare(unit, fileName), fileName);
    });
    if (unit !== null) this.#remember(unit);
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

  /** Adds what a program left in the engine's memory; the next collection is so much away. */
  #remember(unit: Unit): void {
    const readGlobal = (name: string): unknown => this.#sandbox.read(name);
    const left =
      this.#board.engine === 'espruino'
        ? espruinoMemory(unit, readGlobal, this.#board.jsvars?.bytesEach ?? defaultVariableBytes, this.#controls)
        : jerryscriptMemory(unit, readGlobal, this.#controls);
    for (const [feature, count] of left) addTo(this.#memory, feature, count);
    this.#liveAtLoad = this.#live().size;
    this.#controls.setMemoryLeft(this.#memoryToCollection(this.#heldSize(this.#liveAtLoad)));
  }

  /** Memory in use: what loading left, and what the program's values have grown by since. */
  #heldSize(liveSize: number): number {
    return (this.heapBytes ?? this.jsvars ?? 0) + liveSize - this.#liveAtLoad;
  }

  /** JerryScript collects when its heap's use passes a multiple of the limit. */
  #memoryToCollection(heldSize: number): number {
    const room = this.#heapSize - heldSize;
    // Espruino frees at once what nothing refers to; looking now and then is only to find a full heap.
    if (this.#model.engine === 'espruino') return Math.max(1, Math.min(Math.ceil(this.#heapSize / 4), room));
    const { limitBytes, smallestBytes } = this.#gc;
    const next = limitBytes - (heldSize % limitBytes);
    return Math.max(1, Math.min(next < smallestBytes ? next + limitBytes : next, room));
  }

  #eval(text: unknown): unknown {
    if (typeof text !== 'string') return text;
    return this.#sandbox.evaluate(this.#prepare(unitOf(text, this.#known), 'eval'), 'eval');
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

  /** Where the program was, from the frames of its own texts. */
  #linesOf(stack: string): number[] {
    const files = [...this.#files].map(escapeText).join('|');
    const frames = stack.matchAll(new RegExp(`^ +at (?:.* \\()?(?:${files}):(\\d+):\\d+\\)?$`, 'gm'));
    return [...frames].map(([, line]) => Number(line));
  }

  #failure(error: unknown, fileName: string): Outcome {
    if (this.#controls.isInterruption(error)) return { kind: this.#death ?? 'interrupted' };
    if (error === null || (typeof error !== 'object' && typeof error !== 'function'))
      return { kind: 'error', name: '', message: textOf(error), line: null };
    const { name, message, stack } = error as Error;
    // Both engines end a program that recurses too deeply; neither lets it see an error.
    if (name === 'RangeError' && message === 'Maximum call stack size exceeded') return { kind: 'outOfMemory' };
    const syntax = / \((\d+):(\d+)\)$/.exec(String(message));
    if (syntax) {
      const [place, line, column] = syntax;
      return {
        kind: 'error',
        name: String(name),
        message: String(message).slice(0, -place.length),
        line: Number(line),
        column: Number(column) + 1,
      };
    }
    const own = new RegExp(`${escapeText(fileName)}:(\\d+)`).exec(String(stack));
    // What is thrown need not be an Error.
    const isError = name !== undefined || message !== undefined;
    return {
      kind: 'error',
      name: isError ? String(name) : '',
      message: isError ? String(message) : String(Object.prototype.toString.call(error)),
      line: own ? Number(own[1]) : null,
      lines: this.#linesOf(String(stack)),
    };
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

  /**
   * So much was allocated that the engine looks for garbage. When what is live and what was just asked for do not fit,
   * the run ends as the real engine ends it.
   */
  #collect(asked: number): number {
    const live = this.#live();
    if (this.#model.engine === 'jerryscript') this.#spent += this.#gc.units + this.#gc.unitsPerObject * live.objects;
    return this.#fits(live, asked) ? this.#memoryToCollection(this.#heldSize(live.size)) : -1;
  }

  /** So much text was made that what is held may not fit: gives how much more before the next look. */
  #look(asked: number): number {
    const live = this.#live();
    if (!this.#fits(live, asked)) return -1;
    return Math.max(smallestLook, (this.#heapSize - this.#heldSize(live.size)) / 2);
  }

  #fits(live: LiveSize, asked: number): boolean {
    const heldElsewhere = process.memoryUsage().arrayBuffers - this.#hostBytesAtStart;
    const fits = this.#heldSize(live.size) + asked <= this.#heapSize && heldElsewhere <= hostBytesLimit;
    if (!fits) this.#death = 'outOfMemory';
    return fits;
  }

  /** What the program's globals, closures and running functions hold. */
  #live(): LiveSize {
    const bytesEach = this.#board.jsvars?.bytesEach ?? defaultVariableBytes;
    const live = new LiveSize(this.#model.engine, bytesEach, this.#controls);
    for (const name of this.#known) live.add(this.#sandbox.read(name));
    const held = this.#controls.locals();
    for (let at = 0; at < held.length; at++) live.add(held[at]);
    return live;
  }
}

const escapeText = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function textOf(value: unknown): string {
  try {
    return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
  } catch {
    return '[object]';
  }
}
