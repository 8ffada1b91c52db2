/**
 * A world for a program in which only what its board has exists: a fresh V8 context whose globals are cut down to the
 * engine's, with the host's functions behind wrappers that belong to the context.
 *
 * Invariants:
 * S1  No object of the host's world is reachable: host functions are called from wrappers made inside; their arguments
 *     and results are copied to objects of the world where they arrive, their exceptions made anew.
 * S2  Text becomes code only through the instrumentation: `eval` is replaced, `Function` refuses strings.
 * S3  Promise jobs run inside an evaluation, so nothing runs when the host did not ask.
 *
 * Reference: Node's vm documentation; the escapes that test/engine/escape.test.ts tries.
 */
import process from 'node:process';
import { constants, createContext, runInContext, Script } from 'node:vm';
import type { Board } from '../../boards/board.ts';
import * as builtins from '../../firmware/toolchain/builtins.ts';

import { marker } from './marker.ts';

export type HostFunctions = Record<string, unknown>;

type InnerFunction = (...args: unknown[]) => unknown;

/** Every context has these; no engine here does, or the board gives its own. */
const neverThere = [
  'console',
  'WebAssembly',
  'SharedArrayBuffer',
  'Atomics',
  'Intl',
  'FinalizationRegistry',
  'WeakRef',
  'escape',
  'unescape',
];

/** Where the prelude finds builtins that the engine lacks. */
export const intrinsics = `${marker}i`;

/** Runs inside: makes wrappers, copies, and takes away what the engine lacks. Gives the host what it needs of it. */
const setupText = `'use strict';
((lacks) => {
  const { Error, TypeError, RangeError, SyntaxError, ReferenceError, Object, Array, Uint8Array, Map, Reflect, String } = globalThis;
  const { isArray } = Array;
  const getPrototypeOf = Object.getPrototypeOf, ObjectPrototype = Object.prototype;
  // What the machinery needs of the language, kept before the engine's gaps are made; the prelude takes it away.
  globalThis.${intrinsics} = { isView: ArrayBuffer.isView, isArray };
  const errors = { Error, TypeError, RangeError, SyntaxError, ReferenceError };
  const defineProperty = Object.defineProperty;
  defineProperty(Error, 'prepareStackTrace', { value: undefined, writable: false, configurable: false });
  defineProperty(Error, 'stackTraceLimit', { value: 10, writable: false, configurable: false });
  delete Error.captureStackTrace;
  for (const name of lacks.globals) delete globalThis[name];
  for (const [name, allowed] of Object.entries(lacks.onlyStatics)) {
    const object = globalThis[name];
    if (object) for (const key of Object.getOwnPropertyNames(object))
      if (!allowed.includes(key) && !['length', 'name', 'prototype'].includes(key)) Reflect.deleteProperty(object, key);
  }
  for (const [name, keys] of Object.entries(lacks.statics)) for (const key of keys) if (globalThis[name]) Reflect.deleteProperty(globalThis[name], key);
  const prototypes = ['Array', 'String', 'Number', 'Object', 'Promise', 'Function', 'RegExp', 'ArrayBuffer'].map((name) => globalThis[name]?.prototype);
  prototypes.push(Object.getPrototypeOf(Uint8Array.prototype));
  for (const prototype of prototypes) if (prototype) for (const key of lacks.methods) Reflect.deleteProperty(prototype, key);
  return {
    copyBytes: (length) => new Uint8Array(length),
    object: () => ({}),
    array: () => [],
    put: (object, key, value) => { defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true }); },
    error: (name, message) => new (errors[name] ?? Error)(message),
    isOurs: (value) => {
      for (let at = value; at !== null && (typeof at === 'object' || typeof at === 'function'); at = getPrototypeOf(at))
        if (at === ObjectPrototype) return true;
      return false;
    },
    wrap: (call, name) => {
      const wrapper = { [name](...args) {
        let result;
        try { result = call(args); } catch (e) { throw new RangeError('Maximum call stack size exceeded'); }
        if (result.thrown) throw result.value;
        return result.value;
      } }[name];
      return function (...args) { return new.target ? wrapper(...args) : Reflect.apply(wrapper, this, args); };
    },
  };
})`;

interface Inside {
  copyBytes(length: number): Uint8Array;
  object(): Record<string, unknown>;
  array(): unknown[];
  put(object: object, key: string | number, value: unknown): void;
  error(name: string, message: string): unknown;
  isOurs(value: unknown): boolean;
  wrap(call: (args: unknown[]) => unknown, name: string): InnerFunction;
}

