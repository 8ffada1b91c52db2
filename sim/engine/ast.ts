/** Small helpers over acorn's tree, shared by the scope analysis, the models and the instrumentation. */
import type { Function as AcornFunction, Identifier, Node, Pattern } from 'acorn';

export type AnyNode = Node & Record<string, unknown>;

export const isFunction = (node: Node): node is AcornFunction =>
  node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression' || node.type === 'ArrowFunctionExpression';

const isNode = (value: unknown): value is AnyNode =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';

/** The child nodes in the order of the text. */
export function childrenOf(node: Node): AnyNode[] {
  const children: AnyNode[] = [];
  for (const value of Object.values(node)) {
    if (isNode(value)) children.push(value);
    else if (Array.isArray(value)) for (const item of value) if (isNode(item)) children.push(item);
  }
  // `{ a }` holds the same identifier as key and value.
  return children
    .filter((child, at) => children.findIndex((other) => other.start === child.start) === at)
    .sort((a, b) => a.start - b.start);
}

/** The identifiers that a pattern binds. */
export function namesOf(pattern: Pattern | null | undefined, found: Identifier[] = []): Identifier[] {
  if (!pattern) return found;
  if (pattern.type === 'Identifier') found.push(pattern);
  else if (pattern.type === 'AssignmentPattern') namesOf(pattern.left, found);
  else if (pattern.type === 'RestElement') namesOf(pattern.argument, found);
  else if (pattern.type === 'ArrayPattern') for (const element of pattern.elements) namesOf(element, found);
  else if (pattern.type === 'ObjectPattern')
    for (const property of pattern.properties)
      namesOf(property.type === 'RestElement' ? property.argument : property.value, found);
  return found;
}

/** True when the statement can leave its place other than at its end. */
export function canLeave(node: Node): boolean {
  if (isFunction(node)) return false;
  if (
    node.type === 'ReturnStatement' ||
    node.type === 'BreakStatement' ||
    node.type === 'ContinueStatement' ||
    node.type === 'ThrowStatement' ||
    node.type === 'YieldExpression' ||
    node.type === 'AwaitExpression'
  )
    return true;
  return childrenOf(node).some(canLeave);
}
