/**
 * `for` as `while`.
 *
 *   for (var i = 0; i < n; i++) sum += u8[i];     =>     var i = 0; while (i < n) { sum += u8[i]; i++ }
 *
 * Espruino: an iteration of a `for` costs 1,100 instructions more than one of a `while`, because it goes to the update and
 * back through the text. Kaluma makes the same byte code of both. Loops with `continue`, and with variables of their own
 * (`let`), stay as they are.
 */
import type { AnyNode, ForStatement, Program } from 'acorn';
import { ancestor, simple } from 'acorn-walk';
import type MagicString from 'magic-string';
import type { Unit } from './pass.ts';

export function forToWhile({ program, text, isDevice }: Unit): undefined {
  ancestor(program as Program, {
    ForStatement(node, _, ancestors) {
      if (isDevice(node) && !hasOwnVariables(node) && !(node.update && hasContinue(node.body)))
        rewrite(node, (ancestors as AnyNode[]).at(-2)!, text);
    },
  });
}

function rewrite({ start, init, test, update, body }: ForStatement, parent: AnyNode, text: MagicString): void {
  const isListed = parent.type === 'BlockStatement' || parent.type === 'Program';
  const source = text.original;
  // The parts stay where they are, so that their places in the map do.
  if (init) {
    text.update(start, init.start, isListed ? '' : '{ ');
    text.update(init.end, test ? test.start : source.indexOf(';', init.end) + 1, `; while (${test ? '' : '1'}`);
  } else text.update(start, test ? test.start : source.indexOf(';', start) + 1, `while (${test ? '' : '1'}`);
  const testEnd = test ? test.end : source.indexOf(';', init ? init.end : start) + 1;
  text.update(testEnd, body.start, ') ');
  const next = update ? ` ${source.slice(update.start, update.end)};` : '';
  if (body.type === 'BlockStatement') text.appendLeft(body.end - 1, next);
  else if (body.type === 'EmptyStatement') text.update(body.start, body.end, next === '' ? ';' : `{${next} }`);
  else if (next !== '') {
    text.appendRight(body.start, '{ ');
    text.appendLeft(body.end, `${next} }`);
  }
  if (init && !isListed) text.appendLeft(body.end, ' }');
}

const hasOwnVariables = ({ init }: ForStatement): boolean =>
  init?.type === 'VariableDeclaration' && init.kind !== 'var';

function hasContinue(body: AnyNode): boolean {
  let found = false;
  simple(body, {
    ContinueStatement() {
      found = true;
    },
  });
  return found;
}
