/**
 * The expressions of a program: what each costs goes into the bag of the block it stands in, and what depends on values
 * (the kind of an object, the size of a number, the length of a text) is charged by helpers around it, which live in
 * the program's world (prelude.ts).
 *
 *     sum += a[i] * 0.5      ->      ǂA(sum += ǂM(ǂg(a)[ǂx(i)] * 0.5))
 */
import { type AnyNode, childrenOf, isFunction } from './ast.ts';
import { addAll, type Charges } from './charges.ts';
import type { Bag } from './features.ts';
import type { Guesses } from './guesses.ts';
import type { Holders } from './holders.ts';
import { marker } from './marker.ts';
import type { Block, CostModel, UnitCosts } from './model.ts';
import { boundOf } from './small.ts';

/** Which helper sees the result of an operator: each kind of arithmetic costs its own when it leaves the small integers. */
const resultHelper: Readonly<Record<string, string>> = {
  '+': 'n',
  '-': 'n',
  '*': 'M',
  '**': 'M',
  '/': 'D',
  '<<': 'B',
  '>>': 'B',
  '>>>': 'B',
  '|': 'B',
  '&': 'B',
  '^': 'B',
};
const comparisons = new Set(['<', '>', '<=', '>=', '==', '!=', '===', '!==']);

/** Operands that may be beyond a word without showing it. */
const wideKinds = new Set([
  ...['Identifier', 'MemberExpression', 'BinaryExpression', 'CallExpression', 'AssignmentExpression'],
  'UnaryExpression',
]);

export class ExpressionWalk {
  readonly #charges: Charges;
  readonly #model: CostModel;
  readonly #costs: UnitCosts;
  readonly #guesses: Guesses;
  readonly #holders: Holders;
  /** The nodes from the root to the one being walked; shared with the walk over statements. */
  readonly #path: AnyNode[];
  readonly #walkFunction: (node: AnyNode) => void;

  constructor(
    context: {
      charges: Charges;
      model: CostModel;
      costs: UnitCosts;
      guesses: Guesses;
      holders: Holders;
      path: AnyNode[];
    },
    walkFunction: (node: AnyNode) => void,
  ) {
    this.#charges = context.charges;
    this.#model = context.model;
    this.#costs = context.costs;
    this.#guesses = context.guesses;
    this.#holders = context.holders;
    this.#path = context.path;
    this.#walkFunction = walkFunction;
  }

  own(node: AnyNode, block: Block): void {
    const parent = this.#path[this.#path.length - 1] ?? null;
    this.#costs.own(node, parent, block.bag);
    if (block.parts === undefined) return;
    const part = block.parts.get(node.start) ?? new Map();
    block.parts.set(node.start, part);
    this.#costs.own(node, parent, part);
  }

  within(node: AnyNode, work: () => void): void {
    this.#path.push(node);
    work();
    this.#path.pop();
  }

  walk(node: AnyNode, block: Block): void {
    this.own(node, block);
    if (isFunction(node)) {
      this.#closure(node as unknown as AnyNode);
      return;
    }
    this.within(node, () => this.#inside(node, block));
  }

  /** A closure is made: what it keeps can be read through it. Methods keep their form. */
  #closure(node: AnyNode): void {
    const parent = this.#path[this.#path.length - 1];
    const isMethod =
      parent?.type === 'MethodDefinition' || (parent?.type === 'Property' && (parent.method || parent.kind !== 'init'));
    const reader = node.type === 'FunctionDeclaration' || isMethod ? null : this.#holders.closureReader(node);
    if (reader === null) {
      this.#walkFunction(node);
      return;
    }
    this.#charges.insertions.add(node.start, ` ${marker}F(`);
    this.#walkFunction(node);
    this.#charges.insertions.add(node.end, `,${reader})`);
  }

