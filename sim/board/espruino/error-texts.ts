/**
 * What Espruino says of an error: its own words and class for what V8 and acorn call otherwise, and the column where that
 * can be told from the line. Words: espruino/Espruino@c5ff787b1 src/jsparse.c, src/jsvar.c, src/jslex.c; recorded from
 * its build for Linux (test/fixtures/espruino-repl.json).
 */
import type { Outcome } from '../../engine/engine.ts';

type Failure = Extract<Outcome, { kind: 'error' }>;

export interface ErrorText {
  /** `ReferenceError: "a" is not defined`. */
  text: string;
  /** From 1. */
  column: number;
}

interface Rule {
  pattern: RegExp;
  /** The class that Espruino throws, where it is another. */
  name?: string;
  text: (found: readonly string[]) => string;
  /** Where in the line: the start of this text; the line's own if not given. */
  at?: (found: readonly string[]) => string;
}

const rules: readonly Rule[] = [
  { pattern: /^(\S+) is not defined$/, text: ([, name]) => `"${name}" is not defined`, at: ([, name]) => name! },
  { pattern: /^Assignment to constant variable\.$/, text: () => 'Assignment to a constant', at: () => '=' },
  {
    pattern: /^Cannot (?:read|set) properties of (null|undefined) \((?:reading|setting) '(.*)'\)$/,
    name: 'Error',
    text: ([, of, property]) => `Can't read property '${property}' of ${of}`,
    at: ([, , property]) => `.${property}`,
  },
  {
    pattern: /^(?:.*\.)([\w$]+) is not a function$/,
    name: 'Error',
    text: ([, method]) => `Function "${method}" not found!`,
    at: ([, method]) => method!,
  },
  {
    pattern: /^(?!undefined)([A-Za-z_$][\w$]*) is not a function$/,
    name: 'Error',
    text: ([, called]) => `Function "${called}" not found!`,
    at: ([, called]) => called!,
  },
  { pattern: /^Cannot access '(.*)' before initialization$/, text: ([, name]) => `"${name}" is not defined` },
  { pattern: /^Reduce of empty array/, name: 'Error', text: () => 'Used on empty array with no initial value' },
  { pattern: /^(Invalid array length|Invalid count value)/, name: 'Error', text: ([, words]) => words! },
  {
    pattern: / is not a function or its return value is not iterable$/,
    name: 'Error',
    text: () => 'FOR loop can only iterate over Arrays, Strings or Objects',
  },
  { pattern: / is not a function$/, name: 'Error', text: () => 'Function not found!' },
  {
    pattern: / in JSON at position|^Unexpected end of JSON input|is not valid JSON$/,
    text: () => "Got EOF expected '}'",
  },
];

/** How an uncaught error is told; `line` is the line that it came from. */
export function errorText({ name, message, column }: Failure, line: string): ErrorText {
  if (column !== undefined) return syntaxText(message, column, line);
  for (const { pattern, name: otherName, text, at } of rules) {
    const found = pattern.exec(message);
    if (!found) continue;
    const mark = at?.(found);
    const start = mark === undefined ? -1 : line.indexOf(mark);
    return { text: `${otherName ?? name}: ${text(found)}`, column: Math.max(0, start) + 1 };
  }
  const text = name === '' ? message : message === '' ? name : `${name}: ${message}`;
  return { text, column: thrownColumn(line) };
}

/** A thrown error's place is the last token of what was thrown. */
function thrownColumn(line: string): number {
  const thrown = /\bthrow\s+new\s+\w+\((?:"[^"]*"|'[^']*'|[^()]*)\)/.exec(line);
  return thrown ? thrown.index + thrown[0].length : 1;
}

/** Espruino's words for acorn's. */
const syntaxTexts: Readonly<Record<string, string>> = {
  "'return' outside of function": 'RETURN statement, but not in a function.',
  'Unsyntactic break': 'BREAK statement outside of SWITCH, FOR or WHILE loop',
  'Unterminated regular expression': 'Got UNFINISHED REGEX expected EOF',
  "Unexpected character '@'": "Got '@' expected EOF",
  "'super' keyword outside a method": "Calling 'super' outside of class",
  "'new.target' can only be used in functions and class static block": "Got '.' expected EOF",
};

function syntaxText(message: string, column: number, line: string): ErrorText {
  const rest = line.slice(column - 1);
  if (message === 'Unexpected token' && rest.trim() === '') {
    return { text: 'SyntaxError: Unexpected end of Input', column: line.length + 1 };
  }
  if (message === 'Unexpected token') return { text: `SyntaxError: Got '${rest[0]}' expected EOF`, column };
  if (message === 'Unterminated string constant') {
    return { text: 'SyntaxError: Got UNFINISHED STRING expected EOF', column };
  }
  const word = /^(?:import|export)/.exec(rest)?.[0];
  if (word !== undefined) return { text: `ReferenceError: "${word}" is not defined`, column };
  return { text: `SyntaxError: ${syntaxTexts[message] ?? message}`, column };
}
