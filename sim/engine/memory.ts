/**
 * What a loaded program takes of its engine's memory: a bag of what it left there, from its text (functions, names) and
 * from the values its global variables hold. Prices are data: bytes of JerryScript's heap, or Espruino's variables.
 *
 * Reference: jerryscript v2.4.0 jerry-core/parser/js/js-parser.c (parser_post_processing: the layout of compiled code),
 * ecma-globals.h; espruino/Espruino src/jsvar.h (what fits into one variable), src/jsparse.c (jspeFunctionDefinition).
 */
import { type AnyNode, childrenOf, isFunction } from './ast.ts';
import { addTo, type Bag } from './features.ts';
import type { Unit } from './model.ts';

/** Characters in the variable of a name, and in each that continues it (espruino/Espruino src/jsvar.h). */
const nameCharacters = 4;
const stringCharacters = 8;
const moreCharacters = 12;
/** Longer data is one flat string: a header, then whole variables. */
const flatFromBytes = 26;
const jerryGranule = 8;
/** Measured on Kaluma 1.2.1: Uint8Array(n) 48 + n, {} 16, 1-2 properties 24 more, [] 24, 8 elements 32 more. */
const jerrySizes = { typed: 48, object: 16, pair: 24, array: 24, element: 4 } as const;

const more = (length: number, first: number): number => Math.max(0, Math.ceil((length - first) / moreCharacters));

function dataVariables(bytes: number, bytesEach: number): number {
  return bytes < flatFromBytes ? 1 + more(bytes, stringCharacters) : 1 + Math.ceil(bytes / bytesEach);
}

/** `read` reads a global variable of the program. */
export function espruinoMemory(unit: Unit, read: (name: string) => unknown, bytesEach: number): Bag {
  const bag: Bag = new Map();
  const seen = new Set<unknown>();
  const name = (text: string) => {
    addTo(bag, 'name');
    addTo(bag, 'name.more', more(text.length, nameCharacters));
  };
  const code = (fn: AnyNode) => {
    addTo(bag, 'function');
    for (const param of fn.params as AnyNode[]) {
      addTo(bag, 'parameter');
      addTo(bag, 'name.more', more(param.end - param.start, nameCharacters));
    }
    const body = fn.body as AnyNode;
    const inner = body.type === 'BlockStatement' ? 2 : 0;
    addTo(bag, 'code', dataVariables(body.end - body.start - inner, bytesEach));
  };
  const value = (held: unknown): void => {
    if (typeof held === 'number') {
      if ((held | 0) !== held) addTo(bag, 'double');
    } else if (typeof held === 'string') addTo(bag, 'string', 1 + more(held.length, stringCharacters));
    else if (held !== null && typeof held === 'object' && !seen.has(held)) {
      seen.add(held);
      if (ArrayBuffer.isView(held)) addTo(bag, 'typed', 2 + dataVariables(held.byteLength, bytesEach));
      else if (Array.isArray(held)) {
        addTo(bag, 'array');
        addTo(bag, 'element', held.length);
        for (const item of held) value(item);
      } else {
        addTo(bag, 'object');
        for (const [key, item] of Object.entries(held)) {
          name(key);
          value(item);
        }
      }
    } else if (typeof held === 'function' && !seen.has(held)) {
      seen.add(held);
    }
  };
  addTo(bag, 'class', classesOf(unit));
  const visit = (node: AnyNode, depth: number): void => {
    if (isFunction(node)) {
      // A function inside a function is text of the outer one until that is called.
      if (depth === 0) code(node as unknown as AnyNode);
      return;
    }
    for (const child of childrenOf(node)) visit(child, depth);
  };
  visit(unit.program as unknown as AnyNode, 0);
  for (const variable of unit.scopes.global.variables.values()) {
    if (variable.at < 0) continue;
    name(variable.name);
    if (variable.kind === 'const') addTo(bag, 'constant');
    value(read(variable.name));
  }
  return bag;
}

/** Names that JerryScript keeps in its image (lit-magic-strings.inc.h), as far as programs use them often. */
const magicNames = new Set([
  ...['length', 'push', 'pop', 'fill', 'slice', 'charCodeAt', 'charAt', 'indexOf', 'join', 'map', 'set', 'subarray'],
  ...['prototype', 'constructor', 'value', 'next', 'get', 'add', 'call', 'apply', 'bind', 'Math', 'min', 'max', 'abs'],
  ...['floor', 'round', 'sqrt', 'sin', 'pow', 'String', 'fromCharCode', 'substring', 'split', 'toString', 'parseInt'],
  ...['Uint8Array', 'Int8Array', 'Uint16Array', 'Int16Array', 'Uint32Array', 'Int32Array', 'Float64Array', 'Array'],
  ...['Object', 'JSON', 'stringify', 'DataView', 'ArrayBuffer', 'undefined', 'size', 'find', 'of', 'from', 'test'],
  ...['forEach', 'reduce', 'sort', 'shift', 'has', 'keys', 'entries', 'done', 'index', 'input', 'source', 'now', 'log'],
]);

/** What a node becomes in byte code, roughly by size. */
function shapeOf(node: AnyNode): string {
  if (node.type === 'CallExpression' || node.type === 'NewExpression') return 'code.call';
  if (node.type === 'MemberExpression') return 'code.member';
  if (node.type === 'IfStatement' || node.type === 'ConditionalExpression' || node.type === 'LogicalExpression')
    return 'code.branch';
  if (/^(For|While|DoWhile|Switch)/.test(node.type)) return 'code.loop';
  if (/Expression$|^VariableDeclarator$|^ReturnStatement$/.test(node.type)) return 'code.operation';
  return 'code.leaf';
}

