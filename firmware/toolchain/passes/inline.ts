/**
 * Writes small functions of the device code in the place of their calls. A call costs 1300 to 1800 cycles on Kaluma and
 * 3200 to 13000 instructions on Espruino, more than most of these functions do.
 *
 *   function size(block) { return u32[block >> 2] & MASK; }
 *   if (size(rest + 8) > 16)          =>          if ((u32[(rest + 8) >> 2] & MASK) > 16)
 *
 * Only what cannot change a result is inlined:
 *   I1  the function is one `return` of an expression (or one expression, called as a statement), not recursive,
 *       assigned nowhere, and assigns none of its parameters
 *   I2  an argument is an expression without effects; one that is used more than once is a name or a number
 *   I3  where the function itself has effects (calls, assignments), each argument is a number or a local name, so that
 *       no effect comes between the argument and its use
 *   I4  no name that the function uses is declared inside any function (the bundler's output has none that hides another)
 *
 * Reference for the costs: docs/cost-model.md.
 */
import type { AnyNode, CallExpression, Expression, FunctionDeclaration, Identifier, Program } from 'acorn';
import { ancestor, simple } from 'acorn-walk';
import { boundBy } from '../scopes.ts';
import { runPasses, type Stage, type Unit } from './pass.ts';

/** Characters of an expression, in the bundler's long names, that may stand in several places. */
const manyPlacesCharacters = 90;
/** And in one. */
const onePlaceCharacters = 400;
/** Functions that call small functions become small themselves: so many rounds at most. */
const mostRounds = 6;

interface Candidate {
  name: string;
  parameters: string[];
  body: Expression;
  /** True for one expression statement: its value is not used. */
  asStatement: boolean;
  pure: boolean;
}

/** Inlines the device code's functions until no call is left that can be. */
export function inlineFunctions(stage: Stage): Stage {
  let current = stage;
  for (let round = 0; round < mostRounds; round++) {
    const next = runPasses(current, [inlineRound]);
    if (next === current) break;
    current = next;
  }
  return current;
}

function inlineRound({ program, text, isDevice }: Unit): undefined {
  const code = text.original;
  const innerNames = namesOfInnerScopes(program);
  const candidates = findCandidates(program, isDevice, innerNames);
  const calls = findCalls(program, candidates);
  const taken: AnyNode[] = [];
  for (const { call, isStatement } of calls) {
    const candidate = candidates.get((call.callee as Identifier).name)!;
    // Innermost first would replace text twice: one call of a nest a round.
    if (taken.some((other) => call.start < other.end && other.start < call.end)) continue;
    const places = calls.filter(({ call: { callee } }) => (callee as Identifier).name === candidate.name).length;
    const characters = candidate.body.end - candidate.body.start;
    if (characters > (places === 1 ? onePlaceCharacters : manyPlacesCharacters)) continue;
    if (candidate.asStatement && !isStatement) continue;
    const expression = substituted(code, candidate, call, innerNames);
    if (expression === undefined) continue;
    text.update(call.start, call.end, `(${expression})`);
    taken.push(call);
  }
}

/** Names that any function or block declares for itself. */
function namesOfInnerScopes(program: Program): Set<string> {
  const names = new Set<string>();
  const outer = new Set<AnyNode>(program.body);
  simple(program, {
    VariableDeclaration(node) {
      if (outer.has(node)) return;
      for (const { id } of node.declarations) for (const { name } of boundBy(id)) names.add(name);
    },
    Function(node) {
      for (const parameter of node.params) for (const { name } of boundBy(parameter)) names.add(name);
      if (node.id && !outer.has(node as FunctionDeclaration)) names.add(node.id.name);
    },
    CatchClause({ param }) {
      if (param) for (const { name } of boundBy(param)) names.add(name);
    },
  });
  return names;
}

