/** The views of the arena: variables of the top level that hold a typed array. */
import type { AnyNode, MemberExpression, Program } from 'acorn';

/** Their names. */
export function viewNames(program: Program): string[] {
  return program.body.flatMap((statement) =>
    statement.type !== 'VariableDeclaration'
      ? []
      : statement.declarations.flatMap(({ id, init }) =>
          id.type === 'Identifier' && isNewView(init) ? [id.name] : [],
        ),
  );
}

/** `new Uint16Array(...)`. */
export function isNewView(node: AnyNode | null | undefined): boolean {
  return (
    node?.type === 'NewExpression' && node.callee.type === 'Identifier' && /^Uint(8|16|32)Array$/.test(node.callee.name)
  );
}

/** The name of the view that an element belongs to; undefined for other members. */
export function viewOf(node: MemberExpression, views: ReadonlySet<string>): string | undefined {
  const { computed, object } = node;
  return computed && object.type === 'Identifier' && views.has(object.name) ? object.name : undefined;
}
