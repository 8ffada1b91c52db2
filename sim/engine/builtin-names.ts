/** The builtin constructors that a program names where it runs at load. */
import type { AnyNode } from './ast.ts';
import type { Unit } from './model.ts';

/** The builtin constructors that the text names outside functions: each is made at its first use. */
export function classesOf(unit: Unit): Set<string> {
  const classes = new Set<string>();
  for (const [node, { variable, from }] of unit.scopes.uses) {
    const { name } = node as AnyNode & { name: string };
    let scope: typeof from | null = from;
    while (scope?.kind === 'block') scope = scope.parent;
    if (variable === null && scope?.kind === 'global' && /^[A-Z][A-Za-z0-9]*(Array|View|Buffer)$/.test(name))
      classes.add(name);
  }
  return classes;
}
