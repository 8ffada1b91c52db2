/**
 * Stage 2b, check and lower: one routine's syntax tree becomes a control-flow graph in SSA form. Anything outside the
 * subset is a Problem with line and column.
 *
 * SSA is built while walking the tree (Braun et al.: "Simple and efficient construction of static single assignment
 * form", 2013). Functions that are not routines are put in place of their calls, with their `return` continuing as
 * what the call is used for: a value, a condition, or the routine's own return.
 */
import type { BlockStatement, CallExpression, Expression, MemberExpression, Node, Statement } from 'acorn';
import { foldConstants, holds, upperBound } from './fold.ts';
import {
  type Block,
  type Condition,
  newBlock,
  newValue,
  type Op,
  type Routine,
  resolve,
  type Terminator,
  type Value,
  type Width,
} from './ir.ts';
import { type SubsetModule, subsetProblem } from './module.ts';

export interface LowerOptions {
  /** The processor counts leading zeros in one instruction. */
  readonly hasClz: boolean;
}

interface Variable {
  readonly name: string;
  readonly constant: boolean;
}

/** What happens to the value of a `return`. */
type Continuation =
  | { kind: 'routine' }
  | { kind: 'value'; join: Block; result: Variable }
  | { kind: 'condition'; yes: Block; no: Block };

interface Frame {
  scopes: Map<string, Variable>[];
  readonly continuation: Continuation;
  readonly loops: { breakTo: Block; continueTo: Block }[];
}

const binaryOps: Record<string, Op> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '&': 'and',
  '|': 'or',
  '^': 'xor',
  '<<': 'shl',
  '>>': 'sar',
  '>>>': 'shr',
};

const comparisons: Record<string, Condition> = {
  '===': 'eq',
  '!==': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
};

const unsignedOf: Partial<Record<Condition, Condition>> = { lt: 'lo', le: 'ls', gt: 'hi', ge: 'hs' };

export function lowerRoutine(module: SubsetModule, name: string, options: LowerOptions): Routine {
  return new Lowering(module, name, options).run();
}

class Lowering {
  private readonly module: SubsetModule;
  private readonly options: LowerOptions;
  private readonly routine: Routine;
  /** Where values are appended; null after a return, until a reachable block begins. */
  private block: Block | null;
  private frame: Frame;
  private readonly inlining: string[] = [];
  private readonly definitions = new Map<Variable, Map<Block, Value>>();
  private readonly sealed = new Set<Block>();
  private readonly openPhis = new Map<Block, Map<Variable, Value>>();
  private readonly base: Value;
  private readonly name: string;

  constructor(module: SubsetModule, name: string, options: LowerOptions) {
    this.module = module;
    this.options = options;
    this.name = name;
    const fn = module.functions.get(name)!;
    this.routine = {
      name,
      parameterCount: fn.parameters.length,
      at: fn.node.start,
      blocks: [],
      nextValueId: 0,
      nextBlockId: 0,
    };
    const entry = newBlock(this.routine);
    this.block = entry;
    this.seal(entry);
    this.frame = { scopes: [new Map()], continuation: { kind: 'routine' }, loops: [] };
    this.base = this.append('base', [], 0, fn.node.start);
  }

  run(): Routine {
    const fn = this.module.functions.get(this.name)!;
    this.inlining.push(this.name);
    fn.parameters.forEach((parameter, i) => {
      this.write(this.declare(parameter, false), this.append('param', [], i, fn.node.start));
    });
    this.blockOf(fn.node.body);
    if (this.block) this.terminate({ kind: 'return', value: null, at: fn.node.end });
    return this.routine;
  }

  // ---- values

  private append(op: Op, args: Value[], imm: number, at: number): Value {
    const value = newValue(this.routine, this.block!, op, args, imm, at);
    this.block!.values.push(value);
    return value;
  }

  private constant(imm: number, at: number): Value {
    return this.append('const', [], imm | 0, at);
  }

