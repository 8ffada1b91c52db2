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
import { type AnyNode, canLeave, childrenOf, isFunction } from './ast.ts';
import { addBlock, Charges } from './charges.ts';
import { ExpressionWalk } from './expressions.ts';
import type { Bag } from './features.ts';
import { Guesses } from './guesses.ts';
import { Holders } from './holders.ts';
import type { InsertedText } from './insertions.ts';
import { marker } from './marker.ts';
import type { Block, CostModel, Unit, UnitCosts } from './model.ts';

export interface Instrumented extends InsertedText {
  /** In the order of their numbers; filled only for profiling. */
  blocks: readonly Block[];
}

export interface InstrumentOptions {
  /** Count each block apart (`ǂb[number]`), besides charging it; and what each place and call takes (profile.ts). */
  profile?: { firstBlock: number; countsCalls?: boolean };
}

export function instrument(unit: Unit, model: CostModel, options: InstrumentOptions = {}): Instrumented {
  return new Instrumenter(unit, model, options).run();
}

/** Text that may be known only when the walk is over. */
type Text = string | (() => string);
const textOf = (text: Text): string => (typeof text === 'string' ? text : text());

class Instrumenter {
  readonly #unit: Unit;
  readonly #model: CostModel;
  readonly #costs: UnitCosts;
  readonly #charges: Charges;
  readonly #expressions: ExpressionWalk;
  readonly #holders: Holders;
  /** The nodes from the root to the one being walked. */
  readonly #path: AnyNode[] = [];
  #flags = 0;

  constructor(unit: Unit, model: CostModel, options: InstrumentOptions) {
    this.#unit = unit;
    this.#model = model;
    this.#costs = model.costs(unit);
    this.#charges = new Charges(model, options.profile?.firstBlock ?? null, options.profile?.countsCalls === true);
    const guesses = new Guesses(unit.program);
    this.#holders = new Holders(unit.program, unit.scopes, guesses);
    this.#expressions = new ExpressionWalk(
      { charges: this.#charges, model, costs: this.#costs, guesses, holders: this.#holders, path: this.#path },
      (node) => this.#function(node),
    );
  }

  run(): Instrumented {
    const program = this.#unit.program as unknown as AnyNode;
    const block = this.#charges.open(program);
    this.#path.push(program);
    // A program's own directive says nothing here (Kaluma's code is strict, Espruino knows no such mode), but a line
    // that is a string has it as its value: the charge comes first.
    this.#charges.insertStatement(program.start, block, false);
    this.#statements(program.body as AnyNode[], block);
    return { ...this.#charges.insertions.apply(this.#unit.source), blocks: this.#charges.blocks };
  }

  #statements(list: readonly AnyNode[], first: Block): void {
    let block = first;
    let fresh = true;
    for (const statement of list) {
      if (!fresh) {
        block = this.#charges.open(statement);
        this.#charges.insertStatement(statement.start, block, false);
      }
      this.#statement(statement, block);
      fresh = statement.type === 'FunctionDeclaration' || !canLeave(statement);
    }
  }

