/**
 * What each engine has of the language's builtin objects, and what to write in place of what it lacks.
 *
 * Espruino: the wrappers of src/jswrap_*.c at c5ff787b1 (`"type"`, `"class"`, `"name"` and `"ifndef"`), so a name not
 * listed is not there. Kaluma: JerryScript 2.4.0 has the whole of ES2020 but what is listed as missing, found by running
 * each on Kaluma 1.2.1.
 */

/** Statics of the builtin objects on Espruino: anything else on these objects is undefined. */
export const espruinoStatics: Readonly<Record<string, readonly string[]>> = {
  Math: [
    ...['E', 'PI', 'LN2', 'LN10', 'LOG2E', 'LOG10E', 'SQRT2', 'SQRT1_2', 'abs', 'acos', 'asin', 'atan', 'atan2', 'cos'],
    ...['pow', 'random', 'randInt', 'round', 'sin', 'tan', 'sqrt', 'ceil', 'floor', 'exp', 'log', 'clip', 'wrap'],
    ...['min', 'max', 'sign'],
  ],
  Object: [
    ...['keys', 'getOwnPropertyNames', 'values', 'entries', 'fromEntries', 'create', 'getOwnPropertyDescriptor'],
    ...[
      'getOwnPropertyDescriptors',
      'defineProperty',
      'defineProperties',
      'getPrototypeOf',
      'setPrototypeOf',
      'assign',
    ],
    'prototype',
  ],
  Array: ['isArray', 'prototype'],
  Number: ['NaN', 'MAX_VALUE', 'MIN_VALUE', 'NEGATIVE_INFINITY', 'POSITIVE_INFINITY', 'prototype'],
  String: ['fromCharCode', 'prototype'],
  JSON: ['stringify', 'parse'],
  Date: ['now', 'parse', 'prototype'],
  Promise: ['all', 'resolve', 'reject', 'prototype'],
  ArrayBuffer: ['prototype'],
};

/** Of these, what boards built SAVE_ON_FLASH (micro:bit 1 also SAVE_ON_FLASH_EXTREME) leave out. */
export const espruinoSmallLacksStatics: Readonly<Record<string, readonly string[]>> = {
  Math: [
    ...['LN2', 'LN10', 'LOG2E', 'LOG10E', 'SQRT2', 'SQRT1_2', 'acos', 'asin', 'atan2', 'pow', 'sqrt', 'exp', 'log'],
    ...['clip', 'wrap', 'sign'],
  ],
  Object: ['values', 'entries', 'fromEntries', 'getOwnPropertyDescriptors'],
  E: ['nativeCall', 'getSizeOf', 'defrag', 'CRC32', 'getAddressOf'],
};

/** Instance methods of the language that no builtin class of Espruino has. */
export const espruinoLacksMethods: readonly string[] = [
  ...['at', 'codePointAt', 'copyWithin', 'finally', 'findLast', 'findLastIndex', 'flat', 'flatMap', 'localeCompare'],
  ...['matchAll', 'normalize', 'reduceRight', 'search', 'toExponential', 'toLocaleString', 'toPrecision', 'toReversed'],
  ...['toSorted', 'toSpliced', 'trimEnd', 'trimStart', 'isPrototypeOf', 'propertyIsEnumerable'],
];

/** Instance methods that boards built SAVE_ON_FLASH lack besides. */
export const espruinoSmallLacksMethods: readonly string[] = [
  ...[
    'endsWith',
    'fill',
    'findIndex',
    'includes',
    'padEnd',
    'padStart',
    'reduce',
    'repeat',
    'reverse',
    'shift',
    'sort',
  ],
  ...['startsWith', 'subarray', 'unshift', 'readJSON', 'writeJSON', 'readArrayBuffer', 'getFree', 'compact'],
];