  private operate(op: Op, left: Value, right: Value, at: number): Value {
    const a = resolve(left);
    const b = resolve(right);
    if (a.op === 'const' && b.op === 'const') return this.constant(foldConstants(op, a.imm, b.imm)!, at);
    return this.append(op, [a, b], 0, at);
  }

  // ---- variables (Braun et al.)

  private declare(name: string, constant: boolean): Variable {
    const variable = { name, constant };
    this.frame.scopes.at(-1)!.set(name, variable);
    return variable;
  }

  private lookup(name: string): Variable | null {
    for (let i = this.frame.scopes.length - 1; i >= 0; i--) {
      const variable = this.frame.scopes[i]!.get(name);
      if (variable) return variable;
    }
    return null;
  }

  private write(variable: Variable, value: Value, block: Block = this.block!): void {
    let perBlock = this.definitions.get(variable);
    if (!perBlock) {
      perBlock = new Map();
      this.definitions.set(variable, perBlock);
    }
    perBlock.set(block, value);
  }

  private read(variable: Variable, block: Block, at: number): Value {
    const known = this.definitions.get(variable)?.get(block);
    if (known) return resolve(known);
    let value: Value;
    if (!this.sealed.has(block)) {
      value = this.phi(block, at);
      let open = this.openPhis.get(block);
      if (!open) {
        open = new Map();
        this.openPhis.set(block, open);
      }
      open.set(variable, value);
    } else if (block.preds.length === 1) {
      value = this.read(variable, block.preds[0]!, at);
    } else {
      const phi = this.phi(block, at);
      this.write(variable, phi, block);
      value = this.completePhi(variable, phi);
    }
    this.write(variable, value, block);
    return resolve(value);
  }

  private phi(block: Block, at: number): Value {
    const phi = newValue(this.routine, block, 'phi', [], 0, at);
    block.values.unshift(phi);
    return phi;
  }

  private completePhi(variable: Variable, phi: Value): Value {
    phi.args = phi.block.preds.map((pred) => this.read(variable, pred, phi.at));
    return removeTrivialPhi(phi);
  }

  private seal(block: Block): void {
    this.sealed.add(block);
    for (const [variable, phi] of this.openPhis.get(block) ?? []) this.completePhi(variable, phi);
    this.openPhis.delete(block);
  }

  // ---- control flow

  private terminate(term: Terminator): void {
    const block = this.block!;
    block.term = term;
    if (term.kind === 'jump') term.to.preds.push(block);
    if (term.kind === 'branch') {
      term.yes.preds.push(block);
      term.no.preds.push(block);
    }
    this.block = null;
  }

  private jump(to: Block, at: number): void {
    if (this.block) this.terminate({ kind: 'jump', to, at });
  }

  private enter(block: Block): void {
    this.block = block;
  }

  /** Starts a block all of whose predecessors are known; unreachable when there are none. */
  private begin(block: Block): void {
    this.seal(block);
    this.block = block.preds.length > 0 ? block : null;
  }

  private newBlock(): Block {
    return newBlock(this.routine);
  }

  // ---- statements

  private problem(node: Node, problem: string, advice?: string): never {
    throw subsetProblem(this.module.source, node.start, problem, advice);
  }

  private blockOf(block: BlockStatement): void {
    this.frame.scopes.push(new Map());
    for (const statement of block.body) this.statement(statement);
    this.frame.scopes.pop();
  }

  private scoped(statement: Statement): void {
    this.frame.scopes.push(new Map());
    this.statement(statement);
    this.frame.scopes.pop();
  }

