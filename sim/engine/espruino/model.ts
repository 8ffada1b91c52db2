/**
 * What Espruino does for each construct. It has no byte code: a recursive descent over the text itself, which is read
 * again for each iteration and each call; code that is not executed is still read, and outside braces parsed as well.
 * Variables and properties are linked lists searched from the oldest.
 *
 * Reference: espruino/Espruino src/jsparse.c (jspeiFindInScopes, jspeFunctionCall, jspeStatementFor, jspeSkipBlock),
 * src/jsvar.c (jsvFindChildFromString).
 */
import { type AnyNode, childrenOf, isFunction } from '../ast.ts';
import { addTo, type Bag, type Prices } from '../features.ts';
import type { CostModel, DynamicFeatures, Unit, UnitCosts } from '../model.ts';
import { accessorNames, isDateOfFields, type Place, propertyPlaces } from '../shapes.ts';
import { espruinoRefusal } from './refused-syntax.ts';
import { TokenCosts } from './tokens.ts';

const dynamic: DynamicFeatures = {
  searchesArrays: true,
  searchesText: true,
  passes: 'older',
  wordMax: 2 ** 31,
};

const operatorClass: Record<string, string> = {
  '+': 'add',
  '-': 'add',
  '*': 'mul',
  '/': 'div',
  '%': 'mod',
  '&': 'bit',
  '|': 'bit',
  '^': 'bit',
  '<<': 'bit',
  '>>': 'bit',
  '>>>': 'bit',
  '<': 'compare',
  '>': 'compare',
  '<=': 'compare',
  '>=': 'compare',
  '==': 'compare',
  '!=': 'compare',
  '===': 'equal',
  '!==': 'equal',
  '**': 'mul',
  in: 'in',
  instanceof: 'instanceof',
};

/** Variables that a feature takes (src/jsvar.h; counted with process.memory()). */
const allocations: Prices = {
  function: 5,
  object: 1,
  'object.property': 1,
  array: 1,
  'array.element': 1,
  'new.typed': 3,
  'new.typed.byte': 1 / 13,
  'new.view': 1,
  'new.other': 1,
  'concat.character': 1 / 9,
  'append.character': 1 / 9,
  'Array.push.unit': 1,
  'key.new': 2,
  'new.other.pair': 2,
};

const unaryName: Record<string, string> = {
  '-': 'minus',
  '!': 'not',
  '~': 'tilde',
  typeof: 'typeof',
  delete: 'delete',
};

export function espruinoModel(prices: Prices): CostModel {
  return {
    engine: 'espruino',
    dynamic,
    prices,
    skips: true,
    allocations,
    checkText: () => {},
    refusal: espruinoRefusal,
    costs: (unit) => new EspruinoCosts(unit),
  };
}

class EspruinoCosts implements UnitCosts {
  readonly #unit: Unit;
  readonly #tokens: TokenCosts;
  readonly #places: Map<string, Place>;
  readonly #accessors: ReadonlySet<string>;

  constructor(unit: Unit) {
    this.#unit = unit;
    this.#tokens = new TokenCosts(unit.source);
    this.#places = propertyPlaces(unit.program);
    this.#accessors = accessorNames(unit.program);
  }

