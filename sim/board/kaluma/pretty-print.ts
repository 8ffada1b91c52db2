/**
 * How Kaluma prints a value: in colour, arrays and objects over several lines down to a depth.
 * Source: kaluma-project/kaluma@1.2.1 src/repl.c km_repl_pretty_print.
 */
import { types } from 'node:util';

const colour = { gray: 90, red: 31, yellow: 93, magenta: 95, cyan: 96 } as const;
const longestNameBytes = 127;

const paint = (name: keyof typeof colour, text: string): string => `\x1b[${colour[name]}m${text}\x1b[0m`;

/** Whatever a hostile getter or toString does, printing ends with some text. */
function safely(make: () => string): string {
  try {
    return make();
  } catch {
    return '';
  }
}

const typedArrayName = (value: object): string =>
  safely(() => {
    const name = Object.getOwnPropertyDescriptor(
      Object.getPrototypeOf(Uint8Array.prototype) as object,
      Symbol.toStringTag,
    )!.get!.call(value) as string;
    return name.startsWith('Big') ? 'TypedArray' : name;
  });

export function errorText(value: object): string {
  return safely(() => {
    const { name, message } = value as Error;
    return message ? `${String(name)}: ${String(message)}` : String(name);
  });
}

/** A value at depth 0: one word. */
function shortForm(value: unknown): string {
  switch (typeof value) {
    case 'boolean':
    case 'number':
      return paint('magenta', String(value));
    case 'string':
      return paint('yellow', `'${value}'`);
    case 'undefined':
      return paint('gray', 'undefined');
    case 'symbol':
      return paint('cyan', '[Symbol]');
    case 'function':
      return paint('cyan', '[Function]');
    // Kaluma has no branch for a BigInt and prints nothing.
    case 'bigint':
      return '';
    default:
  }
  if (value === null) return paint('gray', 'null');
  const object = value as object;
  if (Array.isArray(object)) return paint('cyan', '[Array]');
  if (types.isTypedArray(object)) return paint('cyan', `[${typedArrayName(object)}]`);
  if (types.isAnyArrayBuffer(object)) return `ArrayBuffer { byteLength:${paint('magenta', String(object.byteLength))}}`;
  if (types.isDataView(object)) return paint('cyan', '[DataView]');
  if (types.isPromise(object)) return paint('cyan', '[Promise]');
  return paint('cyan', '[Object]');
}

/** As the REPL (depth 3) and console.log (depth 2) print it. */
export function prettyPrint(value: unknown, depth: number, indent = 0): string {
  if (depth <= 0 || typeof value !== 'object' || value === null) return shortForm(value);
  const isTyped = types.isTypedArray(value);
  if (isTyped || Array.isArray(value)) {
    const items = Array.from({ length: value.length }, (_, i) => prettyPrint(value[i], depth - 1, indent + 2));
    return `${isTyped ? `${typedArrayName(value)} ` : ''}[${block(items, indent)}]`;
  }
  if (types.isAnyArrayBuffer(value) || types.isDataView(value) || types.isPromise(value)) return shortForm(value);
  if (types.isNativeError(value)) return paint('red', errorText(value));
  return safely(() => {
    const items: string[] = [];
    for (const name in value) {
      const shown = new TextDecoder().decode(new TextEncoder().encode(name).subarray(0, longestNameBytes));
      items.push(`${shown}: ${prettyPrint((value as Record<string, unknown>)[name], depth - 1, indent + 2)}`);
    }
    return `{${block(items, indent)}}`;
  });
}

function block(items: readonly string[], indent: number): string {
  if (items.length === 0) return '';
  const lines = items.map((item, i) => `${' '.repeat(indent + 2)}${item}${i < items.length - 1 ? ',' : ''}\r\n`);
  return `\r\n${lines.join('')}${' '.repeat(indent)}`;
}