  private statement(node: Statement): void {
    if (!this.block) return;
    switch (node.type) {
      case 'BlockStatement':
        this.blockOf(node);
        return;
      case 'EmptyStatement':
        return;
      case 'VariableDeclaration':
        for (const { id, init } of node.declarations) {
          if (id.type !== 'Identifier') this.problem(id, `${id.type} is outside the native subset`);
          const value = init ? this.expression(init) : this.constant(0, node.start);
          this.write(this.declare(id.name, node.kind === 'const'), value);
        }
        return;
      case 'ExpressionStatement':
        this.effect(node.expression);
        return;
      case 'IfStatement': {
        const then = this.newBlock();
        const otherwise = node.alternate ? this.newBlock() : null;
        const join = this.newBlock();
        this.condition(node.test, then, otherwise ?? join);
        this.begin(then);
        this.scoped(node.consequent);
        this.jump(join, node.end);
        if (otherwise) {
          this.begin(otherwise);
          this.scoped(node.alternate!);
          this.jump(join, node.end);
        }
        this.begin(join);
        return;
      }
      case 'WhileStatement':
        this.loop(node, null, node.test, null, node.body);
        return;
      case 'DoWhileStatement':
        this.doWhile(node);
        return;
      case 'ForStatement':
        this.loop(node, node.init ?? null, node.test ?? null, node.update ?? null, node.body);
        return;
      case 'BreakStatement':
      case 'ContinueStatement': {
        const loop = this.frame.loops.at(-1);
        if (!loop || node.label) this.problem(node, 'a label is outside the native subset');
        this.jump(node.type === 'BreakStatement' ? loop.breakTo : loop.continueTo, node.start);
        return;
      }
      case 'ReturnStatement':
        this.return_(node.argument ?? null, node);
        return;
      default:
        this.problem(node, `${node.type} is outside the native subset`);
    }
  }

  /**
   * A loop is turned around: the test is put before the loop and again at its end, so that an iteration takes one
   * branch. The test is lowered twice; what it loads is loaded in both places.
   */
  private loop(
    node: Node,
    init: Node | null,
    test: Expression | null,
    update: Expression | null,
    body: Statement,
  ): void {
    this.frame.scopes.push(new Map());
    if (init?.type === 'VariableDeclaration') this.statement(init as Statement);
    else if (init) this.effect(init as Expression);
    const head = this.newBlock();
    const next = this.newBlock();
    const exit = this.newBlock();
    if (test) this.condition(test, head, exit);
    else this.jump(head, node.start);
    // The head has a back edge to come: it is entered before it is sealed.
    head.loopBound = this.loopBound(node);
    if (head.preds.length > 0) {
      this.enter(head);
      this.frame.loops.push({ breakTo: exit, continueTo: next });
      this.scoped(body);
      this.frame.loops.pop();
      this.jump(next, node.end);
      this.begin(next);
      if (this.block) {
        if (update) this.effect(update);
        if (test) this.condition(test, head, exit);
        else this.jump(head, node.end);
      }
      this.seal(head);
    }
    this.frame.scopes.pop();
    this.begin(exit);
  }

  private doWhile(node: import('acorn').DoWhileStatement): void {
    const head = this.newBlock();
    const next = this.newBlock();
    const exit = this.newBlock();
    this.jump(head, node.start);
    head.loopBound = this.loopBound(node);
    this.enter(head);
    this.frame.loops.push({ breakTo: exit, continueTo: next });
    this.scoped(node.body);
    this.frame.loops.pop();
    this.jump(next, node.end);
    this.begin(next);
    if (this.block) this.condition(node.test, head, exit);
    this.seal(head);
    this.begin(exit);
  }

  /** `// loop: at most N` on the loop's line or the line above it. */
  private loopBound(node: Node): Block['loopBound'] {
    const { file, line } = this.module.source.locate(node.start);
    for (const at of [line, line - 1]) {
      const match = /\/\/ loop: at most ([\w./ ]+)/.exec(this.module.source.lineText(file, at));
      if (match) return { count: /^\d+$/.test(match[1]!.trim()) ? Number(match[1]) : match[1]!.trim(), at: node.start };
    }
    return null;
  }