/** The builtin constructors that the text names: each is made at its first use. */
function classesOf(unit: Unit): number {
  const classes = new Set<string>();
  for (const [node, { variable }] of unit.scopes.uses) {
    const { name } = node as AnyNode & { name: string };
    if (variable === null && /^[A-Z][A-Za-z0-9]*(Array|View|Buffer)$/.test(name)) classes.add(name);
  }
  return classes.size;
}

export function jerryscriptMemory(unit: Unit, read: (name: string) => unknown): Bag {
  const bag: Bag = new Map();
  const strings = new Set<string>();
  const seen = new Set<unknown>();
  const value = (held: unknown): void => {
    if (typeof held === 'number') {
      if ((held | 0) !== held || Math.abs(held) >= 2 ** 27) addTo(bag, 'double');
    } else if (typeof held === 'string') strings.add(held);
    else if (held !== null && typeof held === 'object' && !seen.has(held)) {
      seen.add(held);
      if (ArrayBuffer.isView(held)) {
        addTo(bag, 'typed');
        addTo(bag, 'bytes', jerryGranule * Math.ceil(held.byteLength / jerryGranule));
      } else if (Array.isArray(held)) {
        addTo(bag, 'array');
        addTo(bag, 'elements', 8 * Math.ceil(held.length / 8));
        for (const item of held) value(item);
      } else {
        addTo(bag, 'object');
        const entries = Object.entries(held);
        addTo(bag, 'pairs', Math.ceil(entries.length / 2));
        for (const [key, item] of entries) {
          strings.add(key);
          value(item);
        }
      }
    }
  };
  addTo(bag, 'class', classesOf(unit));
  let lastLine = -2;
  const visit = (node: AnyNode, literals: Set<string>, inFunction: boolean): void => {
    let own = literals;
    if (isFunction(node)) {
      addTo(bag, 'function');
      own = new Set();
      for (const param of node.params) addTo(bag, 'register', param ? 1 : 0);
    }
    // The code of the top level is given back when it has run; only functions stay.
    const inside = inFunction || isFunction(node);
    if (inside) {
      if (node.type === 'Identifier') {
        own.add(node.name as string);
        strings.add(node.name as string);
      } else if (node.type === 'Literal' && (typeof node.value === 'string' || typeof node.value === 'number')) {
        if (typeof node.value === 'string') strings.add(node.value);
        // Small whole numbers stand in the byte code itself.
        if (typeof node.value === 'string' || !Number.isInteger(node.value) || Math.abs(node.value) > 256)
          own.add(String(node.value));
        if (typeof node.value === 'number' && !Number.isInteger(node.value)) addTo(bag, 'double');
      }
      addTo(bag, shapeOf(node));
      const line = unit.source.lastIndexOf('\n', node.start);
      if (/Statement$/.test(node.type) && line !== lastLine) addTo(bag, 'line');
      if (/Statement$/.test(node.type)) lastLine = line;
    }
    for (const child of childrenOf(node)) visit(child, own, inside);
    if (own !== literals) addTo(bag, 'literal', own.size);
  };
  visit(unit.program as unknown as AnyNode, new Set(), false);
  for (const variable of unit.scopes.global.variables.values()) {
    if (variable.at < 0) continue;
    strings.add(variable.name);
    addTo(bag, variable.kind === 'let' || variable.kind === 'const' ? 'global.lexical' : 'global');
    value(read(variable.name));
  }
  for (const text of strings)
    if (text.length > 1 && !magicNames.has(text))
      addTo(bag, 'text', jerryGranule * Math.ceil((text.length + jerryGranule) / jerryGranule));
  return bag;
}

/**
 * What a value and all it holds takes: bytes of JerryScript's heap, or Espruino's variables. Functions count as one, for
 * what they close over cannot be seen from here.
 */
export function sizeOf(
  held: unknown,
  engine: 'espruino' | 'jerryscript',
  bytesEach: number,
  seen: Set<unknown>,
): number {
  const isJerry = engine === 'jerryscript';
  if (typeof held === 'string')
    return isJerry
      ? jerryGranule * Math.ceil((held.length + jerryGranule) / jerryGranule)
      : dataVariables(held.length, bytesEach);
  if (typeof held === 'number') return Number.isInteger(held) ? 0 : isJerry ? jerryGranule : 1;
  if (held === null || (typeof held !== 'object' && typeof held !== 'function') || seen.has(held)) return 0;
  seen.add(held);
  if (ArrayBuffer.isView(held)) {
    const isNew = !seen.has(held.buffer);
    seen.add(held.buffer);
    const bytes = isNew ? held.buffer.byteLength : 0;
    return isJerry
      ? jerrySizes.typed + jerryGranule * Math.ceil(bytes / jerryGranule)
      : 1 + (isNew ? 1 + dataVariables(bytes, bytesEach) : 0);
  }
  const inner = (values: readonly unknown[]) =>
    values.reduce<number>((sum, item) => sum + sizeOf(item, engine, bytesEach, seen), 0);
  if (Array.isArray(held))
    return (
      inner(held) + (isJerry ? jerrySizes.array + jerrySizes.element * 8 * Math.ceil(held.length / 8) : 1 + held.length)
    );
  const values = Object.values(held);
  return (
    inner(values) + (isJerry ? jerrySizes.object + jerrySizes.pair * Math.ceil(values.length / 2) : 1 + values.length)
  );
}
