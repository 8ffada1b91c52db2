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

/** What a closure keeps, or null; how the engine is to be asked. */
export type Keeps = (fn: unknown) => readonly unknown[] | null;

/**
 * What values and all they hold take: bytes of JerryScript's heap, or Espruino's variables. Each object counts once, and
 * so does each text that is a key.
 */
export class LiveSize {
  size = 0;
  readonly #isJerry: boolean;
  readonly #bytesEach: number;
  readonly #keeps: Keeps;
  readonly #seen = new Set<unknown>();
  readonly #keys = new Set<string>();

  constructor(engine: 'espruino' | 'jerryscript', bytesEach: number, keeps: Keeps) {
    this.#isJerry = engine === 'jerryscript';
    this.#bytesEach = bytesEach;
    this.#keeps = keeps;
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
      const kept = typeof held === 'function' ? this.#keeps(held) : null;
      if (kept !== null) {
        this.size += this.#isJerry
          ? jerrySizes.closure + jerrySizes.pair * Math.ceil(kept.length / 2)
          : variables.closure + kept.length;
        waiting.push(...kept);
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