  private return_(argument: Expression | null, node: Node): void {
    const continuation = this.frame.continuation;
    const at = node.start;
    if (continuation.kind === 'condition') {
      if (argument) this.condition(argument, continuation.yes, continuation.no);
      else this.jump(continuation.no, at);
      return;
    }
    if (continuation.kind === 'value') {
      this.write(continuation.result, argument ? this.expression(argument) : this.constant(0, at));
      this.jump(continuation.join, at);
      return;
    }
    if (argument?.type === 'ConditionalExpression') {
      const then = this.newBlock();
      const otherwise = this.newBlock();
      this.condition(argument.test, then, otherwise);
      this.begin(then);
      if (this.block) this.return_(argument.consequent, node);
      this.begin(otherwise);
      if (this.block) this.return_(argument.alternate, node);
      return;
    }
    const callee = argument?.type === 'CallExpression' ? this.calleeOf(argument) : null;
    if (callee && !callee.isRoutine) {
      // The called function returns for this one.
      this.inline(argument as CallExpression, { kind: 'routine' });
      if (this.block) this.terminate({ kind: 'return', value: null, at });
      return;
    }
    if (callee) {
      const args = this.argumentsOf(argument as CallExpression, callee.parameters.length);
      this.terminate({ kind: 'tail', callee: callee.name, args, at });
      return;
    }
    this.terminate({ kind: 'return', value: argument ? this.expression(argument) : null, at });
  }

  // ---- expressions

  /** An expression for what it does, its value unused. */
  private effect(node: Expression): void {
    if (node.type === 'AssignmentExpression') {
      const op = node.operator === '=' ? null : binaryOps[node.operator.slice(0, -1)];
      if (op === undefined) this.problem(node, `the operator ${node.operator} is outside the native subset`);
      if (node.left.type === 'MemberExpression') {
        const { width, index } = this.element(node.left);
        const address = this.address(index, width, node.start);
        const old = op ? this.load(address, width, node.start) : null;
        const right = this.expression(node.right);
        this.store(address, width, op ? this.operate(op, old!, right, node.start) : right, node.start);
        return;
      }
      if (node.left.type !== 'Identifier') this.problem(node.left, 'only variables and the arena can be assigned to');
      const variable = this.lookup(node.left.name);
      if (!variable || variable.constant)
        this.problem(node.left, `${node.left.name} is not a variable of the function`);
      const right = op
        ? this.operate(op, this.expression(node.left), this.expression(node.right), node.start)
        : this.expression(node.right);
      this.write(variable, right);
      return;
    }
    if (node.type === 'UpdateExpression') {
      const variable = node.argument.type === 'Identifier' ? this.lookup(node.argument.name) : null;
      if (!variable || variable.constant) this.problem(node, 'only variables can be counted up or down');
      const one = this.constant(1, node.start);
      const old = this.read(variable, this.block!, node.start);
      this.write(variable, this.operate(node.operator === '++' ? 'add' : 'sub', old, one, node.start));
      return;
    }
    if (node.type === 'CallExpression') {
      this.call(node);
      return;
    }
    this.problem(node, 'this expression does nothing', 'Assign its value or remove it.');
  }

  private expression(node: Expression): Value {
    const at = node.start;
    switch (node.type) {
      case 'Literal':
        if (typeof node.value === 'boolean') return this.constant(node.value ? 1 : 0, at);
        if (typeof node.value !== 'number' || !Number.isInteger(node.value) || Math.abs(node.value) > 0xffffffff) {
          this.problem(node, `${node.raw} is not a 32-bit integer`);
        }
        return this.constant(node.value, at);
      case 'Identifier': {
        const variable = this.lookup(node.name);
        if (variable) return this.read(variable, this.block!, at);
        const constant = this.module.constants.get(node.name);
        if (constant) return this.moduleConstant(constant);
        return this.problem(node, `${node.name} is not a variable, a parameter or a constant of the module`);
      }
      case 'UnaryExpression': {
        if (node.operator === '!') return this.truth(node);
        const op = ({ '-': 'neg', '~': 'not' } as const)[node.operator as '-' | '~'];
        if (!op) this.problem(node, `the operator ${node.operator} is outside the native subset`);
        const value = resolve(this.expression(node.argument));
        if (value.op === 'const') return this.constant(foldConstants(op, value.imm, 0)!, at);
        return this.append(op, [value], 0, at);
      }
      case 'BinaryExpression': {
        if (Object.hasOwn(comparisons, node.operator)) return this.truth(node);
        if (node.operator === '|' && isLiteral(node.right, 0) && isDivision(node.left)) return this.divide(node.left);
        const op = binaryOps[node.operator];
        if (!op || node.left.type === 'PrivateIdentifier') {
          this.problem(node, `the operator ${node.operator} is outside the native subset`);
        }
        const left = this.expression(node.left);
        let right = resolve(this.expression(node.right));
        if ((op === 'shl' || op === 'sar' || op === 'shr') && right.op === 'const' && (right.imm & ~31) !== 0) {
          right = this.constant(right.imm & 31, at);
        }
        return this.operate(op, left, right, at);
      }
      case 'ConditionalExpression':
      case 'LogicalExpression':
        return this.select(node);
      case 'CallExpression':
        return this.call(node);
      case 'MemberExpression': {
        const { width, index } = this.element(node);
        return this.load(this.address(index, width, at), width, at);
      }
      case 'ParenthesizedExpression':
        return this.expression(node.expression);
      default:
        return this.problem(node, `${node.type} is outside the native subset`);
    }
  }