function findCandidates(
  program: Program,
  isDevice: (node: AnyNode) => boolean,
  innerNames: ReadonlySet<string>,
): Map<string, Candidate> {
  const candidates = new Map<string, Candidate>();
  for (const node of program.body) {
    if (node.type !== 'FunctionDeclaration' || !isDevice(node)) continue;
    const [statement] = node.body.body;
    if (node.body.body.length !== 1 || !statement) continue;
    const body =
      statement.type === 'ReturnStatement'
        ? statement.argument
        : statement.type === 'ExpressionStatement'
          ? statement.expression
          : undefined;
    if (!body || !node.params.every((parameter) => parameter.type === 'Identifier')) continue;
    const parameters = node.params.map((parameter) => (parameter as Identifier).name);
    const { effects, names, assigned, hasFunction } = contentsOf(body);
    const recursive = names.has(node.id.name);
    const captured = [...names].some((name) => !parameters.includes(name) && innerNames.has(name));
    if (recursive || captured || hasFunction || parameters.some((name) => assigned.has(name))) continue;
    const asStatement = statement.type === 'ExpressionStatement';
    candidates.set(node.id.name, { name: node.id.name, parameters, body, asStatement, pure: !effects });
  }
  simple(program, {
    AssignmentExpression({ left }) {
      if (left.type === 'Identifier') candidates.delete(left.name);
    },
  });
  return candidates;
}

function contentsOf(body: AnyNode): {
  effects: boolean;
  hasFunction: boolean;
  names: Set<string>;
  assigned: Set<string>;
} {
  const names = new Set<string>();
  const assigned = new Set<string>();
  let effects = false;
  let hasFunction = false;
  const effect = (): void => {
    effects = true;
  };
  const assignment = (target: AnyNode): void => {
    effects = true;
    if (target.type === 'Identifier') assigned.add(target.name);
  };
  simple(body, {
    Identifier: ({ name }) => void names.add(name),
    CallExpression: effect,
    NewExpression: effect,
    AwaitExpression: effect,
    TaggedTemplateExpression: effect,
    AssignmentExpression: ({ left }) => assignment(left),
    UpdateExpression: ({ argument }) => assignment(argument),
    UnaryExpression({ operator }) {
      if (operator === 'delete') effects = true;
    },
    ThisExpression() {
      hasFunction = true;
    },
    Function() {
      hasFunction = true;
    },
  });
  return { effects, hasFunction, names, assigned };
}

function findCalls(
  program: Program,
  candidates: ReadonlyMap<string, Candidate>,
): { call: CallExpression; isStatement: boolean }[] {
  const calls: { call: CallExpression; isStatement: boolean }[] = [];
  ancestor(program, {
    CallExpression(call, _, ancestors) {
      const { callee } = call;
      if (callee.type !== 'Identifier') return;
      const candidate = candidates.get(callee.name);
      if (!candidate || call.arguments.length !== candidate.parameters.length) return;
      calls.push({ call, isStatement: ancestors.at(-2)?.type === 'ExpressionStatement' });
    },
  });
  return calls;
}

/** The function's expression with its arguments in place; undefined when I2 or I3 forbids it. */
function substituted(
  code: string,
  { parameters, body, pure }: Candidate,
  call: CallExpression,
  innerNames: ReadonlySet<string>,
): string | undefined {
  const uses: Identifier[] = [];
  simple(body, {
    Identifier(node) {
      if (parameters.includes(node.name)) uses.push(node);
    },
  });
  const replacement = new Map<string, string>();
  for (const [index, parameter] of parameters.entries()) {
    const argument = call.arguments[index]!;
    const simpleValue = argument.type === 'Literal' || argument.type === 'Identifier';
    if (argument.type === 'SpreadElement' || contentsOf(argument).effects || contentsOf(argument).hasFunction)
      return undefined;
    const isLocal = argument.type === 'Literal' || (argument.type === 'Identifier' && innerNames.has(argument.name));
    if (!pure && !isLocal) return undefined;
    if (!simpleValue && uses.filter(({ name }) => name === parameter).length > 1) return undefined;
    const written = code.slice(argument.start, argument.end);
    replacement.set(parameter, simpleValue ? written : `(${written})`);
  }
  let expression = '';
  let from = body.start;
  for (const use of uses.sort((a, b) => a.start - b.start)) {
    expression += code.slice(from, use.start) + replacement.get(use.name)!;
    from = use.end;
  }
  return expression + code.slice(from, body.end);
}
