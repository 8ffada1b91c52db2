/**
 * The JSON of Espruino's packets: names may go without quotes, strings may have single ones, and escapes are
 * JavaScript's. Source: espruino/Espruino@c5ff787b1 src/jswrap_json.c jswrap_json_parse_liberal.
 */

const token =
  /\s*(?:([{}[\],:])|("(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'|`(?:[^`\\]|\\[\s\S])*`)|(-?(?:0x[\da-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?))|([A-Za-z_$][\w$]*))/y;

const words: Readonly<Record<string, unknown>> = { true: true, false: false, null: null, undefined: undefined };
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', v: '\v', 0: '\0' };

function unquote(text: string): string {
  return text
    .slice(1, -1)
    .replace(/\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|([0-7]{1,3})|([\s\S]))/g, (_, hex, unicode, octal, other) => {
      if (hex || unicode) return String.fromCharCode(Number.parseInt(hex ?? unicode, 16));
      if (octal) return String.fromCharCode(Number.parseInt(octal, 8));
      return escapes[other as string] ?? (other as string);
    });
}

/** The value, or undefined where the text is none. What follows the value is ignored, as there. */
export function parseRelaxed(text: string): unknown {
  const tokens: { kind: 'mark' | 'string' | 'number' | 'word'; text: string }[] = [];
  token.lastIndex = 0;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [, mark, string, number, word] = match;
    if (mark) tokens.push({ kind: 'mark', text: mark });
    else if (string) tokens.push({ kind: 'string', text: unquote(string) });
    else if (number) tokens.push({ kind: 'number', text: number });
    else tokens.push({ kind: 'word', text: word! });
  }
  let at = 0;
  const take = (mark: string): boolean => {
    if (tokens[at]?.kind !== 'mark' || tokens[at]!.text !== mark) return false;
    at++;
    return true;
  };
  const fail = (): never => {
    throw new SyntaxError('not relaxed JSON');
  };
  const value = (): unknown => {
    const next = tokens[at++];
    if (!next) return fail();
    if (next.kind === 'string') return next.text;
    if (next.kind === 'number') return Number(next.text);
    if (next.kind === 'word') return Object.hasOwn(words, next.text) ? words[next.text] : fail();
    if (next.text === '[') {
      const items: unknown[] = [];
      while (!take(']')) {
        items.push(value());
        if (!take(',') && tokens[at]?.text !== ']') fail();
      }
      return items;
    }
    if (next.text !== '{') return fail();
    const fields: Record<string, unknown> = {};
    while (!take('}')) {
      const name = tokens[at++];
      if (!name || name.kind === 'mark' || !take(':')) return fail();
      fields[name.text] = value();
      if (!take(',') && tokens[at]?.text !== '}') fail();
    }
    return fields;
  };
  try {
    return value();
  } catch {
    return undefined;
  }
}
