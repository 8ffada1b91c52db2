/**
 * How Espruino prints values: for the REPL (`pretty`, `limited`), for print(), and compact for E.toJS.
 * Source: espruino/Espruino@c5ff787b1 src/jswrap_json.c (jsfGetJSONWithCallback), src/jsutils.c (escapeCharacter).
 */
import { types } from 'node:util';

export interface PrintOptions {
  /** Spaces within brackets, line breaks before anything that is not a number. */
  pretty?: boolean;
  /** Long arrays and strings are cut in the middle, functions lose their body. */
  limited?: boolean;
  /** Names of plain words go without quotes. */
  dropsQuotes?: boolean;
  /** An object of a class is printed with the class's name. */
  showsNames?: boolean;
  /** Typed arrays print as arrays, undefined as null. */
  plain?: boolean;
  /** The text of a function; one without is shown as native code. */
  functionText?: ((fn: unknown) => string) | undefined;
}

const longestArray = 15;
const shownEachEnd = 5;
const longestString = 60;
const shownCharacters = 27;
const itemsOnLine = 4;
const limitText = ' ... ';
/** Deeper than any value a test or a program prints; ends cycles through getters. */
const deepest = 32;

export function quote(text: string): string {
  let out = '"';
  for (let i = 0; i < text.length; i++) out += escapeCharacter(text.charCodeAt(i), text.charCodeAt(i + 1));
  return `${out}"`;
}

const named: Readonly<Record<number, string>> = {
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};

function escapeCharacter(code: number, next: number): string {
  const name = named[code];
  if (name) return name;
  const isNextOctal = next >= 0x30 && next <= 0x37;
  if (code < 8 && !isNextOctal) return `\\${code}`;
  if (code > 255) return `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`;
  if (code < 32 || code >= 127) return `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`;
  return String.fromCharCode(code);
}

const closeToInteger = 0.0000001;
const mostFractionDigits = 12;

/** Numbers as ftoa_bounded_extra writes them: at most twelve decimals, exponents of the first digit or two. */
export function numberText(value: number): string {
  if (!Number.isFinite(value) || Number.isInteger(value)) {
    if (Math.abs(value) < 1e21 || !Number.isFinite(value)) return String(value);
  }
  let left = Math.abs(value);
  let exponent = 0;
  if (left >= 1e21) {
    for (; left > 100000; left /= 100000) exponent += 5;
    for (; left > 10; left /= 10) exponent++;
  } else if (left > 0 && left < 1e-6) {
    for (; left < 1e-5; left *= 100000) exponent -= 5;
    for (; left < 1; left *= 10) exponent--;
  }
  if (Math.trunc(left + closeToInteger) === Math.trunc(left) + 1) left = Math.trunc(left) + 1;
  let text = `${value < 0 ? '-' : ''}${Math.trunc(left)}`;
  left = (left - Math.trunc(left)) * 10;
  for (let digits = 0; digits < mostFractionDigits - 1 && left > closeToInteger; digits++) {
    const digit = Math.trunc(left + 0.00000001);
    left = (left - digit) * 10;
    text += `${digits === 0 ? '.' : ''}${Math.min(digit, 9)}`;
  }
  return exponent === 0 ? text : `${text}e${exponent > 0 ? '+' : ''}${exponent}`;
}

const needsNewLine = (value: unknown): boolean =>
  value !== undefined && value !== null && typeof value !== 'number' && typeof value !== 'boolean';

export function printJson(value: unknown, options: PrintOptions): string {
  return new Printer(options).print(value, 0);
}

class Printer {
  readonly #options: PrintOptions;
  readonly #above: unknown[] = [];

  constructor(options: PrintOptions) {
    this.#options = options;
  }

  print(value: unknown, indent: number): string {
    switch (typeof value) {
      case 'undefined':
        return this.#options.plain ? 'null' : 'undefined';
      case 'number':
        return numberText(value);
      case 'boolean':
        return String(value);
      case 'string':
        return this.#string(value);
      case 'function':
        return this.#function(value);
      case 'object':
        return value === null ? 'null' : this.#object(value, indent);
      default:
        return '';
    }
  }

  #string(text: string): string {
    if (!this.#options.limited || text.length <= longestString) return quote(text);
    return `${quote(text.slice(0, shownCharacters))}${limitText}${quote(text.slice(-shownCharacters))}`;
  }

  #function(fn: unknown): string {
    const text = this.#options.functionText?.(fn) ?? 'function () { [native code] }';
    if (this.#options.limited !== true || text.endsWith('{}') || text.endsWith('[native code] }')) return text;
    return `${text.slice(0, text.indexOf(')') + 2)}{${limitText}}`;
  }

