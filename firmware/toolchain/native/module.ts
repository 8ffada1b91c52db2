/**
 * Stage 2a, the module: its functions, constants and imports, and which functions become routines of their own.
 *
 * An exported function is a routine. Another one is put into its callers where it is called once, is small, or is
 * marked `@inline`; `@routine` in its comment makes it a routine.
 */
import type { Expression, FunctionDeclaration, Identifier, Node, Pattern } from 'acorn';
import { full } from 'acorn-walk';
import { exitCodes, Problem } from '../../../boards/problem.ts';
import type { Source } from './source.ts';

export interface SubsetFunction {
  readonly name: string;
  readonly node: FunctionDeclaration;
  readonly parameters: readonly string[];
  readonly isRoutine: boolean;
}

export type Known = { kind: 'view'; width: 1 | 2 | 4 } | { kind: 'highestBit' } | { kind: 'lowestBit' };

export interface ModuleOptions {
  /** What `CHECKS` of checks.ts is: whether policies hold against a second place what they could believe. */
  readonly checks: boolean;
}

export interface SubsetModule {
  readonly source: Source;
  readonly functions: ReadonlyMap<string, SubsetFunction>;
  /** Exported name -> local name. */
  readonly exports: ReadonlyMap<string, string>;
  readonly constants: ReadonlyMap<string, Expression>;
  readonly known: ReadonlyMap<string, Known>;
}

/** Functions below this many syntax nodes cost less inside their caller than as a call. */
const SMALL_NODES = 40;
/** The base and four parameters travel in registers. */
const MAX_ROUTINE_PARAMETERS = 4;

const knownNames: Record<string, Known> = {
  u8: { kind: 'view', width: 1 },
  u16: { kind: 'view', width: 2 },
  u32: { kind: 'view', width: 4 },
  highestBit: { kind: 'highestBit' },
  lowestBit: { kind: 'lowestBit' },
};

/** What the program uses beyond the subset, with its place. */
export function subsetProblem(source: Source, at: number, problem: string, advice?: string): Problem {
  const { file, line, column } = source.locate(at);
  return new Problem(
    exitCodes.unsupported,
    `${file}:${line}:${column}: ${problem}`,
    [source.lineText(file, line).trim()],
    advice ??
      'Write it in the native subset (32-bit integers, functions, if, loops, the arena); docs/native.md states it.',
  );
}

export function readModule(source: Source, { checks }: ModuleOptions): SubsetModule {
  const functions = new Map<string, { node: FunctionDeclaration; parameters: string[] }>();
  const exports = new Map<string, string>();
  const constants = new Map<string, Expression>();
  const known = new Map<string, Known>();

  const declare = (node: Node): void => {
    if (node.type === 'FunctionDeclaration') {
      const declaration = node as FunctionDeclaration;
      if (declaration.async || declaration.generator) {
        throw subsetProblem(source, node.start, 'a generator or async function is outside the native subset');
      }
      const parameters = declaration.params.map((param) => identifierName(source, param));
      functions.set(declaration.id.name, { node: declaration, parameters });
      return;
    }
    if (node.type === 'VariableDeclaration') {
      const declaration = node as import('acorn').VariableDeclaration;
      for (const { id, init } of declaration.declarations) {
        if (declaration.kind === 'let' || !init) {
          throw subsetProblem(
            source,
            node.start,
            'a variable outside a function is outside the native subset',
            'Keep state in the arena.',
          );
        }
        constants.set(identifierName(source, id), init);
      }
      return;
    }
    throw subsetProblem(source, node.start, `${node.type} is outside the native subset`);
  };

  for (const node of source.program.body) {
    if (node.type === 'ImportDeclaration') {
      for (const specifier of node.specifiers) {
        const imported = specifier.type === 'ImportSpecifier' ? (specifier.imported as Identifier).name : '';
        if (imported === 'CHECKS') {
          const { start, end } = specifier;
          constants.set(specifier.local.name, { type: 'Literal', value: checks ? 1 : 0, start, end });
          continue;
        }
        const meaning = Object.hasOwn(knownNames, imported) ? knownNames[imported] : undefined;
        if (!meaning) throw subsetProblem(source, specifier.start, `the import ${specifier.local.name} is not known`);
        known.set(specifier.local.name, meaning);
      }
    } else if (node.type === 'ExportNamedDeclaration') {
      for (const { exported, local } of node.specifiers) {
        exports.set((exported as Identifier).name, (local as Identifier).name);
      }
      if (node.declaration) {
        declare(node.declaration);
        if (node.declaration.type === 'FunctionDeclaration') {
          exports.set(node.declaration.id.name, node.declaration.id.name);
        }
      }
    } else if (node.type !== 'EmptyStatement') declare(node);
  }

  const calls = new Map<string, number>();
  full(source.program, (node) => {
    if (node.type !== 'CallExpression') return;
    const callee = (node as import('acorn').CallExpression).callee;
    if (callee.type === 'Identifier') calls.set(callee.name, (calls.get(callee.name) ?? 0) + 1);
  });

  const exported = new Set(exports.values());
  return {
    source,
    exports,
    constants,
    known,
    functions: new Map(
      [...functions].map(([name, { node, parameters }]) => {
        const mark = markOf(source, node.start);
        let nodes = 0;
        full(node, () => nodes++);
        const worthwhile = (calls.get(name) ?? 0) > 1 && nodes > SMALL_NODES;
        const isRoutine =
          parameters.length <= MAX_ROUTINE_PARAMETERS &&
          mark !== 'inline' &&
          (mark === 'routine' || exported.has(name) || worthwhile);
        return [name, { name, node, parameters, isRoutine }];
      }),
    ),
  };
}

function identifierName(source: Source, pattern: Pattern): string {
  if (pattern.type !== 'Identifier')
    throw subsetProblem(source, pattern.start, `${pattern.type} is outside the native subset`);
  return pattern.name;
}

/** `@inline` or `@routine` in the comment right above a declaration. */
function markOf(source: Source, at: number): 'inline' | 'routine' | null {
  const { file, line } = source.locate(at);
  let text = '';
  for (let above = line - 1; above > 0; above--) {
    const written = source.lineText(file, above).trim();
    if (!/^(\/\*\*|\*|\/\/)/.test(written)) break;
    text += written;
  }
  if (text.includes('@inline')) return 'inline';
  return text.includes('@routine') ? 'routine' : null;
}
