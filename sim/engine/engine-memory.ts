/**
 * The engine's own memory as a run fills it: what loaded programs left, what their values have grown by since, when the
 * engine looks for garbage, and when it is full.
 */
import process from 'node:process';
import type { Board } from '../../boards/board.ts';
import { espruinoCosts, jerryscriptCosts } from './costs.ts';
import { espruinoMemory } from './espruino/memory.ts';
import { addTo, type Bag, priceOf } from './features.ts';
import { jerryscriptMemory } from './jerryscript/memory.ts';
import type { Unit } from './model.ts';
import type { Controls } from './prelude.ts';
import { LiveSize } from './sizes.ts';

const defaultVariableBytes = 13;
/** A program that holds more of the host's memory than this in typed arrays is out of its board's many times over. */
const hostBytesLimit = 1 << 28;
/** Bytes of text made between two looks whether the heap is full. */
const smallestLook = 2048;
/** JerryScript's heap gives out multiples of this (jmem.h JMEM_ALIGNMENT). */
const heapGranule = 8;

/** What the memory sees of the world. */
export interface Roots {
  controls: Controls;
  /** Names of the session's global variables. */
  globals(): readonly string[];
  read(name: string): unknown;
}

export class EngineMemory {
  /** Features that the programs run so far left: bytes or variables by the table of memory prices. */
  readonly features: Bag = new Map();
  readonly #board: Board;
  readonly #roots: Roots;
  /** Bytes of the engine's heap, or its variables. */
  readonly #heapSize: number;
  readonly #bytesEach: number;
  readonly #hostBytesAtStart = process.memoryUsage().arrayBuffers;
  readonly #gc = jerryscriptCosts.collection;
  #liveAtLoad = 0;

  constructor(board: Board, roots: Roots) {
    this.#board = board;
    this.#roots = roots;
    this.#heapSize = (board.engine === 'kaluma' ? board.engineHeapBytes : board.jsvars?.count) ?? Infinity;
    this.#bytesEach = board.jsvars?.bytesEach ?? defaultVariableBytes;
    roots.controls.setMemoryLeft(this.#toCollection(this.#held(0)));
  }

  get heapBytes(): number | null {
    if (this.#board.engine !== 'kaluma') return null;
    const bytes = Math.max(0, priceOf(this.features, jerryscriptCosts.memory));
    return (this.#board.engineHeapUsedAtBootBytes ?? 0) + heapGranule * Math.round(bytes / heapGranule);
  }

  get jsvars(): number | null {
    if (this.#board.engine !== 'espruino') return null;
    return espruinoCosts.jsvarsAtBoot + Math.round(priceOf(this.features, espruinoCosts.memory));
  }

  /** Adds what a program left; the next collection is so much away. */
  remember(unit: Unit, where: 'ram' | 'flash'): void {
    const { controls, read } = this.#roots;
    const left =
      this.#board.engine === 'espruino'
        ? espruinoMemory(unit, where, read, this.#bytesEach, controls)
        : jerryscriptMemory(unit, read, controls);
    for (const [feature, count] of left) addTo(this.features, feature, count);
    this.#liveAtLoad = this.#live().size;
    controls.setMemoryLeft(this.#toCollection(this.#held(this.#liveAtLoad)));
  }

  /**
   * So much was allocated that the engine looks for garbage: what that takes in units, and how much may be allocated
   * until the next time. `left` is null when what is live and what was just asked for do not fit.
   */
  collect(asked: number): { units: number; left: number | null } {
    const live = this.#live();
    const units = this.#board.engine === 'kaluma' ? this.#gc.units + this.#gc.unitsPerObject * live.objects : 0;
    return { units, left: this.#fits(live, asked) ? this.#toCollection(this.#held(live.size)) : null };
  }

  /** So much text was made that what is held may not fit: how much more before the next look; null when it does not. */
  look(asked: number): number | null {
    const live = this.#live();
    if (!this.#fits(live, asked)) return null;
    return Math.max(smallestLook, (this.#heapSize - this.#held(live.size)) / 2);
  }

  /** Memory in use: what loading left, and what the program's values have grown by since. */
  #held(liveSize: number): number {
    return (this.heapBytes ?? this.jsvars ?? 0) + liveSize - this.#liveAtLoad;
  }

  /** JerryScript collects when its heap's use passes a multiple of the limit. */
  #toCollection(heldSize: number): number {
    const room = this.#heapSize - heldSize;
    // Espruino frees at once what nothing refers to; looking now and then is only to find a full heap.
    if (this.#board.engine === 'espruino') return Math.max(1, Math.min(Math.ceil(this.#heapSize / 4), room));
    const { limitBytes, smallestBytes } = this.#gc;
    const next = limitBytes - (heldSize % limitBytes);
    return Math.max(1, Math.min(next < smallestBytes ? next + limitBytes : next, room));
  }

  #fits(live: LiveSize, asked: number): boolean {
    const heldElsewhere = process.memoryUsage().arrayBuffers - this.#hostBytesAtStart;
    return this.#held(live.size) + asked <= this.#heapSize && heldElsewhere <= hostBytesLimit;
  }

  /** What the program's globals, closures and running functions hold. */
  #live(): LiveSize {
    const { controls, globals, read } = this.#roots;
    const live = new LiveSize(this.#board.engine === 'kaluma' ? 'jerryscript' : 'espruino', this.#bytesEach, controls);
    for (const name of globals()) live.add(read(name));
    const held = controls.locals();
    for (let at = 0; at < held.length; at++) live.add(held[at]);
    return live;
  }
}
