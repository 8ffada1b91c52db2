/**
 * What a function looks like as text on each engine, from the program's own text: the instrumentation is taken out
 * again. JerryScript as Kaluma builds it keeps no text at all.
 *
 * Reference: espruino/Espruino src/jswrap_json.c (jsfGetJSONForFunctionWithCallback); jerryscript v2.4.0
 * lit-magic-strings.ini (FUNCTION_TO_STRING).
 */
import type { InsertedText } from './insertions.ts';

export class FunctionTexts {
  readonly #engine: 'espruino' | 'jerryscript';
  readonly #texts: InsertedText[] = [];

  constructor(engine: 'espruino' | 'jerryscript') {
    this.#engine = engine;
  }

  /** A text that is about to run, as it was instrumented. */
  add(text: InsertedText): void {
    if (this.#engine === 'espruino' && /=>|function|\bclass\b|\)\s*\{/.test(text.code)) this.#texts.push(text);
  }

  /** From what V8 has for a function's text to what the board's engine prints. */
  shown(instrumented: string): string {
    if (this.#engine === 'jerryscript') return 'function(){/* ecmascript */}';
    return espruinoText(this.#original(instrumented));
  }

  /** The stretch of a program that became this text. */
  #original(instrumented: string): string {
    for (const { code, inserted } of this.#texts) {
      const from = code.indexOf(instrumented);
      if (from < 0) continue;
      const to = from + instrumented.length;
      let text = '';
      let at = from;
      for (const [start, end] of inserted) {
        if (end <= from) continue;
        if (start >= to) break;
        text += code.slice(at, Math.max(at, start));
        at = Math.max(at, end);
      }
      return text + code.slice(at, to);
    }
    // A builtin, or the wrapper of one.
    return `function () { [native code] }`;
  }
}

/**
 * Espruino keeps the parameters and the text between the braces, from its first token to the end of its last statement.
 * A class without a constructor is an empty function.
 */
function espruinoText(text: string): string {
  if (text.endsWith('{ [native code] }')) return text;
  if (text.startsWith('class')) return 'function () {}';
  const [, list, single] = /^[^(=]*?(?:\(([^)]*)\)|([\w$]+)\s*=>)/.exec(text) ?? [];
  const parameters = (list ?? single ?? '').replace(/\s/g, '');
  const arrow = /^(?:\([^)]*\)|[\w$]+)\s*=>\s*(?!\{)/.exec(text);
  const body = text.slice(text.indexOf('{') + 1, text.lastIndexOf('}')).trimStart();
  const code = arrow ? text.slice(arrow[0].length) : body.replace(/([;}])\s+$/, '$1');
  if (!arrow && code === '') return `function (${parameters}) {}`;
  const [open, close] = code.includes('\n') ? ['{\n  ', '\n}'] : ['{', '}'];
  return `function (${parameters}) ${open}${arrow ? 'return ' : ''}${code}${close}`;
}
