/**
 * Writes a function of several statements in the place of a call: an expression with commas, its variables the caller's.
 * A call costs 1,300 to 1,800 cycles on Kaluma and 3,200 to 13,000 instructions on Espruino, and a function some 25
 * characters. So a function with one call is inlined unless that call is hot and running it is not worth its variables
 * and, on Espruino, what is read of it when it does not run; a short one at each hot call.
 *
 *   function place(hole, held) { let rest = held - 2; return rest ? put(hole, rest) : hole; }
 *   function take(hole) { let held = u16[hole]; return remove(hole) ? place(hole, held) : 0; }
 *   =>
 *   function take(hole) { var rest; let held = u16[hole]; return remove(hole) ? (rest = held - 2, rest ? put(hole, rest) : hole) : 0; }
 *
 * Only what cannot change a result is inlined:
 *   S1  the function is the device code's, is mentioned by calls alone, and not in itself
 *   S2  its statements are declarations with values, expressions, `if (...) return ...`, and a return at the end
 *   S3  an argument takes its parameter's place where the parameter is not assigned, and the argument is a number, or a
 *       variable of the caller's own that no inner function sees and no argument assigns, or has no effects and is used
 *       once before any; any other is kept in a variable, in order
 *   S4  the caller is a function, both are the allocator's or neither is (its views never change while it runs), and what
 *       is returned is used only where there is a return
 *   S5  variables get names that nothing else has
 */
import type {
  AnyNode,
  BlockStatement,
  CallExpression,
  FunctionDeclaration,
  Identifier,
  Program,
  Statement,
} from 'acorn';
import { ancestor, simple } from 'acorn-walk';
import type { Board } from '../../../boards/board.ts';
import { childrenOf, containsFunction, type FunctionNode, isFunction } from '../nodes.ts';
import { boundBy } from '../scopes.ts';
import { hotnessOf } from './hotness.ts';
import { runPasses, type Stage, type Unit } from './pass.ts';

/** Functions that call each other in a row: one a round. */
const mostRounds = 8;

/** Inlines until nothing more pays on that engine. */
export function inlineSequences(stage: Stage, engine: Board['engine']): Stage {
  const made = new Set<string>();
  let current = stage;
  for (let round = 0; round < mostRounds; round++) {
    const next = runPasses(current, [(unit) => inlineRound(unit, engine, made)]);
    if (next === current) break;
    current = next;
  }
  return current;
}

interface Call {
  node: CallExpression;
  /** The function around it. */
  caller: FunctionNode & { body: BlockStatement };
  isValueUsed: boolean;
  /** How likely a run of the caller comes to it, a loop counted once. */
  probability: number;
}

/** A function written as an expression in the place of a call. */
interface Sequence {
  expression: string;
  /** Those that the caller declares for it. */
  variables: string[];
}

/** `made`: the variables of earlier rounds, which are declared without a value and given one before they are read. */
function inlineRound(
  { program, text, isDevice, isAllocator }: Unit,
  engine: Board['engine'],
  made: Set<string>,
): undefined {
  const hotness = hotnessOf(program, isDevice);
  const mentions = mentionsOf(program);
  const names = new Set(mentions.keys());
  const calls = callsOf(program);
  const edited = new Set<AnyNode>();
  const untouchable = new Set<AnyNode>();
  const taken: AnyNode[] = [];
  for (const fn of program.body) {
    if (fn.type !== 'FunctionDeclaration' || !isDevice(fn) || edited.has(fn)) continue;
    const all = calls.get(fn.id.name) ?? [];
    // Mentioned otherwise than by calls, it may be called from anywhere.
    if (all.length === 0 || all.length !== mentions.get(fn.id.name)) continue;
    const isOnly = all.length === 1;
    if (!isOnly && minifiedLength(text.original.slice(fn.body.start, fn.body.end)) > 2 * mostAdded) continue;
    let left = all.length;
    for (const call of all) {
      const top = program.body.find(({ start, end }) => start <= call.node.start && call.node.end <= end)!;
      if (top === fn || untouchable.has(top) || !isDevice(call.node)) continue;
      // One call of a nest a round.
      if (taken.some(({ start, end }) => call.node.start < end && start < call.node.end)) continue;
      const runs = hotness.ofFunction(call.caller);
      if (runs < hotRuns && !isOnly) continue;
      if (isAllocator(fn) !== isAllocator(call.node) || !isSequence(fn, call, made)) continue;
      const inlined = sequenceOf(fn, call, text.original, names);
      if (inlined === undefined || (runs >= hotRuns && !pays(fn, call, inlined, engine, isOnly))) continue;
      text.update(call.node.start, call.node.end, `(${inlined.expression})`);
      if (inlined.variables.length > 0)
        text.appendLeft(call.caller.body.start + 1, ` var ${inlined.variables.join(', ')};`);
      for (const name of inlined.variables) made.add(name);
      taken.push(call.node);
      edited.add(top);
      untouchable.add(fn);
      left--;
    }
    if (left === 0) text.remove(fn.start, fn.end);
  }
}