/** What of the language's own objects the board's engine lacks. */
function lacksOf(board: Board): {
  globals: string[];
  statics: object;
  onlyStatics: object;
  methods: readonly string[];
} {
  if (board.engine === 'kaluma')
    return {
      globals: [...neverThere, ...builtins.kalumaLacksGlobals],
      statics: { ...builtins.kalumaLacksStatics, Object: ['hasOwn', 'groupBy'] },
      onlyStatics: {},
      methods: builtins.kalumaLacksMethods,
    };
  const small = board.features.modernSyntax === false;
  return {
    globals: [...neverThere, ...builtins.espruinoLacksGlobals, ...(small ? builtins.espruinoSmallLacksGlobals : [])],
    statics: small ? builtins.espruinoSmallLacksStatics : {},
    onlyStatics: builtins.espruinoStatics,
    methods: [...builtins.espruinoLacksMethods, ...(small ? builtins.espruinoSmallLacksMethods : [])],
  };
}

/** No evaluation may hold the host longer, whatever builtin it is stuck in. */
const longestEvaluationMs = 120_000;

let watchesRejections = false;

/** A promise of a program that nobody handles is the board's matter; Node would end the whole process. */
function ignoreRejectionsInside(): void {
  if (watchesRejections) return;
  watchesRejections = true;
  process.on('unhandledRejection', (reason, promise) => {
    if (promise instanceof Promise) throw reason;
  });
}

export class Sandbox {
  /** The context's global object. */
  readonly global: Record<string, unknown>;
  readonly #inside: Inside;
  readonly #readers = new Map<string, Script>();
  /** Wrappers already made, so that a host function is the same function each time it is seen. */
  readonly #wrapped = new Map<unknown, InnerFunction>();

  constructor(board: Board) {
    ignoreRejectionsInside();
    // A global object without interceptors: a program's variables are as fast as V8 makes them.
    const plain = (constants as unknown as { DONT_CONTEXTIFY?: symbol }).DONT_CONTEXTIFY;
    const base = plain === undefined ? Object.create(null) : plain;
    this.global = createContext(base as object, {
      codeGeneration: { strings: false, wasm: false },
      microtaskMode: 'afterEvaluate',
    }) as Record<string, unknown>;
    const setup = runInContext(setupText, this.global) as (lacks: unknown) => Inside;
    this.#inside = setup(structuredCloneInto(lacksOf(board)));
  }

  evaluate(code: string, fileName: string): unknown {
    return new Script(code, { filename: fileName }).runInContext(this.global, { timeout: longestEvaluationMs });
  }

  /** A global variable's value; undefined where it has none yet. */
  read(name: string): unknown {
    if (Object.hasOwn(this.global, name)) return this.global[name];
    // let and const are no properties of the global object: only code sees them.
    let script = this.#readers.get(name);
    if (!script) {
      script = new Script(name, { filename: 'memory' });
      this.#readers.set(name, script);
    }
    try {
      return script.runInContext(this.global);
    } catch {
      return undefined;
    }
  }

  /** Puts the host's functions and values into the global scope. */
  provide(functions: HostFunctions, onCall: (name: string) => void): void {
    for (const [name, value] of Object.entries(functions))
      this.#inside.put(this.global, name, this.inward(value, name, onCall));
  }

  /** A host value as the program may have it. */
  inward(value: unknown, name = '', onCall: (name: string) => void = () => {}): unknown {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return value;
    const inside = this.#inside;
    if (inside.isOurs(value)) return value;
    if (typeof value === 'function') return this.#wrap(value as InnerFunction, name, onCall);
    if (ArrayBuffer.isView(value)) {
      const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
      const copy = inside.copyBytes(bytes.length);
      copy.set(bytes);
      return copy;
    }
    if (value instanceof Promise) return undefined;
    if (Array.isArray(value)) {
      const copy = inside.array();
      value.forEach((item, at) => {
        inside.put(copy, at, this.inward(item, name, onCall));
      });
      return copy;
    }
    const copy = inside.object();
    for (const [key, item] of Object.entries(value))
      inside.put(copy, key, this.inward(item, name ? `${name}.${key}` : key, onCall));
    return copy;
  }

  #wrap(fn: InnerFunction, name: string, onCall: (name: string) => void): InnerFunction {
    const known = this.#wrapped.get(fn);
    if (known) return known;
    const inside = this.#inside;
    // The record and its fields are the context's own: the host's exceptions never cross.
    const call = (args: unknown[]): unknown => {
      const result = inside.object();
      try {
        onCall(name);
        inside.put(result, 'value', this.inward(fn(...args), name, onCall));
      } catch (error) {
        const { name: kind = 'Error', message = String(error) } = (error ?? {}) as { name?: string; message?: string };
        inside.put(result, 'value', inside.isOurs(error) ? error : inside.error(String(kind), String(message)));
        inside.put(result, 'thrown', true);
      }
      return result;
    };
    const wrapper = inside.wrap(call, name.split('.').pop() || 'native');
    this.#wrapped.set(fn, wrapper);
    return wrapper;
  }
}

/** Data of ours for the setup to read; it keeps none of it. */
function structuredCloneInto(value: object): object {
  return JSON.parse(JSON.stringify(value)) as object;
}
