/** Walking a syntax tree by hand, where the walker's own order or state does not serve. */
import type { AnyNode, ArrowFunctionExpression, FunctionDeclaration, FunctionExpression } from 'acorn';

export type FunctionNode = FunctionDeclaration | FunctionExpression | ArrowFunctionExpression;

/** A function of any form. */
export function isFunction(node: AnyNode): node is FunctionNode {
  return (
    node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression' || node.type === 'ArrowFunctionExpression'
  );
}

/** The child nodes in the order of the text. */
export function childrenOf(node: AnyNode): AnyNode[] {
  const children: AnyNode[] = [];
  for (const value of Object.values(node))
    for (const entry of Array.isArray(value) ? value : [value])
      if (typeof entry === 'object' && entry !== null && 'type' in entry && 'start' in entry)
        children.push(entry as AnyNode);
  return children.sort((a, b) => a.start - b.start);
}
