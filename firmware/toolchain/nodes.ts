/** Walking a syntax tree by hand, where the walker's own order or state does not serve. */
import type { AnyNode, ArrowFunctionExpression, FunctionDeclaration, FunctionExpression } from 'acorn';

export type FunctionNode = FunctionDeclaration | FunctionExpression | ArrowFunctionExpression;

/** A function of any form. */
export function isFunction(node: AnyNode): node is FunctionNode {
  return (
    node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression' || node.type === 'ArrowFunctionExpression'
  );
}

/** Whether a function lies within a node. */
export const containsFunction = (node: AnyNode): boolean =>
  childrenOf(node).some((child) => isFunction(child) || containsFunction(child));

const children = new WeakMap<AnyNode, readonly AnyNode[]>();

/** The child nodes in the order of the text; found once for each node. */
export function childrenOf(node: AnyNode): readonly AnyNode[] {
  let found = children.get(node);
  if (found === undefined) {
    found = findChildren(node);
    children.set(node, found);
  }
  return found;
}

function findChildren(node: AnyNode): AnyNode[] {
  const found: AnyNode[] = [];
  for (const key in node) {
    const value = (node as unknown as Record<string, unknown>)[key];
    if (Array.isArray(value)) {
      for (const entry of value) if (isNode(entry)) found.push(entry);
    } else if (isNode(value)) found.push(value);
  }
  return found.length > 1 ? found.sort((a, b) => a.start - b.start) : found;
}

const isNode = (value: unknown): value is AnyNode =>
  typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
