/**
 * What a program's variables hold, as far as its text shows: text, fractions, or indices. Only guesses: they decide where
 * a value is looked at when the program runs, so a wrong one leaves out a charge or looks in vain.
 */
import type { Program } from 'acorn';
import { type AnyNode, childrenOf } from './ast.ts';

const textMethods = new Set([
  ...['charAt', 'substring', 'substr', 'join', 'toString', 'toFixed', 'toUpperCase', 'toLowerCase', 'replace', 'trim'],
  ...['padStart', 'padEnd', 'repeat', 'fromCharCode', 'stringify', 'toPrecision'],
]);
const wholeMath = new Set(['floor', 'ceil', 'round', 'trunc', 'clz32', 'imul']);

export class Guesses {
  readonly #texts = new Set<string>();
  readonly #fractions = new Set<string>();
  readonly #indices = new Set<string>();

  constructor(program: Program) {
    const assigned: [name: string, value: AnyNode][] = [];
    collect(program as unknown as AnyNode, assigned);
    // Twice: what is assigned from a variable follows what that one holds.
    for (let pass = 0; pass < 2; pass++)
      for (const [name, value] of assigned) {
        if (this.isText(value)) this.#texts.add(name);
        if (this.isFraction(value)) this.#fractions.add(name);
      }
    const others = new Set(assigned.filter(([, value]) => !isWhole(value)).map(([name]) => name));
    for (const [name] of assigned) if (!others.has(name)) this.#indices.add(name);
  }

  isText(node: AnyNode): boolean {
    switch (node.type) {
      case 'Literal':
        return typeof node.value === 'string';
      case 'TemplateLiteral':
        return true;
      case 'Identifier':
        return this.#texts.has(node.name as string);
      case 'MemberExpression':
        return !node.computed && this.#texts.has((node.property as AnyNode).name as string);
      case 'BinaryExpression':
        return node.operator === '+' && (this.isText(node.left as AnyNode) || this.isText(node.right as AnyNode));
      case 'AssignmentExpression':
        return this.isText(node.right as AnyNode);
      case 'ConditionalExpression':
        return this.isText(node.consequent as AnyNode) || this.isText(node.alternate as AnyNode);
      case 'CallExpression': {
        const callee = node.callee as AnyNode;
        if (callee.type === 'Identifier') return callee.name === 'String';
        return callee.type === 'MemberExpression' && textMethods.has((callee.property as AnyNode).name as string);
      }
      default:
        return false;
    }
  }

  /** It may leave the whole numbers. */
  isFraction(node: AnyNode): boolean {
    switch (node.type) {
      case 'Literal':
        return typeof node.value === 'number' && !Number.isInteger(node.value);
      case 'Identifier':
        return this.#fractions.has(node.name as string);
      case 'MemberExpression':
        return !node.computed
          ? this.#fractions.has((node.property as AnyNode).name as string)
          : this.isFraction(node.object as AnyNode);
      case 'UnaryExpression':
        return node.operator === '-' && this.isFraction(node.argument as AnyNode);
      case 'BinaryExpression':
        if (node.operator === '/') return true;
        return (
          '+-*%'.includes(node.operator as string) &&
          (this.isFraction(node.left as AnyNode) || this.isFraction(node.right as AnyNode))
        );
      case 'NewExpression':
        return /^Float/.test(((node.callee as AnyNode).name as string) ?? '');
      case 'CallExpression': {
        const callee = node.callee as AnyNode;
        if (callee.type === 'Identifier')
          return this.#fractions.has(callee.name as string) || callee.name === 'parseFloat';
        const object = callee.object as AnyNode | undefined;
        return object?.name === 'Math' && !wholeMath.has((callee.property as AnyNode).name as string);
      }
      default:
        return false;
    }
  }

  /** It is surely a whole number. */
  isIndex(node: AnyNode): boolean {
    if (node.type === 'Identifier') return this.#indices.has(node.name as string);
    return isWhole(node);
  }
}

/** What no more than its own form shows to be a whole number. */
function isWhole(node: AnyNode): boolean {
  if (node.type === 'Literal') return typeof node.value === 'number';
  if (node.type === 'UpdateExpression') return true;
  if (node.type === 'BinaryExpression')
    return node.operator !== '+' || (isWhole(node.left as AnyNode) && isWhole(node.right as AnyNode));
  return false;
}

function collect(node: AnyNode, assigned: [string, AnyNode][]): void {
  if (node.type === 'VariableDeclarator' && node.init && (node.id as AnyNode).type === 'Identifier')
    assigned.push([(node.id as AnyNode).name as string, node.init as AnyNode]);
  else if (node.type === 'AssignmentExpression') {
    const left = node.left as AnyNode;
    const name =
      left.type === 'Identifier'
        ? left.name
        : left.type === 'MemberExpression' && !left.computed
          ? (left.property as AnyNode).name
          : null;
    if (typeof name === 'string') {
      const operator = (node.operator as string).slice(0, -1);
      const value = operator === '' ? node.right : { type: 'BinaryExpression', operator, left, right: node.right };
      assigned.push([name, value as AnyNode]);
    }
  } else if (node.type === 'Property' && (node.key as AnyNode).type === 'Identifier' && !node.computed) {
    assigned.push([(node.key as AnyNode).name as string, node.value as AnyNode]);
  } else if (node.type === 'FunctionDeclaration' && node.id) {
    // What a function returns, it may hold.
    const name = (node.id as AnyNode).name as string;
    const visit = (inner: AnyNode): void => {
      if (inner.type === 'ReturnStatement' && inner.argument) assigned.push([name, inner.argument as AnyNode]);
      for (const child of childrenOf(inner)) visit(child);
    };
    visit(node.body as AnyNode);
  }
  for (const child of childrenOf(node)) collect(child, assigned);
}