  /** `(x / c) | 0` for x >= 0 and a constant c > 0, bit by bit: for set-up code, it takes up to 32 rounds. */
  private divide(node: import('acorn').BinaryExpression): Value {
    const at = node.start;
    const dividend = this.expression(node.left as Expression);
    const divisor = resolve(this.expression(node.right));
    if (divisor.op !== 'const' || divisor.imm <= 0) {
      this.problem(node, 'only constants above 0 can be divided by in the native subset');
    }
    const rest: Variable = { name: 'rest', constant: false };
    const quotient: Variable = { name: 'quotient', constant: false };
    const bit: Variable = { name: 'bit', constant: false };
    const [head, fits, next, exit] = [this.newBlock(), this.newBlock(), this.newBlock(), this.newBlock()];
    const highest = Math.clz32(divisor.imm) - 1;
    this.write(rest, dividend);
    this.write(quotient, this.constant(0, at));
    this.write(bit, this.constant(highest, at));
    this.jump(head, at);
    head.loopBound = { count: highest + 1, at };
    this.enter(head);
    const shifted = this.operate('shl', divisor, this.read(bit, head, at), at);
    this.branch('ge', this.read(rest, head, at), shifted, fits, next, at);
    this.begin(fits);
    const one = this.operate('shl', this.constant(1, at), this.read(bit, fits, at), at);
    this.write(rest, this.operate('sub', this.read(rest, fits, at), shifted, at));
    this.write(quotient, this.operate('add', this.read(quotient, fits, at), one, at));
    this.jump(next, at);
    this.begin(next);
    const lower = this.operate('sub', this.read(bit, next, at), this.constant(1, at), at);
    this.write(bit, lower);
    this.branch('ge', lower, this.constant(0, at), head, exit, at);
    this.seal(head);
    this.begin(exit);
    return this.read(quotient, exit, at);
  }

  /** Module constants are lowered where they are used, in the module's own scope. */
  private moduleConstant(node: Expression): Value {
    const frame = this.frame;
    this.frame = { scopes: [], continuation: { kind: 'routine' }, loops: [] };
    const value = resolve(this.expression(node));
    this.frame = frame;
    if (value.op !== 'const') this.problem(node, 'the value of a constant must be known when compiling');
    return value;
  }

  /** A comparison or negation used as a value: 1 or 0. */
  private truth(node: Expression): Value {
    const then = this.newBlock();
    const otherwise = this.newBlock();
    const join = this.newBlock();
    const result: Variable = { name: 'truth', constant: false };
    this.condition(node, then, otherwise);
    for (const [block, imm] of [
      [then, 1],
      [otherwise, 0],
    ] as const) {
      this.begin(block);
      if (!this.block) continue;
      this.write(result, this.constant(imm, node.start));
      this.jump(join, node.start);
    }
    this.begin(join);
    return this.read(result, join, node.start);
  }

