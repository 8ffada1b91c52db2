/**
 * Puts charges into a program: a counter is lowered once for each stretch of text that runs as a whole (a block), and
 * what depends on values (the kind of an object, the size of a number) is charged by helpers around the expressions.
 *
 *     while (i < n) sum += a[i++];      ->      while (i < n) {(ǂk-=912)<0&&ǂo();ǂn(sum += ǂg(a)[i++]);}
 *
 * Invariants:
 * I1  The text keeps its lines, so that an error's line is the program's.
 * I2  Every loop iteration and every function call lowers the counter and checks it: nothing runs for ever.
 * I3  Every catch and finally begins with a check that rethrows the interruption: the program cannot swallow it.
 * I4  Names of the machinery begin with U+01C2, which no program may contain.
 */
import type { Node } from 'acorn';
import { type AnyNode, canLeave, childrenOf, isFunction } from './ast.ts';
import { type Bag, priceOf } from './features.ts';
import { Insertions } from './insertions.ts';
import { marker } from './marker.ts';
import type { Block, CostModel, Unit, UnitCosts } from './model.ts';
import { boundOf } from './small.ts';

export interface Instrumented {
  code: string;
  /** In the order of their numbers; filled only for profiling. */
  blocks: readonly Block[];
}

export interface InstrumentOptions {
  /** Count each block apart (`ǂb[number]`), besides charging it. */
  profile?: { firstBlock: number };
}

const arithmetic = new Set(['+', '-', '*', '/', '%', '<<', '>>', '>>>', '|', '&', '^', '**']);
const bitwise = new Set(['<<', '>>', '>>>', '|', '&', '^']);

export function instrument(unit: Unit, model: CostModel, options: InstrumentOptions = {}): Instrumented {
  return new Instrumenter(unit, model, options).run();
}

class Instrumenter {
  readonly #unit: Unit;
  readonly #model: CostModel;
  readonly #costs: UnitCosts;
  readonly #insertions = new Insertions();
  readonly #blocks: Block[] = [];
  readonly #firstBlock: number | null;
  /** The nodes from the root to the one being walked. */
  readonly #path: AnyNode[] = [];
  #flags = 0;

  constructor(unit: Unit, model: CostModel, options: InstrumentOptions) {
    this.#unit = unit;
    this.#model = model;
    this.#costs = model.costs(unit);
    this.#firstBlock = options.profile?.firstBlock ?? null;
  }

  run(): Instrumented {
    const program = this.#unit.program as unknown as AnyNode;
    const block = this.#open(program);
    this.#path.push(program);
    // A program's own directive says nothing here (Kaluma's code is strict, Espruino knows no such mode), but a line
    // that is a string has it as its value: the charge comes first.
    this.#insertCharge(program.start, block, false);
    this.#statements(program.body as AnyNode[], block);
    return { code: this.#insertions.apply(this.#unit.source), blocks: this.#blocks };
  }

  #open(node: Node): Block {
    const block: Block = { bag: new Map(), node };
    this.#blocks.push(block);
    return block;
  }