/** What a call costs besides its arguments, and what of an inlined function is paid without running it (docs/cost-model.md). */
const prices = {
  // Name, entry, return; an argument; a variable; a character that is passed over.
  espruino: { call: 5200, parameter: 1363, variable: 1055, skippedCharacter: 62 },
  // Name, call, entry, line, return; pushing an argument; a register.
  kaluma: { call: 1600, parameter: 200, variable: 149, skippedCharacter: 0 },
} as const;

/** Runs of a caller for each operation of the heap from which on speed decides, and below which bytes do. */
const hotRuns = 0.1;
/** Characters that a function with several callers may add at each, minified, where it runs this likely. */
const mostAdded = 30;
const leastProbability = 0.5;

/** Whether a hot call is better inlined. */
function pays(
  fn: FunctionDeclaration,
  { probability }: Call,
  { expression, variables }: Sequence,
  engine: Board['engine'],
  isOnly: boolean,
): boolean {
  const { call, parameter, variable, skippedCharacter } = prices[engine];
  const characters = minifiedLength(expression);
  const saved = probability * (call + parameter * fn.params.length);
  const spent = variable * variables.length + (1 - probability) * skippedCharacter * characters;
  return saved > spent && (isOnly || (characters <= mostAdded && probability >= leastProbability));
}

const minifiedLength = (text: string): number => text.replace(/[A-Za-z_$][\w$]*/g, 'a').replace(/\s/g, '').length;

/** How often each name is mentioned, declarations of functions aside. */
function mentionsOf(program: Program): Map<string, number> {
  const counts = new Map<string, number>();
  const visit = (node: AnyNode): void => {
    if (node.type === 'Identifier') counts.set(node.name, (counts.get(node.name) ?? 0) + 1);
    for (const child of childrenOf(node)) if (!(node.type === 'FunctionDeclaration' && child === node.id)) visit(child);
  };
  visit(program);
  return counts;
}

/** The calls of each name that lie in a function with a body. */
function callsOf(program: Program): Map<string, Call[]> {
  const calls = new Map<string, Call[]>();
  ancestor(program, {
    CallExpression(node, _, ancestors) {
      const around = ancestors as AnyNode[];
      const at = around.findLastIndex(isFunction);
      const caller = around[at] as FunctionNode | undefined;
      if (node.callee.type !== 'Identifier' || caller?.body.type !== 'BlockStatement') return;
      const call = {
        node,
        caller: caller as Call['caller'],
        isValueUsed: !isUnused(around),
        probability: probabilityOf(around.slice(at + 1)),
      };
      calls.set(node.callee.name, [...(calls.get(node.callee.name) ?? []), call]);
    },
  });
  return calls;
}

/** One half for each branch around the innermost node. */
function probabilityOf(path: readonly AnyNode[]): number {
  let probability = 1;
  for (let i = 1; i < path.length; i++) {
    const node = path[i]!;
    const parent = path[i - 1]!;
    const isBranch =
      parent.type === 'IfStatement' || parent.type === 'ConditionalExpression'
        ? parent.test !== node
        : parent.type === 'LogicalExpression' && parent.right === node;
    if (isBranch) probability /= 2;
  }
  return probability;
}

