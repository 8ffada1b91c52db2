/**
 * The subset check: parses the text that will be flashed and refuses what the board's engine lacks, with line and column
 * of the user's source and what to write instead.
 *
 * Both engines fail late and unclearly: Espruino runs source text and stops at the character, in the middle of a run;
 * JerryScript refuses the whole program at boot, when the previous one is already gone.
 *
 * Errors are what cannot run. Warnings run, but not as the language says.
 * The rules are subset-syntax.ts and subset-builtins.ts.
 */
import { type AnyNode, type Program, parse } from 'acorn';
import { ancestor } from 'acorn-walk';
import type { Board } from '../../boards/board.ts';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { blockShadows, capturesLoopVariable, declaredNames, definedProperties } from './scopes.ts';
import { type RawSourceMap, SourceMap } from './source-map.ts';
import { builtinUses, missingBuiltins } from './subset-builtins.ts';
import { espruinoSyntax, kalumaSyntax, smallSyntax } from './subset-syntax.ts';

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