  /** The text that charges a block, as an expression. */
  #charge(block: Block, checked: boolean): string {
    // A checked charge is never nothing: the counter must reach its end.
    const price = Math.max(checked ? 1 : -Infinity, Math.round(priceOf(block.bag, this.#model.prices)));
    const bytes = Math.round(priceOf(block.bag, this.#model.allocations));
    let text = checked ? `(${marker}k-=${price})<0&&${marker}o()` : `${marker}k-=${price}`;
    if (bytes > 0) text = `(${marker}m-=${bytes})<0&&${marker}c(),${text}`;
    if (this.#firstBlock === null) return text;
    return `${marker}b[${this.#firstBlock + this.#blocks.indexOf(block)}]++,${text}`;
  }

  #insertCharge(at: number, block: Block, checked: boolean): void {
    // `void`: a charge is no value of the program's.
    this.#insertions.add(at, () => `void(${this.#charge(block, checked)});`);
  }

  /** After the directives, which must stay first. */
  #insertAtStart(body: readonly AnyNode[], bodyStart: number, block: Block, checked: boolean): void {
    let at = bodyStart;
    for (const statement of body) {
      if (typeof statement.directive !== 'string') break;
      at = statement.end;
    }
    // A directive without its semicolon would otherwise become part of the charge.
    this.#insertions.add(at, () => `${at === bodyStart ? '' : ';'}void(${this.#charge(block, checked)});`);
  }

  #statements(list: readonly AnyNode[], first: Block): void {
    let block = first;
    let fresh = true;
    for (const statement of list) {
      if (!fresh) {
        block = this.#open(statement);
        this.#insertCharge(statement.start, block, false);
      }
      this.#statement(statement, block);
      fresh = statement.type === 'FunctionDeclaration' || !canLeave(statement);
    }
  }

  #own(node: AnyNode, block: Block): void {
    this.#costs.own(node, this.#path[this.#path.length - 1] ?? null, block.bag);
  }

  #within(node: AnyNode, work: () => void): void {
    this.#path.push(node);
    work();
    this.#path.pop();
  }