/** Whether nothing looks at the value of the innermost node. */
function isUnused(ancestors: readonly AnyNode[]): boolean {
  for (let i = ancestors.length - 1; i > 0; i--) {
    const node = ancestors[i]!;
    const parent = ancestors[i - 1]!;
    if (parent.type === 'ExpressionStatement') return true;
    if (parent.type === 'SequenceExpression') {
      if (parent.expressions.at(-1) !== node) return true;
    } else if (parent.type === 'LogicalExpression') {
      if (parent.left === node) return false;
    } else if (parent.type === 'ConditionalExpression') {
      if (parent.test === node) return false;
    } else return false;
  }
  return false;
}

/** S2 and the part of S4 about the value. */
function isSequence(fn: FunctionDeclaration, { node, isValueUsed }: Call, made: ReadonlySet<string>): boolean {
  const { body } = fn.body;
  const last = body.at(-1);
  return (
    node.arguments.length === fn.params.length &&
    fn.params.every(({ type }) => type === 'Identifier') &&
    (!isValueUsed || (last?.type === 'ReturnStatement' && last.argument !== null)) &&
    body.every((statement) => isPart(statement, statement === last, made)) &&
    !containsFunction(fn.body) &&
    !mentionsItselfOrShorthand(fn)
  );
}

function mentionsItselfOrShorthand({ id, body }: FunctionDeclaration): boolean {
  const visit = (node: AnyNode): boolean =>
    (node.type === 'Identifier' && node.name === id.name) ||
    (node.type === 'Property' && node.shorthand) ||
    childrenOf(node).some(visit);
  return visit(body);
}

function isPart(statement: Statement, isLast: boolean, made: ReadonlySet<string>): boolean {
  switch (statement.type) {
    case 'VariableDeclaration':
      return statement.declarations.every(({ id, init }) => id.type === 'Identifier' && (init || made.has(id.name)));
    case 'ExpressionStatement':
      return true;
    case 'ReturnStatement':
      return isLast;
    case 'IfStatement':
      return !statement.alternate && returned(statement.consequent) !== undefined && !isLast;
    default:
      return false;
  }
}

/** What a branch returns, if it does nothing else. */
function returned(branch: Statement): AnyNode | undefined {
  const only = branch.type === 'BlockStatement' && branch.body.length === 1 ? branch.body[0]! : branch;
  return only.type === 'ReturnStatement' ? (only.argument ?? undefined) : undefined;
}

function sequenceOf(
  fn: FunctionDeclaration,
  { node: call, caller }: Call,
  code: string,
  names: Set<string>,
): Sequence | undefined {
  const assigned = assignedIn(fn.body);
  const own = ownVariables(caller);
  for (const name of assignedIn(call)) own.delete(name);
  const written = new Map<string, string>();
  const variables: string[] = [];
  const parts: string[] = [];
  const variable = (name: string): string => {
    let fresh = `${fn.id.name}_${name}`;
    while (names.has(fresh)) fresh += '_';
    names.add(fresh);
    variables.push(fresh);
    written.set(name, fresh);
    return fresh;
  };
  // Of two arguments, one with effects may change what the other reads.
  const arePure = call.arguments.every(isPure);
  for (const [index, parameter] of (fn.params as Identifier[]).entries()) {
    const argument = call.arguments[index]!;
    if (argument.type === 'SpreadElement') return undefined;
    const isFixed = argument.type === 'Literal' || (argument.type === 'Identifier' && own.has(argument.name));
    const text = renamed(argument, code, new Map());
    if (isFixed && !assigned.has(parameter.name)) written.set(parameter.name, text);
    else if (arePure && isUsedOnceAtFirst(parameter.name, fn)) written.set(parameter.name, `(${text})`);
    else parts.push(`${variable(parameter.name)} = ${text}`);
  }
  for (const statement of fn.body.body)
    if (statement.type === 'VariableDeclaration')
      for (const { id } of statement.declarations)
        if (!written.has((id as Identifier).name)) variable((id as Identifier).name);
  const rest = sequence(fn.body.body, (node) => renamed(node, code, written));
  return { expression: [...parts, rest].filter(Boolean).join(', '), variables };
}

