/**
 * Syntax that JerryScript 2.4 does not know and V8 does: `?.`, `??=`, `||=`, `&&=`, `#private`. Kaluma refuses the whole
 * text, before any of it runs. Places and words were recorded from Kaluma 1.2.1 (test/fixtures/kaluma-repl.json).
 */
import { tokenizer } from 'acorn';
import type { Outcome } from '../../engine/engine.ts';

/** JerryScript's PARSER_MAXIMUM_IDENT_LENGTH. */
const longestNameBytes = 255;

/** Why the engine refuses `source`; null when it parses it. */
export function refusedSyntax(source: string): Extract<Outcome, { kind: 'error' }> | null {
  const refuse = (message: string, offset: number): Extract<Outcome, { kind: 'error' }> => {
    const before = source.slice(0, offset).split('\n');
    return { kind: 'error', name: 'SyntaxError', message, line: before.length, column: before.at(-1)!.length + 1 };
  };
  let inClassBody = false;
  try {
    for (const { type, start, end } of tokenizer(source, { ecmaVersion: 2022 })) {
      const text = source.slice(start, end);
      if (type.label === 'name' && end - start > longestNameBytes) return refuse('Identifier is too long.', start);
      if (type.label === '?.') return refuse('Primary expression expected.', start + 1);
      if (type.label === '_=' && ['??=', '||=', '&&='].includes(text))
        return refuse('Primary expression expected.', start + 2);
      if (type.label === 'privateId')
        return refuse(inClassBody ? 'Property identifier expected.' : 'Invalid (unexpected) character.', start);
      inClassBody = ['{', ';', '}', 'static'].includes(type.label) || text === 'static';
    }
  } catch {
    // What does not even part into tokens is refused when it is parsed.
  }
  return null;
}
