/**
 * Shorter comparisons for the device code, whose values are integers: fewer characters for Espruino to read each time,
 * fewer operations on both engines.
 *
 *   if (next !== 0) ...          =>  if (next) ...          only where the outcome is tested, not kept
 *   if (next === 0) ...          =>  if (!(next)) ...
 *   size === held                =>  size == held           in policies, which know nothing but integers
 *
 * A load beyond the arena gives undefined: as a test it counts as 0, "none", which is the safe side.
 */
import type { AnyNode, BinaryExpression, Program } from 'acorn';
import { ancestor } from 'acorn-walk';
import type MagicString from 'magic-string';

export function shortenComparisons(
  program: Program,
  text: MagicString,
  inDevice: (node: AnyNode) => boolean,
  inPolicy: (node: AnyNode) => boolean,
): void {
  ancestor(program, {
    BinaryExpression(node, _, ancestors) {
      if (node.operator !== '===' && node.operator !== '!==') return;
      if (isZero(node.right) && isTested(ancestors as AnyNode[]) && inDevice(node)) {
        text.remove(operatorAt(node, text), node.end);
        if (node.operator === '===') {
          text.prependRight(node.start, '!(');
          text.appendLeft(operatorAt(node, text), ')');
        }
      } else if (inPolicy(node) && !isWord(node.left) && !isWord(node.right)) shorten(node, text);
    },
  });
}

const isZero = (node: AnyNode): boolean => node.type === 'Literal' && node.value === 0;

/** null, a string, true: not a number, so not the same under `==`. */
const isWord = (node: AnyNode): boolean =>
  (node.type === 'Literal' && typeof node.value !== 'number') ||
  (node.type === 'UnaryExpression' && node.operator === '!');

function shorten(node: BinaryExpression, text: MagicString): void {
  const at = operatorAt(node, text);
  text.update(at, at + 3, node.operator.slice(0, 2));
}

/** Where the operator stands: after the parentheses that the left side may have. */
function operatorAt(node: BinaryExpression, text: MagicString): number {
  return node.left.end + text.original.slice(node.left.end, node.right.start).indexOf(node.operator);
}

/** Whether only the truth of the innermost node matters to what is around it. */
function isTested(ancestors: readonly AnyNode[]): boolean {
  for (let i = ancestors.length - 1; i > 0; i--) {
    const node = ancestors[i]!;
    const parent = ancestors[i - 1]!;
    switch (parent.type) {
      case 'IfStatement':
      case 'WhileStatement':
      case 'DoWhileStatement':
      case 'ForStatement':
        return parent.test === node;
      case 'ConditionalExpression':
        if (parent.test === node) return true;
        break;
      case 'UnaryExpression':
        return parent.operator === '!';
      case 'ExpressionStatement':
        return true;
      case 'SequenceExpression':
        if (parent.expressions.at(-1) !== node) return true;
        break;
      case 'LogicalExpression':
        if (parent.operator === '??') return false;
        break;
      case 'ParenthesizedExpression':
        break;
      default:
        return false;
    }
  }
  return false;
}
