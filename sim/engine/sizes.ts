/**
 * What values take of an engine's memory while a program runs: bytes of JerryScript's heap, or Espruino's variables.
 *
 * Reference: jerryscript v2.4.0 jerry-core/ecma/base/ecma-globals.h, jmem/jmem.h; espruino/Espruino src/jsvar.h (what
 * fits into one variable). Sizes measured with process.memoryUsage() and process.memory().
 */
import { types } from 'node:util';

/** JerryScript's heap gives out multiples of this. */
export const jerryGranule = 8;
/** Measured on Kaluma 1.2.1: Uint8Array(n) 48 + n, a view 32, {} 16, 1-2 properties 24 more, [] 24, 8 elements 32 more. */
const jerrySizes = {
  typed: 48,
  view: 32,
  object: 16,
  pair: 24,
  array: 24,
  element: 4,
  closure: 40,
  map: 56,
  mapEntry: 12,
} as const;
/** Measured on Espruino 2v29: a closure takes 5 to 7 variables. */
const variables = { closure: 5 } as const;
/** Characters in the variable of a name, and in each that continues it (espruino/Espruino src/jsvar.h). */
export const nameCharacters = 4;
export const stringCharacters = 8;
/** Of a variable, what is no text: its flags and the link to the next piece. */
const pieceOverheadBytes = 4;
/** Longer data is one flat string: a header, then whole variables. */
const flatFromBytes = 26;

export const more = (length: number, first: number, bytesEach: number): number =>
  Math.max(0, Math.ceil((length - first) / (bytesEach - pieceOverheadBytes)));

export function dataVariables(bytes: number, bytesEach: number): number {
  return bytes < flatFromBytes ? 1 + more(bytes, stringCharacters, bytesEach) : 1 + Math.ceil(bytes / bytesEach);
}

/** What a function of the program keeps on itself and on its prototype, by name. */
export function methodsOf(held: object): [string, unknown][] {
  const prototype: unknown = Object.getOwnPropertyDescriptor(held, 'prototype')?.value;
  const own = Object.entries(held);
  if (typeof prototype !== 'object' || prototype === null) return own;
  const named = Object.entries(Object.getOwnPropertyDescriptors(prototype));
  return [
    ...own,
    ...named.filter(([key]) => key !== 'constructor').map(([key, { value }]): [string, unknown] => [key, value]),
  ];
}

/** What a closure keeps: variables of its own, and calls whose variables it shares with other closures. */
export interface Kept {
  readonly own: readonly unknown[];
  /** What stands for each call: the same object for each closure that shares it. */
  readonly calls: readonly object[];
}

/** How the engine is asked for what closures keep. */
export interface Closures {
  /** Null where the function keeps nothing. */
  keeps(fn: unknown): Kept | null;
  /** What the variables of a call hold. */
  environment(call: unknown): readonly unknown[];
}

/** The variables that a closure keeps and that were not counted yet, a list for itself and each call. */
export function keptAnew(closures: Closures, fn: unknown, seen: Set<unknown>): readonly (readonly unknown[])[] | null {
  const kept = closures.keeps(fn);
  if (kept === null) return null;
  const lists = [kept.own];
  for (let at = 0; at < kept.calls.length; at++) {
    const call = kept.calls[at]!;
    if (!seen.has(call)) lists.push(closures.environment(call));
    seen.add(call);
  }
  return lists;
}

/**
 * What values and all they hold take: bytes of JerryScript's heap, or Espruino's variables. Each object counts once, and
 * so does each text that is a key.
 */
export class LiveSize {
  size = 0;
  readonly #isJerry: boolean;
  readonly #bytesEach: number;
  readonly #closures: Closures;
  readonly #seen = new Set<unknown>();
  readonly #keys = new Set<string>();
  /** Calls whose variables were counted. */
  readonly #calls = new Set<unknown>();

  constructor(engine: 'espruino' | 'jerryscript', bytesEach: number, closures: Closures) {
    this.#isJerry = engine === 'jerryscript';
    this.#bytesEach = bytesEach;
    this.#closures = closures;
  }

  get objects(): number {
    return this.#seen.size;
  }

  /** Adds a value. Lists may be long: what is held is kept on a list, not on the stack. */
  add(value: unknown): void {
    const waiting: unknown[] = [value];
    while (waiting.length > 0) {
      const held = waiting.pop();
      if (typeof held === 'string') this.size += this.#text(held);
      else if (typeof held === 'number') this.size += Number.isInteger(held) ? 0 : this.#isJerry ? jerryGranule : 1;
      // Espruino keeps a number in its slot; what is true, false or null takes a variable.
      else if (held === null || typeof held === 'boolean') this.size += this.#isJerry ? 0 : 1;
      else if ((typeof held === 'object' || typeof held === 'function') && !this.#seen.has(held)) {
        this.#seen.add(held);
        this.#object(held, waiting);
      }
    }
  }

  #text(text: string): number {
    return this.#isJerry
      ? jerryGranule * Math.ceil((text.length + jerryGranule) / jerryGranule)
      : 1 + more(text.length, stringCharacters, this.#bytesEach);
  }

  #object(held: object, waiting: unknown[]): void {
    if (ArrayBuffer.isView(held)) this.#bytes(held.buffer, held);
    else if (types.isAnyArrayBuffer(held)) this.#bytes(held, null);
    else if (Array.isArray(held)) {
      this.size += this.#isJerry
        ? jerrySizes.array + jerrySizes.element * 8 * Math.ceil(held.length / 8)
        : 1 + held.length;
      // The world's own methods are metered: its arrays are only indexed.
      for (let at = 0; at < held.length; at++) waiting.push(held[at]);
    } else if (types.isMap(held) || types.isSet(held)) {
      this.size += jerrySizes.map + jerrySizes.mapEntry * held.size;
      Map.prototype.forEach.call(types.isMap(held) ? held : new Map(), (value: unknown, key: unknown) =>
        waiting.push(key, value),
      );
      Set.prototype.forEach.call(types.isSet(held) ? held : new Set(), (value: unknown) => waiting.push(value));
    } else {
      const lists = typeof held === 'function' ? keptAnew(this.#closures, held, this.#calls) : null;
      if (lists !== null) this.size += this.#isJerry ? jerrySizes.closure : variables.closure;
      for (const kept of lists ?? []) {
        this.size += this.#isJerry ? jerrySizes.pair * Math.ceil(kept.length / 2) : kept.length;
        for (let at = 0; at < kept.length; at++) waiting.push(kept[at]);
      }
      const entries = Object.entries(held);
      if (typeof held === 'object')
        this.size += this.#isJerry ? jerrySizes.object + jerrySizes.pair * Math.ceil(entries.length / 2) : 1;
      for (const [key, value] of entries) {
        this.size += this.#isJerry ? this.#newKey(key) : 1 + more(key.length, nameCharacters, this.#bytesEach);
        waiting.push(value);
      }
    }
  }

  #bytes(buffer: ArrayBufferLike, view: object | null): void {
    const isNew = view === null || !this.#seen.has(buffer);
    this.#seen.add(buffer);
    const bytes = isNew ? buffer.byteLength : 0;
    this.size += this.#isJerry
      ? (isNew ? jerrySizes.typed : jerrySizes.view) + jerryGranule * Math.ceil(bytes / jerryGranule)
      : 1 + (isNew ? 1 + dataVariables(bytes, this.#bytesEach) : 0);
  }

  /** JerryScript keeps each name once. */
  #newKey(key: string): number {
    if (this.#keys.has(key)) return 0;
    this.#keys.add(key);
    return key.length > 1 ? this.#text(key) : 0;
  }
}
