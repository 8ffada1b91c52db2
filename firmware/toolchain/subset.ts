/**
 * The subset check: parses the text that will be flashed and refuses what the board's engine lacks, with line and column
 * of the user's source and what to write instead.
 *
 * Both engines fail late and unclearly: Espruino runs source text and stops at the character, in the middle of a run;
 * JerryScript refuses the whole program at boot, when the previous one is already gone.
 *
 * Errors are what cannot run. Warnings run, but not as the language says.
 * References: builtins.ts; Espruino src/jsparse.c, src/jsutils.h (SAVE_ON_FLASH); JerryScript 2.4.0.
 */
import { type AnyNode, type Program, parse } from 'acorn';
import { ancestor } from 'acorn-walk';
import type { Board } from '../../boards/board.ts';
import { exitCodes, Problem } from '../../boards/problem.ts';
import * as builtins from './builtins.ts';
import { blockShadows, capturesLoopVariable, declaredNames, definedProperties } from './scopes.ts';
import { type RawSourceMap, SourceMap } from './source-map.ts';

export interface Finding {
  severity: 'error' | 'warning';
  /** The user's file; lines and columns start at 1. */
  file: string;
  line: number;
  column: number;
  /** What was found: `default arguments`. */
  what: string;
  instead: string;
}

interface Found {
  node: AnyNode;
  what: string;
  instead: string;
  severity?: 'warning';
}

/** What of a program the board's engine cannot run, in the order of the source. */
export function checkSubset(program: { code: string; map: RawSourceMap }, board: Board): Finding[] {
  const map = new SourceMap(program.map);
  const place = (line: number, column: number) => {
    const origin = map.trace(line, column);
    return origin
      ? { file: origin.source, line: origin.line + 1, column: origin.column + 1 }
      : { file: 'the bundle', line: line + 1, column: column + 1 };
  };
  // Kaluma parses programs as strict code; Espruino knows no strict mode.
  const prefix = board.engine === 'kaluma' ? "'use strict';" : '';
  const own = (line: number, column: number) =>
    place(line - 1, line === 1 ? Math.max(0, column - prefix.length) : column);
  let tree: Program;
  try {
    tree = parse(prefix + program.code, { ecmaVersion: 'latest', sourceType: 'script', locations: true });
  } catch (error) {
    const { loc, message } = error as SyntaxError & { loc: { line: number; column: number } };
    const what = message.replace(/ \(\d+:\d+\)$/, '');
    return [{ severity: 'error', ...own(loc.line, loc.column), what, instead: 'what the language allows' }];
  }
  const findings = findIn(tree, board).map(({ node, what, instead, severity = 'error' as const }): Finding => {
    const { line, column } = node.loc!.start;
    return { severity, ...own(line, column), what, instead };
  });
  const unique = new Map(findings.map((f) => [`${f.file}:${f.line}:${f.column}:${f.what}`, f]));
  return [...unique.values()].sort(
    (a, b) => a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column || a.what.localeCompare(b.what),
  );
}

/** The Problem that refuses a program, null when nothing in it is an error. */
export function subsetProblem(findings: readonly Finding[], board: Board): Problem | null {
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return null;
  const shown = errors.slice(0, 20).map(findingText);
  if (errors.length > shown.length) shown.push(`and ${errors.length - shown.length} more`);
  const engine = board.engine === 'espruino' ? 'Espruino' : 'Kaluma (JerryScript)';
  return new Problem(
    exitCodes.unsupported,
    `the program uses what ${engine} on ${board.id} lacks`,
    shown,
    'Nothing was sent to the board. Change the places named.',
  );
}

export function findingText({ file, line, column, what, instead }: Finding): string {
  return `${file}:${line}:${column}: ${what}; write ${instead}`;
}