  own(node: AnyNode, parent: AnyNode | null, bag: Bag): void {
    this.#tokens.add(bag, node.start, node.end, isFunction(node) ? [] : childrenOf(node));
    const kind = node.type;
    switch (kind) {
      case 'Identifier':
        this.#lookUp(node, bag);
        return;
      case 'Literal':
        if (node.regex) {
          addTo(bag, 'regexp');
          addTo(bag, 'regexp.character', (node.regex as unknown as { pattern: string }).pattern.length);
        } else if (typeof node.value === 'number') addTo(bag, Number.isInteger(node.value) ? 'exec.int' : 'exec.float');
        else if (typeof node.value === 'string') {
          addTo(bag, 'exec.string');
          addTo(bag, 'exec.string.char', node.value.length);
        } else addTo(bag, 'exec.constant');
        return;
      case 'BinaryExpression':
        addTo(bag, `binary.${operatorClass[node.operator as string] ?? 'add'}`);
        return;
      case 'LogicalExpression':
        addTo(bag, 'logical');
        return;
      case 'ConditionalExpression':
        addTo(bag, 'conditional');
        return;
      case 'UnaryExpression':
        addTo(bag, `unary.${unaryName[node.operator as string] ?? 'other'}`);
        if (node.operator === 'typeof' && this.#unit.scopes.uses.get(node.argument as AnyNode)?.variable === null)
          addTo(bag, 'unary.typeof.nothing');
        return;
      case 'UpdateExpression':
        addTo(bag, node.prefix ? 'update.prefix' : 'update.postfix');
        return;
      case 'AssignmentExpression':
        addTo(bag, node.operator === '=' ? 'assign' : 'assign.compound');
        if (node.operator !== '=')
          addTo(bag, `binary.${operatorClass[(node.operator as string).slice(0, -1)] ?? 'add'}`);
        return;
      case 'MemberExpression':
        if (!node.computed) this.#property(node, parent, bag);
        return;
      case 'CallExpression':
        addTo(bag, (node.callee as AnyNode).type === 'MemberExpression' ? 'call.method' : 'call');
        addTo(bag, 'call.argument', (node.arguments as AnyNode[]).length);
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
      case 'FunctionDeclaration':
        addTo(bag, 'function');
        addTo(bag, 'function.parameter', (node.params as AnyNode[]).length);
        addTo(bag, 'function.char', node.end - node.start);
        return;
      case 'VariableDeclaration': {
        const count = (node.declarations as AnyNode[]).length;
        addTo(bag, node.kind === 'var' ? 'declare.var' : 'declare.let', count);
        return;
      }
      case 'VariableDeclarator':
        if (node.init) addTo(bag, 'declare.value');
        return;
      case 'ForStatement':
        addTo(bag, 'loop.for');
        this.#blockScope(node, bag);
        return;
      case 'ClassBody':
        addTo(bag, 'class');
        addTo(bag, 'class.member', (node.body as AnyNode[]).length);
        return;
      case 'BlockStatement':
        addTo(bag, 'block');
        this.#blockScope(node, bag);
        return;
      case 'ExpressionStatement':
      case 'IfStatement':
      case 'ReturnStatement':
      case 'WhileStatement':
      case 'DoWhileStatement':
      case 'ForInStatement':
      case 'ForOfStatement':
      case 'SwitchStatement':
      case 'SwitchCase':
      case 'BreakStatement':
      case 'ContinueStatement':
      case 'TryStatement':
      case 'CatchClause':
      case 'ThrowStatement':
      case 'Super':
        addTo(bag, kind);
        return;
      case 'ThisExpression':
        addTo(bag, 'this');
        return;
      case 'NewExpression':
        addTo(bag, 'call.argument', (node.arguments as AnyNode[]).length);
        if (isDateOfFields(node)) addTo(bag, 'new.date.fields');
        return;
      case 'TemplateLiteral':
        addTo(bag, 'template');
        addTo(bag, 'template.part', (node.expressions as AnyNode[]).length);
        addTo(bag, 'template.character', node.end - node.start);
        return;
      default:
    }
  }

  entry(fn: AnyNode, bag: Bag): void {
    const body = fn.body as AnyNode;
    addTo(bag, body.type === 'BlockStatement' ? 'entry' : 'entry.expression');
    const scope = this.#unit.scopes.scopes.get(fn);
    for (const variable of scope?.variables.values() ?? [])
      addTo(bag, variable.kind === 'param' ? 'entry.parameter' : 'entry.local');
    if (body.type === 'BlockStatement') this.#blockScope(fn, bag);
  }

  iteration(loop: AnyNode, bag: Bag): void {
    addTo(
      bag,
      loop.type === 'ForStatement'
        ? 'iteration.for'
        : loop.type === 'WhileStatement'
          ? 'iteration.while'
          : 'iteration.other',
    );
  }

  skip(node: AnyNode, bag: Bag): void {
    this.#tokens.add(bag, node.start, node.end);
    if (node.type === 'BlockStatement') addTo(bag, 'skip.block');
    else this.#parsed(node, bag);
  }

  /** Parsed without being executed: the descent remains. */
  #parsed(node: AnyNode, bag: Bag): void {
    if (node.type === 'BlockStatement') return;
    const children = isFunction(node) ? [] : childrenOf(node);
    addTo(bag, children.length === 0 ? 'skip.leaf' : node.type.endsWith('Statement') ? 'skip.statement' : 'skip.inner');
    for (const child of children) this.#parsed(child, bag);
  }