  private select(node: Expression): Value {
    if (node.type !== 'ConditionalExpression') {
      this.problem(node, 'a logical operator is only a condition in the native subset', 'Use if, or ? :.');
    }
    const then = this.newBlock();
    const otherwise = this.newBlock();
    const join = this.newBlock();
    const result: Variable = { name: 'select', constant: false };
    this.condition(node.test, then, otherwise);
    for (const [block, value] of [
      [then, node.consequent],
      [otherwise, node.alternate],
    ] as const) {
      this.begin(block);
      if (!this.block) continue;
      this.write(result, this.expression(value));
      this.jump(join, node.start);
    }
    this.begin(join);
    return this.read(result, join, node.start);
  }

  private condition(node: Expression, yes: Block, no: Block): void {
    if (!this.block) return;
    if (node.type === 'ParenthesizedExpression') {
      this.condition(node.expression, yes, no);
      return;
    }
    if (node.type === 'LogicalExpression' && node.operator !== '??') {
      const second = this.newBlock();
      if (node.operator === '&&') this.condition(node.left, second, no);
      else this.condition(node.left, yes, second);
      this.begin(second);
      this.condition(node.right, yes, no);
      return;
    }
    if (node.type === 'UnaryExpression' && node.operator === '!') {
      this.condition(node.argument, no, yes);
      return;
    }
    if (node.type === 'CallExpression') {
      const callee = this.calleeOf(node);
      if (callee && !callee.isRoutine) {
        this.inline(node, { kind: 'condition', yes, no });
        this.jump(no, node.start);
        return;
      }
    }
    if (node.type === 'BinaryExpression' && Object.hasOwn(comparisons, node.operator)) {
      this.comparison(node, yes, no);
      return;
    }
    const value = this.expression(node);
    this.branch('ne', value, this.constant(0, node.start), yes, no, node.start);
  }

  private comparison(node: import('acorn').BinaryExpression, yes: Block, no: Block): void {
    const isBoolean = (side: Node): boolean =>
      (side.type === 'BinaryExpression' &&
        Object.hasOwn(comparisons, (side as import('acorn').BinaryExpression).operator)) ||
      (side.type === 'ParenthesizedExpression' &&
        isBoolean((side as import('acorn').ParenthesizedExpression).expression));
    const left = node.left as Expression;
    let cond = comparisons[node.operator]!;
    if (isBoolean(left) !== isBoolean(node.right) && (cond === 'eq' || cond === 'ne')) {
      this.problem(node, 'a comparison is compared with a number', 'Compare numbers with numbers.');
    }
    const unsigned = (side: Expression): boolean =>
      side.type === 'BinaryExpression' && side.operator === '>>>' && isLiteral(side.right, 0);
    const small = (side: Expression, value: Value): boolean =>
      unsigned(side) || (resolve(value).op === 'const' && resolve(value).imm >= 0);
    const a = this.expression(left);
    const b = this.expression(node.right);
    if (unsigned(left) || unsigned(node.right)) {
      if (!small(left, a) || !small(node.right, b)) {
        this.problem(node, 'an unsigned value is compared with a signed one', 'Write `>>> 0` on both sides.');
      }
      cond = unsignedOf[cond] ?? cond;
    }
    this.branch(cond, a, b, yes, no, node.start);
  }

  private branch(cond: Condition, left: Value, right: Value, yes: Block, no: Block, at: number): void {
    const a = resolve(left);
    const b = resolve(right);
    if (a.op === 'const' && b.op === 'const') {
      this.terminate({ kind: 'jump', to: holds(cond, a.imm, b.imm) ? yes : no, at });
      return;
    }
    this.terminate({ kind: 'branch', cond, a, b, yes, no, at });
  }

  // ---- calls

  private calleeOf(node: CallExpression) {
    return node.callee.type === 'Identifier' ? (this.module.functions.get(node.callee.name) ?? null) : null;
  }