function findIn(tree: Program, board: Board): Found[] {
  const found: Found[] = [];
  const small = !board.features.modernSyntax;
  const syntax = board.engine === 'espruino' ? espruinoSyntax : kalumaSyntax;
  const missing = missingBuiltins(board);
  const declared = declaredNames(tree);
  const defined = definedProperties(tree);
  ancestor(tree, {
    // acorn-walk calls this for every node, patterns included.
    ...everyNode((node, ancestors) => {
      const rule = syntax(node);
      if (rule) found.push({ node: placeOf(node), ...rule });
      if (small) {
        const smallRule = smallSyntax(node);
        if (smallRule) found.push({ node, ...smallRule });
      }
      found.push(...builtinUses(node, ancestors, missing, declared, defined));
    }),
  });
  if (small) {
    for (const node of blockShadows(tree))
      found.push({
        node,
        what: 'a let that hides another of its function',
        instead: 'another name: blocks have no scope here',
      });
  }
  if (board.engine === 'espruino') {
    for (const node of capturesLoopVariable(tree))
      found.push({
        node,
        what: 'a function that keeps the loop variable: the loop has one for all its rounds',
        instead: 'a function that takes it as an argument',
        severity: 'warning',
      });
  }
  return found;
}

/** Source maps know where names are, not where dots are. */
const placeOf = (node: AnyNode): AnyNode =>
  node.type === 'RestElement' || node.type === 'SpreadElement' ? node.argument : node;

const nodeTypes = [
  ...[
    'AssignmentPattern',
    'RestElement',
    'SpreadElement',
    'ObjectPattern',
    'ArrayPattern',
    'Property',
    'ChainExpression',
  ],
  ...['BinaryExpression', 'AssignmentExpression', 'LabeledStatement', 'Function', 'AwaitExpression', 'ForOfStatement'],
  ...[
    'TaggedTemplateExpression',
    'PrivateIdentifier',
    'PropertyDefinition',
    'MethodDefinition',
    'StaticBlock',
    'Literal',
  ],
  ...['ImportExpression', 'WithStatement', 'ArrowFunctionExpression', 'TemplateLiteral', 'Class'],
  ...['MemberExpression', 'Identifier'],
] as const;

/** The same visitor for every type of node that a rule looks at. */
function everyNode(visit: (node: AnyNode, ancestors: readonly AnyNode[]) => void) {
  return Object.fromEntries(
    nodeTypes.map((type) => [type, (node: AnyNode, _state: unknown, ancestors: AnyNode[]) => visit(node, ancestors)]),
  );
}

type Rule = { what: string; instead: string } | undefined;

function bothSyntax(node: AnyNode): Rule {
  switch (node.type) {
    case 'ChainExpression':
      return { what: '?.', instead: 'a test: a && a.b' };
    case 'AssignmentExpression':
      return /^(\?\?|\|\||&&)=$/.test(node.operator)
        ? { what: node.operator, instead: 'the assignment in full: a = a || b' }
        : undefined;
    case 'PropertyDefinition':
    case 'MethodDefinition':
      return node.key.type === 'PrivateIdentifier'
        ? { what: 'a private member', instead: 'a name that begins with _' }
        : undefined;
    case 'StaticBlock':
      return { what: 'a static block', instead: 'the statements after the class' };
    case 'ImportExpression':
      return { what: 'import()', instead: 'require() of a module the board has' };
    default:
      return undefined;
  }
}