/** Whether evaluating it changes nothing. */
function isPure(node: AnyNode): boolean {
  let pure = true;
  const change = (): void => {
    pure = false;
  };
  simple(node, {
    CallExpression: change,
    NewExpression: change,
    AssignmentExpression: change,
    UpdateExpression: change,
    Function: change,
  });
  return pure;
}

/** Whether the parameter is read once at most, and that before anything changes that an argument could have read. */
function isUsedOnceAtFirst(parameter: string, fn: FunctionDeclaration): boolean {
  const own = ownVariables(fn);
  let uses = 0;
  let changed = false;
  let late = false;
  const visit = (node: AnyNode): void => {
    if (node.type === 'Identifier' && node.name === parameter) {
      uses++;
      late ||= changed;
    }
    for (const child of childrenOf(node)) visit(child);
    if (node.type === 'CallExpression' || node.type === 'NewExpression') changed = true;
    const target =
      node.type === 'AssignmentExpression' ? node.left : node.type === 'UpdateExpression' ? node.argument : undefined;
    if (target && !(target.type === 'Identifier' && own.has(target.name))) changed = true;
    late ||= target?.type === 'Identifier' && target.name === parameter;
  };
  for (const statement of fn.body.body) visit(statement);
  return uses <= 1 && !late;
}

/** Statements as one expression. */
function sequence(statements: readonly Statement[], emit: (node: AnyNode) => string): string {
  const parts: string[] = [];
  for (const [index, statement] of statements.entries()) {
    if (statement.type === 'VariableDeclaration')
      for (const { id, init } of statement.declarations) {
        if (init) parts.push(`${emit(id)} = ${emit(init)}`);
      }
    else if (statement.type === 'ExpressionStatement') parts.push(emit(statement.expression));
    else if (statement.type === 'ReturnStatement') parts.push(statement.argument ? emit(statement.argument) : '0');
    else if (statement.type === 'IfStatement') {
      const rest = sequence(statements.slice(index + 1), emit);
      parts.push(`(${emit(statement.test)}) ? (${emit(returned(statement.consequent)!)}) : (${rest})`);
      break;
    }
  }
  return parts.join(', ');
}

/** A node's text with its variables under other names. */
function renamed(node: AnyNode, code: string, written: ReadonlyMap<string, string>): string {
  const uses: Identifier[] = [];
  const visit = (at: AnyNode): void => {
    if (at.type === 'Identifier' && written.has(at.name)) uses.push(at);
    for (const child of childrenOf(at)) {
      const isName =
        (at.type === 'MemberExpression' && child === at.property) || (at.type === 'Property' && child === at.key);
      if (!isName || at.computed) visit(child);
    }
  };
  visit(node);
  let text = '';
  let from = node.start;
  for (const { start, end, name } of uses) {
    text += code.slice(from, start) + written.get(name)!;
    from = end;
  }
  text += code.slice(from, node.end);
  // The tree leaves out the parentheses around it.
  return node.type === 'SequenceExpression' ? `(${text})` : text;
}

function assignedIn(node: AnyNode): Set<string> {
  const names = new Set<string>();
  simple(node, {
    AssignmentExpression({ left }) {
      if (left.type === 'Identifier') names.add(left.name);
    },
    UpdateExpression({ argument }) {
      if (argument.type === 'Identifier') names.add(argument.name);
    },
  });
  return names;
}

/** Parameters and variables of a function, without those that its inner functions mention. */
function ownVariables(fn: FunctionNode): Set<string> {
  const names = new Set(fn.params.flatMap(boundBy).map(({ name }) => name));
  const inner: AnyNode[] = [];
  const visit = (node: AnyNode): void => {
    if (isFunction(node)) {
      inner.push(node);
      return;
    }
    if (node.type === 'VariableDeclarator') for (const { name } of boundBy(node.id)) names.add(name);
    for (const child of childrenOf(node)) visit(child);
  };
  visit(fn.body);
  for (const node of inner)
    simple(node, {
      Identifier: ({ name }) => void names.delete(name),
      Pattern(pattern) {
        if (pattern.type === 'Identifier') names.delete(pattern.name);
      },
    });
  return names;
}
