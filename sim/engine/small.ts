/** A static bound of what an expression can give, to leave out run-time checks where a number is surely a small one. */
import type { AnyNode } from './ast.ts';

/** The largest magnitude that the expression can have as an integer, or Infinity where nothing is known. */
export function boundOf(node: AnyNode): number {
  if (node.type === 'Literal') {
    const { value } = node;
    return typeof value === 'number' && Number.isInteger(value) ? Math.abs(value) : Infinity;
  }
  if (node.type === 'UnaryExpression' && node.operator === '!') return 1;
  if (node.type !== 'BinaryExpression') return Infinity;
  const left = node.left as AnyNode;
  const right = node.right as AnyNode;
  const operator = node.operator as string;
  switch (operator) {
    case '&': {
      // A negative literal as a mask bounds nothing; it is a UnaryExpression and so has no bound here.
      const mask = Math.min(
        left.type === 'Literal' ? boundOf(left) : Infinity,
        right.type === 'Literal' ? boundOf(right) : Infinity,
      );
      return mask < 2 ** 31 ? mask : Infinity;
    }
    case '>>':
    case '>>>':
      return right.type === 'Literal' ? 2 ** 32 / 2 ** boundOf(right) : Infinity;
    case '+':
    case '-':
      return boundOf(left) + boundOf(right);
    case '*':
      return boundOf(left) * boundOf(right);
    case '<<':
      return right.type === 'Literal' ? boundOf(left) * 2 ** boundOf(right) : Infinity;
    case '|':
    case '^':
      return 2 * Math.max(boundOf(left), boundOf(right));
    case '<':
    case '>':
    case '<=':
    case '>=':
    case '==':
    case '!=':
    case '===':
    case '!==':
    case 'in':
    case 'instanceof':
      return 1;
    default:
      return Infinity;
  }
}