  private argumentsOf(node: CallExpression, count: number): Value[] {
    if (node.arguments.length !== count) this.problem(node, `${count} arguments are expected`);
    return node.arguments.map((argument) => {
      if (argument.type === 'SpreadElement') this.problem(argument, 'spread is outside the native subset');
      return this.expression(argument);
    });
  }

  private call(node: CallExpression): Value {
    const callee = this.calleeOf(node);
    if (!callee) return this.intrinsic(node);
    if (callee.isRoutine) {
      const args = this.argumentsOf(node, callee.parameters.length);
      const call = this.append('call', args, 0, node.start);
      call.callee = callee.name;
      return call;
    }
    const join = this.newBlock();
    const result: Variable = { name: callee.name, constant: false };
    this.inline(node, { kind: 'value', join, result });
    if (this.block) {
      this.write(result, this.constant(0, node.start));
      this.jump(join, node.end);
    }
    this.begin(join);
    if (!this.block) this.problem(node, `${callee.name} never returns`);
    return this.read(result, join, node.start);
  }

  private inline(node: CallExpression, continuation: Continuation): void {
    const callee = this.calleeOf(node)!;
    if (this.inlining.includes(callee.name)) this.problem(node, `${callee.name} calls itself`, 'Use a loop.');
    const args = this.argumentsOf(node, callee.parameters.length);
    const outer = this.frame;
    this.inlining.push(callee.name);
    this.frame = { scopes: [new Map()], continuation, loops: [] };
    callee.parameters.forEach((parameter, i) => {
      this.write(this.declare(parameter, false), args[i]!);
    });
    this.blockOf(callee.node.body);
    this.frame = outer;
    this.inlining.pop();
  }

  private intrinsic(node: CallExpression): Value {
    const known = node.callee.type === 'Identifier' ? this.module.known.get(node.callee.name) : undefined;
    const at = node.start;
    if (known?.kind === 'highestBit' || known?.kind === 'lowestBit') {
      const [x] = this.argumentsOf(node, 1);
      const value = resolve(x!);
      const op = known.kind === 'lowestBit' ? 'lowest' : 'highest';
      if (value.op === 'const') return this.constant(foldConstants(op, value.imm, 0)!, at);
      if (op === 'highest' && !this.options.hasClz) return this.highestBySteps(value, at);
      return this.append(op, [value], 0, at);
    }
    const math = mathName(node);
    if (math === 'min' || math === 'max') {
      const [a, b] = this.argumentsOf(node, 2) as [Value, Value];
      const join = this.newBlock();
      const other = this.newBlock();
      const result: Variable = { name: math, constant: false };
      this.write(result, a);
      this.branch(math === 'min' ? 'le' : 'ge', a, b, join, other, at);
      this.begin(other);
      if (this.block) {
        this.write(result, b);
        this.jump(join, at);
      }
      this.begin(join);
      return this.read(result, join, at);
    }
    if (math === 'imul') {
      const [a, b] = this.argumentsOf(node, 2) as [Value, Value];
      return this.operate('mul', a, b, at);
    }
    const name = node.callee.type === 'Identifier' ? node.callee.name : 'this';
    return this.problem(node, `${name} is not a function of the module`);
  }

  /** floor(log2(x)) by halving, as bits.ts does it; steps that cannot matter are left out. */
  private highestBySteps(x: Value, at: number): Value {
    const rest: Variable = { name: 'rest', constant: false };
    const count: Variable = { name: 'count', constant: false };
    this.write(rest, x);
    this.write(count, this.constant(0, at));
    const bound = upperBound(x);
    for (const step of [16, 8, 4, 2]) {
      if (bound < 2 ** step) continue;
      const add = this.newBlock();
      const join = this.newBlock();
      const old = this.read(rest, this.block!, at);
      const n = this.read(count, this.block!, at);
      const high = this.operate('sar', old, this.constant(step, at), at);
      this.branch('ne', high, this.constant(0, at), add, join, at);
      this.begin(add);
      if (this.block) {
        this.write(rest, high);
        this.write(count, this.operate('add', n, this.constant(step, at), at));
        this.jump(join, at);
      }
      this.begin(join);
    }
    const last = this.operate('sar', this.read(rest, this.block!, at), this.constant(1, at), at);
    return this.operate('add', this.read(count, this.block!, at), last, at);
  }