  leave(node: AnyNode, path: readonly AnyNode[], bag: Bag): void {
    // A return passes over the rest of the function; a break or continue over the rest of its loop.
    const stops = (at: AnyNode): boolean =>
      isFunction(at) || (node.type !== 'ReturnStatement' && /^(For|While|DoWhile)/.test(at.type));
    let inSwitch = false;
    for (let i = path.length - 1; i > 0; i--) {
      const around = path[i - 1] as AnyNode;
      const child = path[i] as AnyNode;
      if (around.type === 'SwitchStatement') inSwitch = true;
      if (stops(around)) return;
      if (around.type !== 'BlockStatement' && around.type !== 'SwitchCase' && around.type !== 'SwitchStatement')
        continue;
      const list = (around.body ?? around.consequent ?? around.cases) as AnyNode[];
      const rest = list.filter((sibling) => sibling.start >= child.end);
      const last = rest[rest.length - 1];
      if (!last) continue;
      this.#tokens.add(bag, (rest[0] as AnyNode).start, last.end);
      if (around.type !== 'BlockStatement') for (const sibling of rest) this.#parsed(sibling, bag);
      if (inSwitch && node.type === 'BreakStatement') return;
    }
  }

  /** A block with let or const gets an object of its own, made at each run. */
  #blockScope(node: AnyNode, bag: Bag): void {
    const scope = this.#unit.scopes.scopes.get(node);
    const own = [...(scope?.variables.values() ?? [])].filter(
      ({ kind }) => kind === 'let' || kind === 'const' || kind === 'class',
    );
    if (own.length > 0) addTo(bag, 'scope');
  }

  #property(node: AnyNode, _parent: AnyNode | null, bag: Bag): void {
    const name = (node.property as AnyNode).name as string;
    addTo(bag, 'member');
    if (this.#accessors.has(name)) addTo(bag, 'member.accessor');
    const place = this.#places.get(name);
    if (place) addTo(bag, 'member.step', place.before);
  }

  /** Scopes from the inside out, each searched from its oldest variable. */
  #lookUp(node: AnyNode, bag: Bag): void {
    const use = this.#unit.scopes.uses.get(node);
    if (!use) return;
    if (node.name === 'undefined') {
      addTo(bag, 'exec.constant');
      return;
    }
    if (node.name === 'arguments') addTo(bag, 'arguments');
    addTo(bag, 'exec.name');
    const { variable } = use;
    for (let scope: typeof use.from | null = use.from; scope; scope = scope.parent) {
      const variables = [...scope.variables.values()];
      if (scope.kind === 'block' && !variables.some(({ kind }) => kind !== 'var')) continue;
      // A function's scopes keep the blocks around it as one list of variables.
      addTo(bag, scope.kind === 'global' ? 'look.global' : 'look.scope');
      const step = scope.kind === 'global' ? 'look.global.step' : 'look.step';
      if (variable && variable.scope === scope) {
        addTo(bag, step, variable.index);
        return;
      }
      // Not there: all that exist so far were passed. Later declarations exist only inside a loop.
      addTo(
        bag,
        step,
        variables.filter(({ at, kind }) => at < node.start || kind === 'param' || scope.kind === 'global').length,
      );
    }
    addTo(bag, 'look.builtin');
  }
}