  #object(value: object, indent: number): string {
    if (this.#above.includes(value) || this.#above.length > deepest) return limitText;
    this.#above.push(value);
    try {
      if (Array.isArray(value)) return this.#array(value, indent);
      if (types.isTypedArray(value)) return this.#typedArray(value);
      if (types.isAnyArrayBuffer(value)) return this.#arrayBuffer(new Uint8Array(value));
      if (types.isDate(value))
        return `Date: ${value.toUTCString().replace(/^(\w+), 0?(\d+) (\w+) (\d+) (\S+) GMT$/, '$1 $3 $2 $4 $5 GMT+0000')}`;
      if (types.isRegExp(value)) return this.#regExp(value, indent);
      if (types.isPromise(value)) return 'Promise: { state: 0 }';
      return this.#fields(value, indent);
    } catch {
      return limitText;
    } finally {
      this.#above.pop();
    }
  }

  #arrayBuffer(bytes: Uint8Array): string {
    if (!this.#options.plain && bytes.every((byte) => byte === 0)) return `new ArrayBuffer(${bytes.length})`;
    return `${this.#typedArray(bytes)}.buffer`;
  }

  #regExp({ source, flags, lastIndex }: RegExp, indent: number): string {
    const fields = this.print(Object.assign(Object.create(null), { source, flags, lastIndex }), indent);
    return this.#options.showsNames ? `RegExp: ${fields}` : fields;
  }

  #newLine(indent: number): string {
    return `\n${'  '.repeat(indent)}`;
  }

  #array(items: readonly unknown[], indent: number): string {
    const { pretty, limited } = this.#options;
    const isCut = limited === true && items.length > longestArray;
    let out = pretty ? '[ ' : '[';
    let breaks = false;
    let isFirst = true;
    for (let i = 0; i < items.length; i++) {
      if (isCut && i >= shownEachEnd && i < items.length - shownEachEnd) continue;
      if (!isFirst) out += pretty ? ', ' : ',';
      isFirst = false;
      if (isCut && i === items.length - shownEachEnd) out += limitText;
      const breaksHere = pretty === true && needsNewLine(items[i]);
      if (breaks || breaksHere) out += this.#newLine(indent + 1);
      out += this.print(items[i], indent + 1);
      breaks = breaksHere;
    }
    if (breaks) out += this.#newLine(indent);
    return out + (pretty ? ' ]' : ']');
  }

  #typedArray(array: ArrayLike<unknown>): string {
    const { pretty, limited, plain } = this.#options;
    const name = Object.prototype.toString.call(array).slice('[object '.length, -1);
    const all = Array.from(array);
    if (!plain && all.every((item) => item === 0)) return `new ${name}(${all.length})`;
    const separator = pretty ? ', ' : ',';
    let text = all.join(separator);
    if (limited && all.length > longestArray) {
      text = `${all.slice(0, shownEachEnd).join(separator)}${separator}${limitText}${all.slice(-shownEachEnd).join(separator)}`;
    }
    return plain ? `[${text}]` : `new ${name}([${text}])`;
  }

  #fields(value: object, indent: number): string {
    const { pretty, dropsQuotes, showsNames, plain } = this.#options;
    if (types.isNativeError(value)) {
      const { name, message } = value;
      return showsNames ? `${name}: ${name}: ${message}` : `{ }`;
    }
    const className = (Object.getPrototypeOf(value) as { constructor?: { name?: string } } | null)?.constructor?.name;
    const shownName = showsNames && className && className !== 'Object' ? `${className}: ` : '';
    let out = `${shownName}${pretty ? '{ ' : '{'}`;
    let breaks = false;
    let sinceBreak = 0;
    let isFirst = true;
    for (const [key, item] of Object.entries(value)) {
      if (plain && item === undefined) continue;
      sinceBreak++;
      if (!isFirst) out += pretty ? ', ' : ',';
      isFirst = false;
      const breaksHere = pretty === true && needsNewLine(item);
      if (pretty && sinceBreak > itemsOnLine) breaks = true;
      if (breaks || breaksHere) {
        out += this.#newLine(indent + 1);
        sinceBreak = 0;
      }
      const isWord = /^(?:[A-Za-z_$][\w$]*|\d+)$/.test(key);
      out += `${dropsQuotes && isWord ? key : quote(key)}${pretty ? ': ' : ':'}${this.print(item, indent + 1)}`;
      breaks = breaksHere;
    }
    if (breaks) out += this.#newLine(indent);
    return out + (pretty ? ' }' : '}');
  }
}
