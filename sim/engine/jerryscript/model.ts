/**
 * What JerryScript 2.4 does for each construct, in terms of its byte code: an operator with its operands, variables in
 * registers or, where a closure uses them, in environments that are searched property by property, newest first.
 *
 * Reference: jerryscript-project/jerryscript v2.4.0 jerry-core/parser/js (js-parser-statm.c: line info; byte-code.h),
 * jerry-core/vm/vm.c, jerry-core/ecma/operations/ecma-reference.c; kaluma-project/kaluma 1.2.1 tools/kaluma.cmake.
 */
import { type AnyNode, childrenOf, isFunction } from '../ast.ts';
import { addTo, type Bag, type Prices } from '../features.ts';
import type { CostModel, DynamicFeatures, Unit, UnitCosts } from '../model.ts';
import type { Scope, Variable } from '../scopes.ts';
import { accessorNames, isDateOfFields, type Place, propertyPlaces } from '../shapes.ts';
import { linedStatements } from './lines.ts';
import { checkJerryscriptText } from './refused-syntax.ts';

const dynamic: DynamicFeatures = {
  searchesArrays: false,
  searchesText: false,
  passes: 'newer',
  // ECMA_INTEGER_NUMBER_MAX: what fits into a value word beside its tag.
  wordMax: 2 ** 27 - 1,
};

const operatorClass: Record<string, string> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '%': 'mod',
  '&': 'bit',
  '|': 'bit',
  '^': 'bit',
  '<<': 'shift',
  '>>': 'shift',
  '>>>': 'shift',
  '<': 'compare',
  '>': 'compare',
  '<=': 'compare',
  '>=': 'compare',
  '==': 'equal',
  '!=': 'equal',
  '===': 'equal',
  '!==': 'equal',
  '**': 'mod',
  in: 'in',
  instanceof: 'instanceof',
};

export function jerryscriptModel(prices: Prices, allocations: Prices): CostModel {
  return {
    engine: 'jerryscript',
    dynamic,
    prices,
    skips: false,
    allocations,
    checkText: checkJerryscriptText,
    refusal: () => null,
    costs: (unit) => new JerryscriptCosts(unit),
  };
}

const unaryName: Record<string, string> = {
  '-': 'minus',
  '!': 'not',
  '~': 'tilde',
  typeof: 'typeof',
  delete: 'delete',
};

/** Builtins that are called to turn a value into one of their kind. */
const converters = new Set([
  'String',
  'Number',
  'Boolean',
  'Array',
  'Object',
  'Symbol',
  'BigInt',
  'Error',
  'TypeError',
  'RangeError',
]);

class JerryscriptCosts implements UnitCosts {
  readonly #unit: Unit;
  readonly #places: Map<string, Place>;
  readonly #accessors: ReadonlySet<string>;
  readonly #lined: ReadonlySet<AnyNode>;

  constructor(unit: Unit) {
    this.#unit = unit;
    this.#places = propertyPlaces(unit.program);
    this.#accessors = accessorNames(unit.program);
    this.#lined = linedStatements(unit);
  }