/** Globals of the language, of browsers and of Node that Espruino lacks. */
export const espruinoLacksGlobals: readonly string[] = [
  ...['Map', 'Set', 'WeakMap', 'WeakSet', 'WeakRef', 'Symbol', 'Proxy', 'Reflect', 'BigInt', 'BigInt64Array'],
  ...['BigUint64Array', 'SharedArrayBuffer', 'Atomics', 'WebAssembly', 'Intl', 'performance', 'queueMicrotask'],
  ...['setImmediate', 'structuredClone', 'TextEncoder', 'TextDecoder', 'RangeError', 'EvalError', 'URIError'],
  ...[
    'AggregateError',
    'FinalizationRegistry',
    'Buffer',
    'fetch',
    'URL',
    'encodeURI',
    'decodeURI',
    'escape',
    'unescape',
  ],
  ...['micros', 'millis'],
];

export const espruinoSmallLacksGlobals: readonly string[] = [
  ...['DataView', 'Promise', 'atob', 'btoa', 'encodeURIComponent', 'decodeURIComponent', 'trace', 'dump'],
];

/** Globals that Kaluma lacks. */
export const kalumaLacksGlobals: readonly string[] = [
  ...['WeakRef', 'FinalizationRegistry', 'SharedArrayBuffer', 'Atomics', 'WebAssembly', 'Intl', 'performance'],
  ...['queueMicrotask', 'setImmediate', 'structuredClone', 'gc', 'Buffer', 'fetch', 'URL', 'AggregateError'],
  ...['getTime', 'E', 'Storage'],
];

/** Statics and methods that Kaluma lacks of objects it has. */
export const kalumaLacksStatics: Readonly<Record<string, readonly string[]>> = {
  process: ['exit', 'memory', 'hrtime', 'nextTick'],
  Promise: ['any'],
};
export const kalumaLacksMethods: readonly string[] = ['at', 'findLast', 'findLastIndex', 'toSorted', 'toReversed'];

/** What to write instead, by the name of what is missing. */
export const instead: Readonly<Record<string, string>> = {
  Map: 'an object, or two arrays',
  Set: 'an object with true for each member',
  WeakMap: 'a property on the object itself',
  Symbol: 'a string',
  Proxy: 'functions that get and set',
  Reflect: 'the operators, or the methods of Object',
  BigInt: 'two 32-bit integers',
  performance: 'getTime() (Espruino, seconds) or micros() (Kaluma)',
  getTime: 'micros() or millis()',
  micros: 'getTime() * 1e6',
  millis: 'getTime() * 1000',
  queueMicrotask: 'setTimeout(f, 0)',
  setImmediate: 'setTimeout(f, 0)',
  structuredClone: 'JSON.parse(JSON.stringify(x))',
  TextEncoder: 'charCodeAt, or E.toUint8Array(text)',
  TextDecoder: 'E.toString(bytes)',
  Buffer: 'Uint8Array',
  gc: 'the REPL command .gc',
  exit: 'clearInterval and clearTimeout: a program ends when nothing is left to run',
  memory: 'process.memoryUsage()',
  nextTick: 'setTimeout(f, 0)',
  clz32: 'a loop of shifts, or a table of 256',
  imul: 'a product below 2^53, then | 0',
  trunc: 'x | 0 below 2^31, else x < 0 ? Math.ceil(x) : Math.floor(x)',
  fround: 'a Float32Array of one element',
  log2: 'Math.log(x) / Math.LN2',
  log10: 'Math.log(x) / Math.LN10',
  hypot: 'Math.sqrt(x * x + y * y)',
  cbrt: 'Math.pow(x, 1 / 3)',
  pow: 'a loop of products',
  isInteger: 'x === (x | 0)',
  isNaN: 'isNaN(x)',
  isFinite: 'isFinite(x)',
  parseInt: 'parseInt(x)',
  parseFloat: 'parseFloat(x)',
  from: 'a loop, or map on an array',
  of: 'an array literal',
  freeze: 'nothing: leave the object as it is',
  is: '===',
  at: 'a[a.length - 1]',
  flat: 'concat in a loop',
  flatMap: 'concat in a loop',
  trimStart: 'trim()',
  trimEnd: 'trim()',
  codePointAt: 'charCodeAt',
  copyWithin: 'a loop, or set from a subarray',
  finally: 'then(f, f)',
  replaceAll: 'replace with a regular expression and /g',
  DataView: 'shifts of a Uint8Array',
  Promise: 'a callback',
  fill: 'a loop',
  subarray: 'an offset beside the array',
  nativeCall: 'the interpreted allocator',
  CRC32: 'the length that was stored',
};