  #inside(node: AnyNode, block: Block): void {
    switch (node.type) {
      case 'ConditionalExpression': {
        const consequent = node.consequent as AnyNode;
        const alternate = node.alternate as AnyNode;
        this.walk(node.test as AnyNode, block);
        this.#sometimes(consequent, (bag) => this.#costs.skip(alternate, bag));
        this.#sometimes(alternate, (bag) => this.#costs.skip(consequent, bag));
        return;
      }
      case 'LogicalExpression': {
        this.walk(node.left as AnyNode, block);
        const right = node.right as AnyNode;
        // Passed over unless it runs: charged ahead, given back by the negative count in its own block.
        const passed: Bag = new Map();
        this.#costs.skip(right, passed);
        addAll(passed, block.bag);
        this.#sometimes(right, (bag) => addAll(passed, bag, -1));
        return;
      }
      case 'BinaryExpression':
        this.#binary(node, block);
        return;
      case 'AssignmentExpression':
        this.#assignment(node, block);
        return;
      case 'UpdateExpression':
        this.#target(node.argument as AnyNode, block, 'update');
        return;
      case 'MemberExpression':
        this.#member(node, block, 'get');
        return;
      case 'NewExpression':
        this.#charges.wrap(node, ` ${marker}N(`, () => {
          // `new f(a)[0]()` would be another program: the callee keeps its text.
          this.own(node.callee as AnyNode, block);
          const name = (node.callee as AnyNode).name;
          const copies = typeof name === 'string' && name.endsWith('Array');
          for (const argument of node.arguments as AnyNode[])
            this.#operand(argument, block, copies && argument.type !== 'SpreadElement' ? 'T' : null);
        });
        return;
      case 'TemplateLiteral':
        this.#template(node, block);
        return;
      case 'TaggedTemplateExpression':
        this.walk(node.tag as AnyNode, block);
        for (const part of (node.quasi as AnyNode).expressions as AnyNode[]) this.walk(part, block);
        return;
      case 'CallExpression':
        this.#call(node, block);
        return;
      case 'SpreadElement':
        this.#operand(node.argument as AnyNode, block, 'S');
        return;
      default:
        for (const child of childrenOf(node)) this.walk(child, block);
    }
  }

  #sometimes(node: AnyNode, prepare: (bag: Bag) => void): void {
    const block = this.#charges.open(node);
    prepare(block.bag);
    this.#charges.wrapCharge(node, block, () => this.walk(node, block));
  }

  /** A call of `String`, `Number` and the like turns what it is given into text. */
  #call(node: AnyNode, block: Block): void {
    const callee = node.callee as AnyNode;
    const isText = callee.type === 'Identifier' && callee.name === 'String';
    this.walk(callee, block);
    for (const argument of node.arguments as AnyNode[])
      if (isText && argument.type !== 'SpreadElement')
        this.#charges.wrap(argument, ` ${marker}t(`, () => this.walk(argument, block));
      else this.walk(argument, block);
  }

  #template(node: AnyNode, block: Block): void {
    this.#charges.wrap(node, ` ${marker}n(`, () => {
      for (const part of node.expressions as AnyNode[])
        this.#charges.wrap(part, ` ${marker}t(`, () => this.walk(part, block));
    });
  }

  #binary(node: AnyNode, block: Block): void {
    const operator = node.operator as string;
    if (operator === 'in') {
      this.#charges.wrap(node.left as AnyNode, ` ${marker}y(`, () => this.#operand(node.left as AnyNode, block, null));
      this.#charges.wrap(node.right as AnyNode, ` ${marker}z(`, () => this.walk(node.right as AnyNode, block));
      return;
    }
    const helper = resultHelper[operator];
    const inside = () => {
      for (const side of [node.left as AnyNode, node.right as AnyNode])
        this.#operand(side, block, this.#operandHelper(node, side));
    };
    if (helper !== undefined && !(boundOf(node) <= this.#model.dynamic.wordMax))
      this.#charges.wrap(node, ` ${marker}${helper}(`, inside);
    else inside();
  }

  #operand(side: AnyNode, block: Block, helper: string | null): void {
    if ((side.type as string) === 'PrivateIdentifier') return;
    if (helper === null) this.walk(side, block);
    else this.#charges.wrap(side, ` ${marker}${helper}(`, () => this.walk(side, block));
  }

  /** What looks at an operand: a number that becomes text, one that a bit operation or a comparison must take apart. */
  #operandHelper(node: AnyNode, side: AnyNode, operator = node.operator as string): string | null {
    if (operator === '+' && node.type === 'BinaryExpression' && this.#guesses.isText(node))
      return side.type !== 'Literal' && !this.#guesses.isText(side) ? 't' : null;
    const mayBeWide = wideKinds.has(side.type) && !(boundOf(side) <= this.#model.dynamic.wordMax);
    if (operator === '%')
      return side === node.left && side.type !== 'Literal' && !(boundOf(side) <= this.#model.dynamic.wordMax)
        ? 'R'
        : null;
    if (!mayBeWide) return null;
    if (resultHelper[operator] === 'B') return 'v';
    return comparisons.has(operator) && this.#guesses.isFraction(side) ? 'C' : null;
  }

  #assignment(node: AnyNode, block: Block): void {
    const operator = node.operator as string;
    const compound = operator !== '=';
    const arithmetic = operator.slice(0, -1);
    const right = node.right as AnyNode;
    const helper = arithmetic === '+' ? 'A' : resultHelper[arithmetic];
    const inside = () => {
      this.#target(node.left as AnyNode, block, compound ? 'update' : 'set');
      const becomesText =
        operator === '+=' &&
        right.type !== 'Literal' &&
        this.#guesses.isText(node.left as AnyNode) &&
        !this.#guesses.isText(right);
      this.#operand(right, block, becomesText ? 't' : compound ? this.#operandHelper(node, right, arithmetic) : null);
    };
    if (compound && helper !== undefined && !(arithmetic === '&' && boundOf(right) <= this.#model.dynamic.wordMax))
      this.#charges.wrap(node, ` ${marker}${helper}(`, () => {
        const left = node.left as AnyNode;
        // What the variable held is an operand as well.
        if (helper === 'B' && left.type === 'Identifier' && !(boundOf(left) <= this.#model.dynamic.wordMax))
          this.#charges.wrap(node, `(${marker}v(${left.name}),`, inside);
        else inside();
      });
    else inside();
  }

  /** Something that is assigned to. */
  #target(node: AnyNode, block: Block, use: 'set' | 'update'): void {
    this.own(node, block);
    this.within(node, () => {
      if (node.type === 'MemberExpression') this.#member(node, block, use);
      else if (node.type !== 'Identifier') for (const child of childrenOf(node)) this.walk(child, block);
    });
  }

  #member(node: AnyNode, block: Block, use: 'get' | 'set' | 'update'): void {
    const object = node.object as AnyNode;
    const property = node.property as AnyNode;
    const isLength = !node.computed && property.name === 'length' && use === 'get';
    const helper = node.computed ? { get: 'g', set: 'w', update: 'u' }[use] : isLength ? 'l' : null;
    if (helper !== null && object.type !== 'Super')
      this.#charges.wrap(object, ` ${marker}${helper}(`, () => this.walk(object, block));
    else this.walk(object, block);
    if (!node.computed) return;
    // A number as a key is an index; where text may be one, or elements are searched, the key is looked at.
    const looksAtKey =
      (this.#model.dynamic.searchesArrays || !this.#guesses.isIndex(property)) && isPlainIndex(property);
    this.#operand(property, block, looksAtKey ? 'x' : null);
  }
}

/** No other element is reached while the index is computed, so the helpers may remember which object it is for. */
function isPlainIndex(node: AnyNode): boolean {
  if (node.type === 'MemberExpression' || node.type === 'CallExpression' || node.type === 'NewExpression') return false;
  return !isFunction(node) && childrenOf(node).every(isPlainIndex);
}
