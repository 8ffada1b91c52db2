/**
 * Syntax that JerryScript 2.4 does not know and V8 does: `?.`, `??=`, `||=`, `&&=`, `#private`, `static {}`, groups with
 * names, lookbehind, `<!--`, letters beyond ASCII in names. The whole text is refused, before any of it runs. Places and
 * words were recorded from Kaluma 1.2.1 (test/fixtures/kaluma-repl.json, test/fixtures/syntax-forms.json).
 */
import { tokenizer } from 'acorn';

/** JerryScript's PARSER_MAXIMUM_IDENT_LENGTH. */
const longestNameBytes = 255;

/** Throws a SyntaxError in acorn's form (a message, then line and column) where the engine refuses `source`. */
export function checkJerryscriptText(source: string): void {
  const refused = refusedAt(source);
  if (refused === null) return;
  const before = source.slice(0, refused.offset).split('\n');
  throw new SyntaxError(`${refused.message} (${before.length}:${before.at(-1)!.length})`);
}

function refusedAt(source: string): { message: string; offset: number } | null {
  let previous = '';
  let inClassBody = false;
  let htmlComment = -1;
  const onComment = (_isBlock: boolean, _text: string, start: number): void => {
    if (htmlComment === -1 && source.startsWith('<!--', start)) htmlComment = start;
  };
  try {
    for (const { type, start, end } of tokenizer(source, { ecmaVersion: 2022, onComment })) {
      if (htmlComment !== -1) break;
      const text = source.slice(start, end);
      if (type.label === 'name' && end - start > longestNameBytes)
        return { message: 'Identifier is too long.', offset: start };
      if (type.label === 'name' && /^[^\w$\\]/.test(text)) return { message: 'Identifier expected.', offset: start };
      if (type.label === '?.') return { message: 'Primary expression expected.', offset: start + 1 };
      if (type.label === '_=' && ['??=', '||=', '&&='].includes(text))
        return { message: 'Primary expression expected.', offset: start + 2 };
      if (type.label === 'privateId') {
        const message = inClassBody ? 'Property identifier expected.' : 'Invalid (unexpected) character.';
        return { message, offset: start };
      }
      if (type.label === '{' && previous === 'static')
        return { message: 'Property identifier expected.', offset: start };
      if (type.label === 'regexp' && text.includes('(?<')) return { message: 'Invalid group', offset: start };
      inClassBody = ['{', ';', '}', 'static'].includes(type.label) || text === 'static';
      previous = text;
    }
  } catch {
    // What does not even part into tokens is refused when it is parsed.
  }
  return htmlComment === -1 ? null : { message: 'Primary expression expected.', offset: htmlComment };
}