  own(node: AnyNode, parent: AnyNode | null, bag: Bag): void {
    if (this.#lined.has(node)) addTo(bag, 'line');
    switch (node.type) {
      case 'Identifier':
        this.#variable(node, parent, bag);
        return;
      case 'Literal':
        if (node.regex) {
          addTo(bag, 'regexp');
          addTo(bag, 'regexp.character', (node.regex as unknown as { pattern: string }).pattern.length);
        } else if (typeof node.value === 'number' && !(node.value < 2 ** 27 && Number.isInteger(node.value)))
          addTo(bag, 'literal.wide');
        else addTo(bag, isOperand(node, parent) ? 'operand.literal' : 'push.literal');
        return;
      case 'BinaryExpression':
        addTo(bag, `binary.${operatorClass[node.operator as string] ?? 'add'}`);
        // One operand beyond a word sends both the long way.
        if (/[&|^]|<<|>>/.test(node.operator as string) && (isWide(node.left) || isWide(node.right)))
          addTo(bag, 'float.operand.literal');
        return;
      case 'LogicalExpression':
        addTo(bag, 'branch.logical');
        return;
      case 'ConditionalExpression':
        addTo(bag, 'branch');
        addTo(bag, 'jump', 0.5);
        return;
      case 'IfStatement':
        addTo(bag, 'branch');
        if (node.alternate) addTo(bag, 'jump', 0.5);
        return;
      case 'UnaryExpression':
        addTo(bag, `unary.${unaryName[node.operator as string] ?? 'other'}`);
        if (node.operator === 'typeof' && this.#unit.scopes.uses.get(node.argument as AnyNode)?.variable === null)
          addTo(bag, 'unary.typeof.nothing');
        return;
      case 'UpdateExpression':
        this.#update(node, parent, bag);
        return;
      case 'AssignmentExpression':
        if (node.operator !== '=')
          addTo(bag, `binary.${operatorClass[(node.operator as string).slice(0, -1)] ?? 'add'}`);
        this.#assigned(node.left as AnyNode, bag);
        if (parent?.type !== 'ExpressionStatement') addTo(bag, 'assign.result');
        return;
      case 'MemberExpression':
        if (!node.computed) this.#property(node, parent, bag);
        return;
      case 'CallExpression': {
        const callee = node.callee as AnyNode;
        addTo(
          bag,
          callee.type === 'MemberExpression' ? 'call.method' : callee.type === 'Super' ? 'call.super' : 'call',
        );
        addTo(bag, 'call.argument', (node.arguments as AnyNode[]).length);
        if (callee.type === 'Identifier' && converters.has(callee.name as string)) addTo(bag, 'call.convert');
        return;
      }
      case 'NewExpression':
        addTo(bag, 'call.argument', (node.arguments as AnyNode[]).length);
        if (isDateOfFields(node)) addTo(bag, 'new.date.fields');
        return;
      case 'ArrayExpression':
        addTo(bag, 'array');
        addTo(bag, 'array.element', (node.elements as AnyNode[]).length);
        return;
      case 'ObjectExpression':
        addTo(bag, 'object');
        addTo(bag, 'object.property', (node.properties as AnyNode[]).length);
        return;
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        addTo(bag, 'closure');
        return;
      case 'FunctionDeclaration':
        if (parent?.type !== 'Program') addTo(bag, 'closure');
        return;
      case 'VariableDeclarator':
        if (node.init) this.#assigned(node.id as AnyNode, bag);
        return;
      case 'ReturnStatement':
        addTo(bag, node.argument ? 'return' : 'return.undefined');
        return;
      case 'BreakStatement':
      case 'ContinueStatement':
        addTo(bag, 'jump');
        return;
      case 'SwitchCase':
        addTo(bag, node.test ? 'case' : 'jump');
        return;
      case 'ThisExpression':
        addTo(bag, 'this');
        return;
      case 'TemplateLiteral':
        addTo(bag, 'template');
        addTo(bag, 'template.part', (node.expressions as AnyNode[]).length);
        return;
      case 'ClassBody':
        addTo(bag, 'class');
        addTo(bag, 'class.member', (node.body as AnyNode[]).length);
        return;
      case 'ObjectPattern':
        addTo(bag, node.type);
        addTo(bag, 'ObjectPattern.property', (node.properties as AnyNode[]).length);
        return;
      case 'ArrayPattern':
        addTo(bag, node.type);
        addTo(bag, 'ArrayPattern.element', (node.elements as AnyNode[]).length);
        return;
      case 'SwitchStatement':
      case 'TryStatement':
      case 'CatchClause':
      case 'ThrowStatement':
      case 'ForInStatement':
      case 'ForOfStatement':
      case 'SpreadElement':
      case 'RestElement':
      case 'AssignmentPattern':
      case 'YieldExpression':
      case 'AwaitExpression':
      case 'Super':
        addTo(bag, node.type);
        return;
      default:
    }
  }

  entry(fn: AnyNode, bag: Bag): void {
    addTo(bag, fn.type === 'ArrowFunctionExpression' ? 'entry.arrow' : 'entry');
    if ((fn.body as AnyNode).type !== 'BlockStatement') addTo(bag, 'return');
    if (fn.generator) addTo(bag, 'entry.generator');
    if (fn.async) addTo(bag, 'entry.async');
    if (usesArguments(fn)) addTo(bag, 'entry.arguments');
    const variables = this.#functionVariables(fn);
    for (const variable of variables) {
      if (variable.captured) addTo(bag, 'entry.environment.variable');
      else if (variable.kind === 'param') addTo(bag, 'entry.parameter');
      else addTo(bag, 'entry.register');
    }
    if (variables.some(({ captured }) => captured)) addTo(bag, 'entry.environment');
  }

  iteration(loop: AnyNode, bag: Bag): void {
    const isEach = loop.type === 'ForInStatement' || loop.type === 'ForOfStatement';
    addTo(bag, isEach ? `${loop.type}.next` : 'iteration');
    // let and const are made anew for each element.
    if (isEach && (loop.left as AnyNode).kind !== undefined && (loop.left as AnyNode).kind !== 'var')
      addTo(bag, `${loop.type}.lexical`);
    // A closure in the body keeps the loop's variables: each iteration has an environment of its own.
    const scope = this.#unit.scopes.scopes.get(loop);
    const body = this.#unit.scopes.scopes.get(loop.body as AnyNode);
    for (const block of [scope, body])
      if ([...(block?.variables.values() ?? [])].some(({ captured }) => captured)) addTo(bag, 'entry.environment');
  }

  skip(): void {}
  leave(): void {}

  /** The variables of a function and of the blocks in it, but not of functions in it. */
  #functionVariables(fn: AnyNode): Variable[] {
    const variables: Variable[] = [];
    for (const scope of this.#unit.scopes.scopes.values()) {
      let at: Scope | null = scope;
      while (at && at.kind === 'block') at = at.parent;
      if (at?.node === fn) variables.push(...scope.variables.values());
    }
    return variables;
  }

  #property(node: AnyNode, parent: AnyNode | null, bag: Bag): void {
    const name = (node.property as AnyNode).name as string;
    if (name === 'length') return;
    const isTarget =
      (parent?.type === 'AssignmentExpression' && parent.left === node) || parent?.type === 'UpdateExpression';
    const compound =
      parent?.type === 'UpdateExpression' || (parent?.type === 'AssignmentExpression' && parent.operator !== '=');
    addTo(bag, !isTarget ? 'property.get' : compound ? 'property.update' : 'property.set');
    if (this.#accessors.has(name)) addTo(bag, 'property.accessor');
    const place = this.#places.get(name);
    if (place) addTo(bag, 'property.step', place.after * (compound ? 2 : 1));
  }

  #isRegister(variable: Variable | null): boolean {
    return variable !== null && variable.scope.kind !== 'global' && !variable.captured;
  }