function kalumaSyntax(node: AnyNode): Rule {
  if (node.type === 'Literal' && node.regex && /\(\?<[A-Za-z]/.test(node.regex.pattern))
    return { what: 'a named group', instead: 'a numbered group' };
  return bothSyntax(node);
}

function espruinoSyntax(node: AnyNode): Rule {
  switch (node.type) {
    case 'AssignmentPattern':
      return { what: 'a default value', instead: 'if (x === undefined) x = ...' };
    case 'RestElement':
      return { what: 'a rest parameter', instead: 'arguments' };
    case 'SpreadElement':
      return { what: 'spread', instead: 'concat, apply or a loop' };
    case 'ObjectPattern':
    case 'ArrayPattern':
      return { what: 'destructuring', instead: 'a line for each variable' };
    case 'Property':
    case 'MethodDefinition':
    case 'PropertyDefinition':
      return node.computed ? { what: 'a computed key', instead: 'object[key] = value' } : bothSyntax(node);
    case 'BinaryExpression':
      return node.operator === '**' ? { what: '**', instead: 'Math.pow' } : undefined;
    case 'AssignmentExpression':
      return node.operator === '**=' ? { what: '**=', instead: 'Math.pow' } : bothSyntax(node);
    case 'LabeledStatement':
      return { what: 'a label', instead: 'a function that returns' };
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      if (node.generator) return { what: 'a generator', instead: 'a function that is called again' };
      return node.async ? { what: 'an async function', instead: 'then()' } : undefined;
    case 'ForOfStatement':
      return node.await ? { what: 'for await', instead: 'then()' } : undefined;
    case 'TaggedTemplateExpression':
      return { what: 'a tagged template', instead: 'a call' };
    case 'WithStatement':
      return { what: 'with', instead: 'a variable' };
    case 'Literal':
      return node.bigint ? { what: 'a BigInt', instead: 'two 32-bit integers' } : undefined;
    default:
      return bothSyntax(node);
  }
}

/** What boards built SAVE_ON_FLASH lack besides. */
function smallSyntax(node: AnyNode): Rule {
  switch (node.type) {
    case 'ArrowFunctionExpression':
      return { what: 'an arrow function', instead: 'function' };
    case 'TemplateLiteral':
      return { what: 'a template literal', instead: '+' };
    case 'ClassDeclaration':
    case 'ClassExpression':
      return { what: 'a class', instead: 'a function and its prototype' };
    case 'Property':
      if (node.kind !== 'init') return { what: 'a getter or setter', instead: 'a function' };
      if (node.method) return { what: 'a method', instead: 'name: function' };
      return node.shorthand && node.value.type === 'Identifier'
        ? { what: 'a shorthand property', instead: 'name: name' }
        : undefined;
    case 'Literal':
      return node.regex ? { what: 'a regular expression', instead: 'indexOf and split' } : undefined;
    default:
      return undefined;
  }
}

interface Missing {
  globals: ReadonlySet<string>;
  methods: ReadonlySet<string>;
  /** Whether `object.name` is absent although `object` is a builtin that is there. */
  lacksStatic: (object: string, name: string) => boolean;
}

function missingBuiltins(board: Board): Missing {
  const within = (table: Readonly<Record<string, readonly string[]>>, object: string): readonly string[] =>
    Object.hasOwn(table, object) ? table[object]! : [];
  if (board.engine === 'kaluma')
    return {
      globals: new Set(builtins.kalumaLacksGlobals),
      methods: new Set(builtins.kalumaLacksMethods),
      lacksStatic: (object, name) => within(builtins.kalumaLacksStatics, object).includes(name),
    };
  const small = !board.features.modernSyntax;
  return {
    globals: new Set([...builtins.espruinoLacksGlobals, ...(small ? builtins.espruinoSmallLacksGlobals : [])]),
    methods: new Set([...builtins.espruinoLacksMethods, ...(small ? builtins.espruinoSmallLacksMethods : [])]),
    lacksStatic: (object, name) =>
      (Object.hasOwn(builtins.espruinoStatics, object) && !within(builtins.espruinoStatics, object).includes(name)) ||
      (small && within(builtins.espruinoSmallLacksStatics, object).includes(name)) ||
      (/Array$/.test(object) && ['BYTES_PER_ELEMENT', 'from', 'of'].includes(name)),
  };
}

const insteadOf = (name: string): string =>
  Object.hasOwn(builtins.instead, name) ? builtins.instead[name]! : 'code of your own for it';

function builtinUses(
  node: AnyNode,
  ancestors: readonly AnyNode[],
  missing: Missing,
  declared: ReadonlySet<string>,
  defined: ReadonlySet<string>,
): Found[] {
  if (node.type === 'Identifier') {
    if (!missing.globals.has(node.name) || declared.has(node.name)) return [];
    const parent = ancestors.at(-2);
    if (parent?.type === 'UnaryExpression' && parent.operator === 'typeof') return [];
    return [{ node, what: node.name, instead: insteadOf(node.name) }];
  }
  if (node.type !== 'MemberExpression' || node.computed || node.property.type !== 'Identifier') return [];
  const { name } = node.property;
  const { object } = node;
  if (object.type === 'Identifier' && !declared.has(object.name) && missing.lacksStatic(object.name, name))
    return [{ node, what: `${object.name}.${name}`, instead: insteadOf(name) }];
  const parent = ancestors.at(-2);
  const called = parent?.type === 'CallExpression' && parent.callee === node;
  if (called && missing.methods.has(name) && !defined.has(name))
    return [{ node: node.property, what: `.${name}()`, instead: insteadOf(name) }];
  return [];
}
