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
import { constants, createContext, Script } from 'node:vm';
import type { Board } from '../../boards/board.ts';
import * as small from '../../firmware/toolchain/builtins.ts';
import builtins from './builtins.json' with { type: 'json' };
import { marker } from './marker.ts';

/** Under this key lie the functions that are methods of numbers, called with the number first: a pin is one on Espruino. */
export const numberMethods = Symbol('methods of numbers');

/** Functions that a program can call: nested records become objects. Arguments and results are plain values. */
export type HostFunctions = Record<string, unknown> & { [numberMethods]?: Record<string, unknown> };

type InnerFunction = (...args: unknown[]) => unknown;

/** Every context has these; the board gives its own, or has none. */
const neverThere = ['console', 'atob', 'btoa', 'WebAssembly'];

/** V8 itself reads these while it works; what they tell a program is wrong where its engine lacks them. */
const neverTaken = new Set(['RegExp.prototype', 'Function.prototype', 'Error.prototype']);

/** Where the prelude finds builtins that the engine lacks. */
export const intrinsics = `${marker}i`;

/** Runs inside: makes wrappers, copies, and takes away what the engine lacks. Gives the host what it needs of it. */
const setupText = `'use strict';
((lacks) => {
  const { Error, TypeError, RangeError, SyntaxError, ReferenceError, Object, Array, Uint8Array, Map, Reflect, String } = globalThis;
  const { isArray } = Array;
  const getPrototypeOf = Object.getPrototypeOf, ObjectPrototype = Object.prototype;
  // What the machinery needs of the language, kept before the engine's gaps are made; the prelude takes it away.
  globalThis.${intrinsics} = {
    isView: ArrayBuffer.isView, isArray, keys: Object.keys, hasOwn: Object.hasOwn, defineProperty: Object.defineProperty, apply: Reflect.apply,
    typed: getPrototypeOf(Uint8Array.prototype), functionText: Function.prototype.toString, FunctionPrototype: Function.prototype, log2: Math.log2, TypeError, SyntaxError, ReferenceError, Error, DataView, Map, Set, Float32Array, Float64Array, Date, WeakSet, WeakMap,
  };
  const errors = { Error, TypeError, RangeError, SyntaxError, ReferenceError };
  const defineProperty = Object.defineProperty;
  defineProperty(Error, 'prepareStackTrace', { value: undefined, writable: false, configurable: false });
  defineProperty(Error, 'stackTraceLimit', { value: 10, writable: false, configurable: false });
  delete Error.captureStackTrace;
  // Both engines have it under this name too.
  defineProperty(globalThis, 'global', { value: globalThis, writable: true, enumerable: false, configurable: true });
  const typed = getPrototypeOf(Uint8Array.prototype);
  for (const [owner, names] of lacks) {
    let object = globalThis;
    if (owner === 'TypedArray.prototype') object = typed;
    else if (owner !== 'globals') for (const part of owner.split('.')) object = object?.[part];
    if (object !== undefined) for (const name of names) Reflect.deleteProperty(object, name);
  }
  return {
    copyBytes: (length) => new Uint8Array(length),
    object: () => ({}),
    array: () => [],
    put: (object, key, value) => { defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true }); },
    putNumberMethod: (name, method) => {
      const value = { [name](...args) { return method(+this, ...args); } }[name];
      defineProperty(Number.prototype, name, { value, writable: true, enumerable: false, configurable: true });
    },
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
  putNumberMethod(name: string, method: InnerFunction): void;
}

/** What of the language's own objects the board's engine lacks: owners, and the names that each is without. */
function lacksOf(board: Board): (readonly [string, readonly string[]])[] {
  const lists = Object.entries(builtins[board.engine].lacks).filter(([owner]) => !neverTaken.has(owner));
  const lacks: (readonly [string, readonly string[]])[] = [['globals', neverThere], ...lists];
  if (board.engine === 'kaluma' || board.features.modernSyntax !== false) return lacks;
  // Boards built SAVE_ON_FLASH leave out more.
  return [
    ...lacks,
    ['globals', small.espruinoSmallLacksGlobals],
    ...Object.entries(small.espruinoSmallLacksStatics),
    ...['Array.prototype', 'String.prototype', 'TypedArray.prototype'].map(
      (owner) => [owner, small.espruinoSmallLacksMethods] as const,
    ),
  ];
}

/** No evaluation may hold the host longer, whatever builtin it is stuck in. */
const longestEvaluationMs = 120_000;

const prepared = new Map<string, Script>();

function runPrepared(code: string, global: object): unknown {
  let script = prepared.get(code);
  if (!script) {
    script = new Script(code, { filename: 'prelude' });
    prepared.set(code, script);
  }
  return script.runInContext(global);
}

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
    const setup = runPrepared(setupText, this.global) as (lacks: unknown) => Inside;
    this.#inside = setup(structuredCloneInto(lacksOf(board)));
  }

  /** Text of the machinery, the same in every world: compiled once. */
  prepare(code: string): void {
    runPrepared(code, this.global);
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
    for (const [name, method] of Object.entries(functions[numberMethods] ?? {}))
      this.#inside.putNumberMethod(name, this.inward(method, name, onCall) as InnerFunction);
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