  #assigned(target: AnyNode, bag: Bag): void {
    if (target.type !== 'Identifier') return;
    const use = this.#unit.scopes.uses.get(target);
    if (this.#isRegister(use?.variable ?? null)) addTo(bag, 'assign.register');
    else addTo(bag, 'assign.name');
  }

  #update(node: AnyNode, parent: AnyNode | null, bag: Bag): void {
    const target = node.argument as AnyNode;
    if (target.type !== 'Identifier') {
      addTo(bag, 'update.member');
      return;
    }
    const use = this.#unit.scopes.uses.get(target);
    const unused =
      parent?.type === 'ExpressionStatement' || (parent?.type === 'ForStatement' && parent.update === node);
    const form = unused || node.prefix ? '' : '.postfix';
    addTo(bag, this.#isRegister(use?.variable ?? null) ? `update.register${form}` : `update.name${form}`);
  }

  #variable(node: AnyNode, parent: AnyNode | null, bag: Bag): void {
    const use = this.#unit.scopes.uses.get(node);
    if (!use) return;
    const { variable } = use;
    const isTarget =
      (parent?.type === 'AssignmentExpression' && parent.left === node && parent.operator === '=') ||
      (parent?.type === 'VariableDeclarator' && parent.id === node) ||
      parent?.type === 'UpdateExpression';
    if (this.#isRegister(variable)) {
      if (!isTarget) addTo(bag, isOperand(node, parent) ? 'operand.register' : 'push.register');
      return;
    }
    if (!isTarget) addTo(bag, 'name.get');
    // Updates and compound assignments look their name up twice: to read and to write.
    const compound =
      parent?.type === 'UpdateExpression' ||
      (parent?.type === 'AssignmentExpression' && parent.left === node && parent.operator !== '=');
    const times = compound ? 2 : 1;
    let at: Scope | null = use.from;
    for (; at && at.kind !== 'global'; at = at.parent) {
      const captured = [...at.variables.values()].filter((other) => other.captured);
      if (captured.length === 0) continue;
      addTo(bag, 'name.environment', times);
      if (variable?.scope === at) {
        addTo(bag, 'name.step', times * captured.filter((other) => other.index > variable.index).length);
        return;
      }
      addTo(bag, 'name.step', times * captured.length);
    }
    const globals = [...this.#unit.scopes.global.variables.values()];
    const isLexical = (other: Variable) => other.kind === 'let' || other.kind === 'const' || other.kind === 'class';
    const lexical = globals.filter(isLexical);
    if (lexical.length > 0 || variable) addTo(bag, 'name.lexical', times);
    if (variable && isLexical(variable)) {
      addTo(bag, 'name.step', times * lexical.filter((other) => other.index > variable.index).length);
      return;
    }
    addTo(bag, 'name.step', times * lexical.length);
    addTo(bag, 'name.global', times);
    // Functions are declared before variables, whatever their place in the text.
    const order = globals.filter((other) => !isLexical(other)).sort((a, b) => rank(a) - rank(b) || a.index - b.index);
    if (variable) addTo(bag, 'name.step', times * (order.length - 1 - order.indexOf(variable)));
    else {
      addTo(bag, 'name.step', times * order.length);
      addTo(bag, 'name.builtin', times);
    }
  }
}

/** The function itself speaks of its arguments object. */
function usesArguments(node: AnyNode): boolean {
  return childrenOf(node).some(
    (child) =>
      (child.type === 'Identifier' && child.name === 'arguments') ||
      ((!isFunction(child) || child.type === 'ArrowFunctionExpression') && usesArguments(child)),
  );
}

const isWide = (node: unknown): boolean => {
  const { type, value } = node as AnyNode;
  return type === 'Literal' && typeof value === 'number' && value > dynamic.wordMax;
};

const rank = (variable: Variable): number => (variable.kind === 'function' ? 0 : 1);

/** Fetched by the operator's own byte code instead of being pushed first. */
function isOperand(_node: AnyNode, parent: AnyNode | null): boolean {
  return (
    parent?.type === 'BinaryExpression' ||
    parent?.type === 'UnaryExpression' ||
    parent?.type === 'MemberExpression' ||
    parent?.type === 'AssignmentExpression' ||
    parent?.type === 'VariableDeclarator'
  );
}