  /** A statement that runs only sometimes: its own block, in braces. */
  #branch(node: AnyNode, prepare: (bag: Bag, block: Block) => void, checked = false, before: Text = ''): void {
    const block = this.#charges.open(node);
    prepare(block.bag, block);
    if (node.type === 'BlockStatement') {
      this.#expressions.own(node, block);
      this.#charges.insertions.add(node.start + 1, before);
      this.#charges.insertStatement(node.start + 1, block, checked);
      this.#expressions.within(node, () => this.#statements(node.body as AnyNode[], block));
      return;
    }
    this.#charges.insertions.add(node.start, () => `{${textOf(before)}void(${this.#charges.textOf(block, checked)});`);
    this.#statement(node, block);
    this.#charges.insertions.add(node.end, '}');
  }

  #statement(node: AnyNode, block: Block): void {
    const refusal = this.#model.refusal(node);
    if (refusal !== null) {
      const words = [refusal.name, refusal.message].map((text) => JSON.stringify(text)).join();
      this.#charges.insertions.add(node.start, `${marker}r(${words});`);
    }
    switch (node.type) {
      case 'BlockStatement':
        this.#expressions.own(node, block);
        this.#expressions.within(node, () => this.#statements(node.body as AnyNode[], block));
        return;
      case 'IfStatement':
        this.#expressions.own(node, block);
        this.#expressions.within(node, () => this.#if(node, block));
        return;
      case 'ForStatement':
      case 'WhileStatement':
      case 'DoWhileStatement':
        this.#expressions.own(node, block);
        this.#loop(node, block);
        return;
      case 'ForInStatement':
      case 'ForOfStatement':
        this.#expressions.own(node, block);
        this.#expressions.within(node, () => {
          const left = node.left as AnyNode;
          if (left.type === 'VariableDeclaration') this.#expressions.own(left, block);
          else this.#expressions.walk(left, block);
          const right = node.right as AnyNode;
          const helper = node.type === 'ForInStatement' ? 'j' : 'h';
          this.#charges.wrap(right, ` ${marker}${helper}(`, () => this.#expressions.walk(right, block));
          this.#branch(node.body as AnyNode, (bag) => this.#costs.iteration(node, bag), true);
        });
        return;
      case 'SwitchStatement':
        this.#expressions.own(node, block);
        this.#expressions.within(node, () => this.#switch(node, block));
        return;
      case 'TryStatement':
        this.#expressions.own(node, block);
        this.#expressions.within(node, () => this.#try(node));
        return;
      case 'ReturnStatement':
      case 'ThrowStatement':
      case 'BreakStatement':
      case 'ContinueStatement':
        this.#expressions.own(node, block);
        this.#expressions.within(node, () => {
          if (node.type === 'ReturnStatement' && this.#charges.countsCalls) this.#return(node, block);
          else if (node.argument) this.#expressions.walk(node.argument as AnyNode, block);
          this.#costs.leave(node, this.#path, block.bag);
        });
        return;
      case 'LabeledStatement':
        this.#expressions.own(node, block);
        this.#expressions.within(node, () => this.#statement(node.body as AnyNode, block));
        return;
      case 'FunctionDeclaration':
      case 'ClassDeclaration':
        this.#expressions.walk(node, block);
        return;
      default:
        this.#expressions.own(node, block);
        this.#expressions.within(node, () => {
          for (const child of childrenOf(node)) this.#expressions.walk(child, block);
        });
    }
  }

  #if(node: AnyNode, block: Block): void {
    const consequent = node.consequent as AnyNode;
    const alternate = node.alternate as AnyNode | null;
    this.#expressions.walk(node.test as AnyNode, block);
    this.#branch(consequent, (bag) => {
      if (alternate) this.#costs.skip(alternate, bag);
    });
    if (alternate) {
      this.#branch(alternate, (bag) => this.#costs.skip(consequent, bag));
    } else if (this.#model.skips) {
      const passed = this.#charges.open(node);
      this.#costs.skip(consequent, passed.bag);
      this.#charges.insertions.add(node.end, () => `else{void(${this.#charges.textOf(passed, false)});}`);
    }
  }

  #loop(node: AnyNode, block: Block): void {
    const body = node.body as AnyNode;
    const test = node.test as AnyNode | null;
    const update = (node.update as AnyNode | null) ?? null;
    const early = canLeave(body);
    const labeled = this.#path[this.#path.length - 1]?.type === 'LabeledStatement';
    // Passing over the body of a loop that never runs is charged ahead, and given back in the first iteration.
    let first: Text = '';
    if (this.#model.skips && node.type !== 'DoWhileStatement' && !labeled) {
      const flag = `${marker}s${this.#flags++}`;
      const passed = this.#charges.open(node);
      this.#costs.skip(body, passed.bag);
      const isCounted = this.#charges.numberOf(passed) !== null;
      this.#charges.insertions.add(node.start, () =>
        isCounted
          ? `{let ${flag}=1;${this.#charges.aheadOf(passed).charge}`
          : `{let ${flag}=${this.#charges.priceOf(passed)};${marker}k-=${flag};`,
      );
      first = () =>
        isCounted
          ? `if(${flag}){${flag}=0;${this.#charges.aheadOf(passed).giveBack}}`
          : `${marker}k+=${flag};${flag}=0;`;
      // The price is only known once the bag is full; it is, because skip() above is all that fills it.
    }
    this.#expressions.within(node, () => {
      if (node.init) {
        const init = node.init as AnyNode;
        if (init.type === 'VariableDeclaration') this.#statement(init, block);
        else this.#expressions.walk(init, block);
      }
      if (update) this.#costs.skip(update, block.bag);
      const iteration = (bag: Bag) => this.#costs.iteration(node, bag);
      if (node.type === 'DoWhileStatement') {
        const inner: Block[] = [];
        this.#branch(
          body,
          (bag) => {
            iteration(bag);
            inner.push(this.#charges.blocks[this.#charges.blocks.length - 1] as Block);
          },
          true,
        );
        if (test) this.#expressions.walk(test, inner[0] as Block);
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
          (bag, inside) => {
            iteration(bag);
            for (const part of atBody) addBlock(part, inside);
          },
          first,
          update,
        );
      }
    });
    if (first !== '') this.#charges.insertions.add(node.end, '}');
  }

  /** The test is evaluated once more than the body: once in the block before, once in each iteration. */
  #wholeTest(test: AnyNode, before: Block, atBody: Block[]): void {
    const part = this.#charges.part(test);
    this.#expressions.walk(test, part);
    addBlock(part, before);
    atBody.push(part);
  }

  #partOfLoop(part: AnyNode, prepare: (bag: Bag) => void): void {
    const block = this.#charges.open(part);
    prepare(block.bag);
    this.#charges.insertions.add(part.start, () => `(${this.#charges.textOf(block, false)},`);
    this.#expressions.walk(part, block);
    this.#charges.insertions.add(part.end, ')');
  }

  #branchOfLoop(
    _loop: AnyNode,
    body: AnyNode,
    prepare: (bag: Bag, block: Block) => void,
    first: Text,
    update: AnyNode | null = null,
  ): void {
    let part: Block | null = null;
    if (update) {
      // Insertions keep their order only from left to right: the update stands before the body.
      part = this.#charges.part(update);
      this.#expressions.walk(update, part);
    }
    this.#branch(
      body,
      (bag, block) => {
        prepare(bag, block);
        if (part) addBlock(part, block);
      },
      true,
      first,
    );
  }

  #switch(node: AnyNode, block: Block): void {
    this.#expressions.walk(node.discriminant as AnyNode, block);
    for (const branch of node.cases as AnyNode[]) {
      const test = branch.test as AnyNode | null;
      if (test) {
        const compared = this.#charges.open(branch);
        this.#costs.own(branch, node, compared.bag);
        this.#charges.insertions.add(test.start, () => `(${this.#charges.textOf(compared, false)},`);
        this.#expressions.within(branch, () => this.#expressions.walk(test, compared));
        this.#charges.insertions.add(test.end, ')');
      }
      const consequent = branch.consequent as AnyNode[];
      if (consequent.length === 0) continue;
      const inner = this.#charges.open(branch);
      if (!test) this.#costs.own(branch, node, inner.bag);
      this.#charges.insertStatement((consequent[0] as AnyNode).start, inner, false);
      this.#expressions.within(branch, () => this.#statements(consequent, inner));
    }
  }

  #try(node: AnyNode): void {
    this.#branch(node.block as AnyNode, () => {});
    const handler = node.handler as AnyNode | null;
    if (handler) {
      const param = handler.param as AnyNode | null;
      if (!param) this.#charges.insertions.add(handler.start + 'catch'.length, `(${marker}e)`);
      const name = !param ? `${marker}e` : param.type === 'Identifier' ? (param.name as string) : '';
      this.#branch(
        handler.body as AnyNode,
        (bag) => this.#costs.own(handler, node, bag),
        false,
        `${this.#back()}${marker}f(${name});`,
      );
    }
    if (node.finalizer) this.#branch(node.finalizer as AnyNode, () => {}, false, `${this.#back()}${marker}f();`);
  }

  /** A function that is told apart is left when its result is there. */
  #return(node: AnyNode, block: Block): void {
    const argument = node.argument as AnyNode | null;
    if (!argument) {
      this.#charges.insertions.add(node.start + 'return'.length, ` ${marker}leave(${marker}token)`);
      return;
    }
    this.#charges.insertions.add(argument.start, ` ${marker}left(${marker}token,(`);
    this.#expressions.walk(argument, block);
    this.#charges.insertions.add(argument.end, '))');
  }

  /** Where something that was thrown is caught, the function around is the one that runs again. */
  #back(): string {
    if (!this.#charges.countsCalls) return '';
    return `${marker}back(${this.#path.some(isFunction) ? `${marker}token` : -1});`;
  }

  /** Readers of what the function's own variables hold and what the functions declared in it keep. */
  #readers(node: AnyNode, body: readonly AnyNode[]): string {
    const locals = this.#holders.localReader(node);
    const declared = body
      .filter(({ type }) => type === 'FunctionDeclaration')
      .map((inner) => [(inner.id as AnyNode).name as string, this.#holders.closureReader(inner)] as const)
      .filter(([, reader]) => reader !== null)
      .map(([name, reader]) => `${marker}F(${name},${reader});`);
    const environment = this.#holders.environment(node);
    return `${environment}${locals === null ? '' : `try{${marker}p(${locals});`}${declared.join('')}`;
  }

  #function(node: AnyNode): void {
    const block = this.#charges.open(node);
    this.#costs.entry(node, block.bag);
    this.#expressions.within(node, () => {
      for (const param of node.params as AnyNode[])
        if (param.type !== 'Identifier') this.#expressions.walk(param, block);
      const body = node.body as AnyNode;
      const enter = this.#charges.countsCalls ? `${marker}enter(${this.#charges.numberOf(block)})` : null;
      if (body.type === 'BlockStatement') {
        const list = body.body as AnyNode[];
        const before = enter === null ? '' : `const ${marker}token=${enter};`;
        this.#charges.insertAtStart(list, body.start + 1, { block, before, after: this.#readers(node, list) });
        this.#expressions.within(body, () => this.#statements(list, block));
        if (enter !== null) this.#charges.insertions.add(body.end - 1, `;${marker}leave(${marker}token);`);
        if (this.#holders.localReader(node) !== null)
          this.#charges.insertions.add(body.end - 1, `}finally{${marker}q()}`);
      } else {
        const before = enter === null ? '(' : `${marker}left(${enter},(`;
        this.#charges.insertions.add(body.start, () => `${before}${this.#charges.textOf(block, true)},`);
        this.#expressions.walk(body, block);
        this.#charges.insertions.add(body.end, enter === null ? ')' : '))');
      }
    });
  }
}