  /** A statement that runs only sometimes: its own block, in braces. */
  #branch(node: AnyNode, prepare: (bag: Bag) => void, checked = false, before = ''): void {
    const block = this.#open(node);
    prepare(block.bag);
    if (node.type === 'BlockStatement') {
      this.#own(node, block);
      this.#insertions.add(node.start + 1, before);
      this.#insertCharge(node.start + 1, block, checked);
      this.#within(node, () => this.#statements(node.body as AnyNode[], block));
      return;
    }
    this.#insertions.add(node.start, () => `{${before}void(${this.#charge(block, checked)});`);
    this.#statement(node, block);
    this.#insertions.add(node.end, '}');
  }

  #statement(node: AnyNode, block: Block): void {
    switch (node.type) {
      case 'BlockStatement':
        this.#own(node, block);
        this.#within(node, () => this.#statements(node.body as AnyNode[], block));
        return;
      case 'IfStatement':
        this.#own(node, block);
        this.#within(node, () => this.#if(node, block));
        return;
      case 'ForStatement':
      case 'WhileStatement':
      case 'DoWhileStatement':
        this.#own(node, block);
        this.#loop(node, block);
        return;
      case 'ForInStatement':
      case 'ForOfStatement':
        this.#own(node, block);
        this.#within(node, () => {
          const left = node.left as AnyNode;
          if (left.type === 'VariableDeclaration') this.#own(left, block);
          else this.#expression(left, block);
          this.#expression(node.right as AnyNode, block);
          this.#branch(node.body as AnyNode, (bag) => this.#costs.iteration(node, bag), true);
        });
        return;
      case 'SwitchStatement':
        this.#own(node, block);
        this.#within(node, () => this.#switch(node, block));
        return;
      case 'TryStatement':
        this.#own(node, block);
        this.#within(node, () => this.#try(node));
        return;
      case 'ReturnStatement':
      case 'ThrowStatement':
      case 'BreakStatement':
      case 'ContinueStatement':
        this.#own(node, block);
        this.#within(node, () => {
          if (node.argument) this.#expression(node.argument as AnyNode, block);
          this.#costs.leave(node, this.#path, block.bag);
        });
        return;
      case 'LabeledStatement':
        this.#own(node, block);
        this.#within(node, () => this.#statement(node.body as AnyNode, block));
        return;
      case 'FunctionDeclaration':
      case 'ClassDeclaration':
        this.#expression(node, block);
        return;
      default:
        this.#own(node, block);
        this.#within(node, () => {
          for (const child of childrenOf(node)) this.#expression(child, block);
        });
    }
  }

  #if(node: AnyNode, block: Block): void {
    const consequent = node.consequent as AnyNode;
    const alternate = node.alternate as AnyNode | null;
    this.#expression(node.test as AnyNode, block);
    this.#branch(consequent, (bag) => {
      if (alternate) this.#costs.skip(alternate, bag);
    });
    if (alternate) {
      this.#branch(alternate, (bag) => this.#costs.skip(consequent, bag));
    } else if (this.#model.skips) {
      const passed = this.#open(node);
      this.#costs.skip(consequent, passed.bag);
      this.#insertions.add(node.end, () => `else{void(${this.#charge(passed, false)});}`);
    }
  }

  #loop(node: AnyNode, block: Block): void {
    const body = node.body as AnyNode;
    const test = node.test as AnyNode | null;
    const update = (node.update as AnyNode | null) ?? null;
    const early = canLeave(body);
    const labeled = this.#path[this.#path.length - 1]?.type === 'LabeledStatement';
    // Passing over the body of a loop that never runs is charged ahead, and given back in the first iteration.
    let first = '';
    if (this.#model.skips && node.type !== 'DoWhileStatement' && !labeled) {
      const flag = `${marker}s${this.#flags++}`;
      const passed = this.#open(node);
      this.#costs.skip(body, passed.bag);
      const number = this.#firstBlock === null ? null : this.#firstBlock + this.#blocks.indexOf(passed);
      const price = () => Math.round(priceOf(passed.bag, this.#model.prices));
      this.#insertions.add(node.start, () =>
        number === null
          ? `{let ${flag}=${price()};${marker}k-=${flag};`
          : `{let ${flag}=1;${marker}b[${number}]++;${marker}k-=${price()};`,
      );
      first =
        number === null
          ? `${marker}k+=${flag};${flag}=0;`
          : `if(${flag}){${flag}=0;${marker}b[${number}]--;${marker}k+=${price()};}`;
      // The price is only known once the bag is full; it is, because skip() above is all that fills it.
    }
    this.#within(node, () => {
      if (node.init) {
        const init = node.init as AnyNode;
        if (init.type === 'VariableDeclaration') this.#statement(init, block);
        else this.#expression(init, block);
      }
      if (update) this.#costs.skip(update, block.bag);
      const iteration = (bag: Bag) => this.#costs.iteration(node, bag);
      if (node.type === 'DoWhileStatement') {
        const inner: Block[] = [];
        this.#branch(
          body,
          (bag) => {
            iteration(bag);
            inner.push(this.#blocks[this.#blocks.length - 1] as Block);
          },
          true,
        );
        if (test) this.#expression(test, inner[0] as Block);
      } else if (early) {
        // A test and an update of their own: leaving early runs neither again.
        if (test) this.#partOfLoop(test, iteration);
        const bodyOnly = test ? () => {} : iteration;
        this.#branchOfLoop(node, body, bodyOnly, first);
        if (update) this.#partOfLoop(update, () => {});
      } else {
        const atBody: Block[] = [];
        if (test) this.#wholeTest(test, block, atBody);
        this.#branchOfLoop(
          node,
          body,
          (bag) => {
            iteration(bag);
            for (const part of atBody)
              for (const [feature, count] of part.bag) bag.set(feature, (bag.get(feature) ?? 0) + count);
          },
          first,
          update,
        );
      }
    });
    if (first !== '') this.#insertions.add(node.end, '}');
  }

  /** The test is evaluated once more than the body: once in the block before, once in each iteration. */
  #wholeTest(test: AnyNode, before: Block, atBody: Block[]): void {
    const part: Block = { bag: new Map(), node: test };
    this.#expression(test, part);
    for (const [feature, count] of part.bag) before.bag.set(feature, (before.bag.get(feature) ?? 0) + count);
    atBody.push(part);
  }

  #partOfLoop(part: AnyNode, prepare: (bag: Bag) => void): void {
    const block = this.#open(part);
    prepare(block.bag);
    this.#insertions.add(part.start, () => `(${this.#charge(block, false)},`);
    this.#expression(part, block);
    this.#insertions.add(part.end, ')');
  }

  #branchOfLoop(
    _loop: AnyNode,
    body: AnyNode,
    prepare: (bag: Bag) => void,
    first: string,
    update: AnyNode | null = null,
  ): void {
    let block: Block | null = null;
    if (update) {
      // Insertions keep their order only from left to right: the update stands before the body.
      const part: Block = { bag: new Map(), node: update };
      this.#expression(update, part);
      block = part;
    }
    this.#branch(
      body,
      (bag) => {
        prepare(bag);
        if (block) for (const [feature, count] of block.bag) bag.set(feature, (bag.get(feature) ?? 0) + count);
      },
      true,
      first,
    );
  }

  #switch(node: AnyNode, block: Block): void {
    this.#expression(node.discriminant as AnyNode, block);
    for (const branch of node.cases as AnyNode[]) {
      const test = branch.test as AnyNode | null;
      if (test) {
        const compared = this.#open(branch);
        this.#costs.own(branch, node, compared.bag);
        this.#insertions.add(test.start, () => `(${this.#charge(compared, false)},`);
        this.#within(branch, () => this.#expression(test, compared));
        this.#insertions.add(test.end, ')');
      }
      const consequent = branch.consequent as AnyNode[];
      if (consequent.length === 0) continue;
      const inner = this.#open(branch);
      if (!test) this.#costs.own(branch, node, inner.bag);
      this.#insertCharge((consequent[0] as AnyNode).start, inner, false);
      this.#within(branch, () => this.#statements(consequent, inner));
    }
  }

  #try(node: AnyNode): void {
    this.#branch(node.block as AnyNode, () => {});
    const handler = node.handler as AnyNode | null;
    if (handler) {
      const param = handler.param as AnyNode | null;
      if (!param) this.#insertions.add(handler.start + 'catch'.length, `(${marker}e)`);
      const name = !param ? `${marker}e` : param.type === 'Identifier' ? (param.name as string) : '';
      this.#branch(
        handler.body as AnyNode,
        (bag) => this.#costs.own(handler, node, bag),
        false,
        `${marker}f(${name});`,
      );
    }
    if (node.finalizer) this.#branch(node.finalizer as AnyNode, () => {}, false, `${marker}f();`);
  }

  #function(node: AnyNode): void {
    const block = this.#open(node);
    this.#costs.entry(node, block.bag);
    this.#within(node, () => {
      for (const param of node.params as AnyNode[]) if (param.type !== 'Identifier') this.#expression(param, block);
      const body = node.body as AnyNode;
      if (body.type === 'BlockStatement') {
        const list = body.body as AnyNode[];
        this.#insertAtStart(list, body.start + 1, block, true);
        this.#within(body, () => this.#statements(list, block));
      } else {
        this.#insertions.add(body.start, () => `(${this.#charge(block, true)},`);
        this.#expression(body, block);
        this.#insertions.add(body.end, ')');
      }
    });
  }

  #expression(node: AnyNode, block: Block): void {
    this.#own(node, block);
    if (isFunction(node)) {
      this.#function(node as unknown as AnyNode);
      return;
    }
    switch (node.type) {
      case 'ConditionalExpression':
        this.#within(node, () => {
          const consequent = node.consequent as AnyNode;
          const alternate = node.alternate as AnyNode;
          this.#expression(node.test as AnyNode, block);
          this.#sometimes(consequent, (bag) => this.#costs.skip(alternate, bag));
          this.#sometimes(alternate, (bag) => this.#costs.skip(consequent, bag));
        });
        return;
      case 'LogicalExpression':
        this.#within(node, () => {
          this.#expression(node.left as AnyNode, block);
          const right = node.right as AnyNode;
          // Passed over unless it runs: charged ahead, given back by the negative count in its own block.
          this.#costs.skip(right, block.bag);
          const passed: Bag = new Map();
          this.#costs.skip(right, passed);
          this.#sometimes(right, (bag) => {
            for (const [feature, count] of passed) bag.set(feature, (bag.get(feature) ?? 0) - count);
          });
        });
        return;
      case 'BinaryExpression':
        this.#within(node, () => this.#binary(node, block));
        return;
      case 'AssignmentExpression':
        this.#within(node, () => this.#assignment(node, block));
        return;
      case 'UpdateExpression':
        this.#within(node, () => this.#target(node.argument as AnyNode, block, 'update'));
        return;
      case 'MemberExpression':
        this.#within(node, () => this.#member(node, block, 'get'));
        return;
      case 'NewExpression':
        this.#within(node, () => {
          this.#insertions.add(node.start, ` ${marker}N(`);
          // `new f(a)[0]()` would be another program: the callee keeps its text.
          this.#costs.own(node.callee as AnyNode, node, block.bag);
          for (const argument of node.arguments as AnyNode[]) this.#expression(argument, block);
          this.#insertions.add(node.end, ')');
        });
        return;
      default:
        this.#within(node, () => {
          for (const child of childrenOf(node)) this.#expression(child, block);
        });
    }
  }

  #sometimes(node: AnyNode, prepare: (bag: Bag) => void): void {
    const block = this.#open(node);
    prepare(block.bag);
    this.#insertions.add(node.start, () => `(${this.#charge(block, false)},`);
    this.#expression(node, block);
    this.#insertions.add(node.end, ')');
  }

  #binary(node: AnyNode, block: Block): void {
    const operator = node.operator as string;
    const checked = arithmetic.has(operator) && !(boundOf(node) <= this.#model.dynamic.wordMax);
    if (checked) this.#insertions.add(node.start, ` ${marker}n(`);
    for (const side of [node.left as AnyNode, node.right as AnyNode]) {
      const mayBeWide =
        side.type === 'Identifier' || side.type === 'MemberExpression' || side.type === 'BinaryExpression';
      const wrap = bitwise.has(operator) && mayBeWide && !(boundOf(side) <= this.#model.dynamic.wordMax);
      if (wrap) this.#insertions.add(side.start, ` ${marker}v(`);
      if ((side.type as string) === 'PrivateIdentifier') continue;
      this.#expression(side, block);
      if (wrap) this.#insertions.add(side.end, ')');
    }
    if (checked) this.#insertions.add(node.end, ')');
  }

  #assignment(node: AnyNode, block: Block): void {
    const operator = node.operator as string;
    const compound = operator !== '=';
    const arithmeticOperator = operator.slice(0, -1);
    const checked =
      arithmetic.has(arithmeticOperator) &&
      !(arithmeticOperator === '&' && boundOf(node.right as AnyNode) <= this.#model.dynamic.wordMax);
    if (checked) this.#insertions.add(node.start, ` ${marker}n(`);
    this.#target(node.left as AnyNode, block, compound ? 'update' : 'set');
    this.#expression(node.right as AnyNode, block);
    if (checked) this.#insertions.add(node.end, ')');
  }

  /** Something that is assigned to. */
  #target(node: AnyNode, block: Block, use: 'set' | 'update'): void {
    this.#own(node, block);
    this.#within(node, () => {
      if (node.type === 'MemberExpression') this.#member(node, block, use);
      else if (node.type !== 'Identifier') for (const child of childrenOf(node)) this.#expression(child, block);
    });
  }

  #member(node: AnyNode, block: Block, use: 'get' | 'set' | 'update'): void {
    const object = node.object as AnyNode;
    const property = node.property as AnyNode;
    const isLength = !node.computed && property.name === 'length' && use === 'get';
    const helper = node.computed ? { get: 'g', set: 'w', update: 'u' }[use] : isLength ? 'l' : null;
    const wrapped = helper !== null && object.type !== 'Super';
    if (wrapped) this.#insertions.add(object.start, ` ${marker}${helper}(`);
    this.#expression(object, block);
    if (wrapped) this.#insertions.add(object.end, ')');
    if (!node.computed) return;
    const stepped = this.#model.dynamic.elementStep !== null && isPlainIndex(property);
    if (stepped) this.#insertions.add(property.start, ` ${marker}x(`);
    this.#expression(property, block);
    if (stepped) this.#insertions.add(property.end, ')');
  }
}

/** No other element is reached while the index is computed, so the helpers may remember which object it is for. */
function isPlainIndex(node: AnyNode): boolean {
  if (node.type === 'MemberExpression' || node.type === 'CallExpression' || node.type === 'NewExpression') return false;
  return !isFunction(node) && childrenOf(node).every(isPlainIndex);
}