  // ---- the arena

  private element(node: MemberExpression): { width: Width; index: Value } {
    const known = node.object.type === 'Identifier' ? this.module.known.get(node.object.name) : undefined;
    if (known?.kind !== 'view' || !node.computed || node.property.type === 'PrivateIdentifier') {
      this.problem(node, 'only u8, u16 and u32 of the arena can be loaded from and stored to');
    }
    return { width: known.width, index: this.expression(node.property) };
  }

  /**
   * The byte offset of element `index`, as a value plus a constant. `x >> 2` as an index of u32 states that x is a
   * multiple of 4, so the shifts cancel: `u32[x >> 2]` and `u32[(x >> 2) + 1]` are x and x + 4.
   */
  private address(index: Value, width: Width, at: number): Address {
    const shift = width === 4 ? 2 : width === 2 ? 1 : 0;
    const terms: Value[] = [];
    let offset = 0;
    const collect = (term: Value, scaled: boolean, depth: number): void => {
      const value = resolve(term);
      const [a, b] = value.args.map(resolve);
      if (value.op === 'const') offset += scaled ? value.imm : value.imm << shift;
      else if (value.op === 'add' && depth > 0 && (b!.op === 'const' || a!.op === 'const' || !scaled)) {
        collect(a!, scaled, depth - 1);
        collect(b!, scaled, depth - 1);
      } else if (value.op === 'sub' && b!.op === 'const' && depth > 0) {
        collect(a!, scaled, depth - 1);
        offset -= scaled ? b!.imm : b!.imm << shift;
      } else if (
        !scaled &&
        shift > 0 &&
        (value.op === 'sar' || value.op === 'shr') &&
        b!.op === 'const' &&
        b!.imm === shift
      ) {
        collect(a!, true, depth);
      } else if (!scaled && shift > 0) {
        // An index that was itself shifted down further keeps its own shift.
        terms.push(this.operate('shl', value, this.constant(shift, at), at));
      } else terms.push(value);
    };
    collect(index, shift === 0, 4);
    let term: Value | null = null;
    for (const value of terms) term = term ? this.operate('add', term, value, at) : value;
    return { term, offset };
  }

  private load(address: Address, width: Width, at: number): Value {
    const load = this.append('load', [this.pointer(address, at)], address.offset, at);
    load.width = width;
    return load;
  }

  private store(address: Address, width: Width, value: Value, at: number): void {
    const store = this.append('store', [this.pointer(address, at), value], address.offset, at);
    store.width = width;
  }

  private pointer(address: Address, at: number): Value {
    return address.term ? this.append('add', [this.base, address.term], 0, at) : this.base;
  }
}

interface Address {
  readonly term: Value | null;
  readonly offset: number;
}

export function removeTrivialPhi(phi: Value): Value {
  let same: Value | null = null;
  for (const arg of phi.args) {
    const value = resolve(arg);
    if (value === same || value === phi) continue;
    if (same) return phi;
    same = value;
  }
  if (same) phi.alias = same;
  return same ?? phi;
}

function isDivision(node: Node): node is import('acorn').BinaryExpression {
  if (node.type === 'ParenthesizedExpression') {
    return isDivision((node as import('acorn').ParenthesizedExpression).expression);
  }
  return node.type === 'BinaryExpression' && (node as import('acorn').BinaryExpression).operator === '/';
}

function isLiteral(node: Expression, value: number): boolean {
  return node.type === 'Literal' && node.value === value;
}

function mathName(node: CallExpression): string | null {
  const callee = node.callee;
  if (callee.type !== 'MemberExpression' || callee.computed) return null;
  if (callee.object.type !== 'Identifier' || callee.object.name !== 'Math') return null;
  return callee.property.type === 'Identifier' ? callee.property.name : null;
}
