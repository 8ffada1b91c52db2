/**
 * Drops the views of the arena that a policy does not use: `u16 = new Uint16Array(buffer)` costs engine memory and time
 * at each binding, and the minifier must keep it because a constructor may have effects. These have none.
 */
import type { AnyNode, Identifier, Program } from 'acorn';
import { ancestor } from 'acorn-walk';
import type MagicString from 'magic-string';
import { isNewView } from './views.ts';

export function dropUnusedViews(program: Program, text: MagicString): void {
  const views = new Set<string>();
  for (const statement of program.body) {
    if (statement.type !== 'VariableDeclaration') continue;
    for (const { id, init } of statement.declarations) if (id.type === 'Identifier' && isView(init)) views.add(id.name);
  }
  const written: { name: string; value: AnyNode }[] = [];
  ancestor(program, {
    AssignmentExpression({ left, right, operator }) {
      if (left.type !== 'Identifier' || !views.has(left.name)) return;
      if (operator === '=' && isView(right)) written.push({ name: left.name, value: right });
      else views.delete(left.name);
    },
    VariableDeclarator({ id, init }) {
      if (id.type === 'Identifier' && isView(init)) written.push({ name: id.name, value: init! });
    },
    // Targets of assignments and declarations are patterns to the walker: an Identifier here is read.
    Identifier(node: Identifier) {
      views.delete(node.name);
    },
  });
  for (const { name, value } of written) if (views.has(name)) text.update(value.start, value.end, '0');
}

const isView = (node: AnyNode | null | undefined): boolean =>
  node?.type === 'NewExpression' && isNewView(node) && node.arguments.length === 1;
