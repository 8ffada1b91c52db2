/** What is wrong with a program, with file, line and column: whether the bundler says so, or the parser behind it. */
import { type AnyNode, type Program, parse } from 'acorn';
import { simple } from 'acorn-walk';
import type { BuildFailure, Message } from 'esbuild';
import { cannotRead, exitCodes, Problem } from '../../boards/problem.ts';
import { childrenOf, isFunction } from './nodes.ts';
import type { Stage } from './passes/pass.ts';

const advice = 'Mend the program. Modules of the board itself are taken with require("name").';

/** The Problem for what the bundler, or reading the entry, threw. */
export function bundleProblem(error: BuildFailure | NodeJS.ErrnoException, entry: string): Problem {
  if (!('errors' in error) || !Array.isArray(error.errors)) {
    return cannotRead(entry, error, 'Give the path of a .js or .ts program.');
  }
  return cannotBundle(entry, error.errors.map(placed));
}

export const cannotBundle = (entry: string, facts: readonly string[]): Problem =>
  new Problem(exitCodes.badInput, `cannot bundle ${entry}`, facts, advice);

/** `app.js:2:7: Unexpected "="`, in words for a program of a board. */
export function placed({ text, location }: Message): string {
  const words = text
    .replace(
      / cannot be used with the "esm" output format due to strict mode/,
      ': not allowed, programs are strict code',
    )
    .replace(/"[^"]*firmware[\\/]src[\\/]index\.ts"/, '"heapglass"');
  return location ? `${location.file}:${location.line}:${location.column + 1}: ${words}` : words;
}

/**
 * Refuses what the bundler lets through and no engine can read: a regular expression that is wrong, `return` outside of
 * functions, decorators; and what is for modules alone, because what is flashed is none.
 */
export function checkParses(stage: Stage, sourceType: 'module' | 'script', entry: string): void {
  const refused = ({ line, column }: { line: number; column: number }, what: string): Problem => {
    const origin = stage.map.trace(line - 1, column);
    const place = origin ? `${origin.source}:${origin.line + 1}:${origin.column + 1}: ` : '';
    return cannotBundle(entry, [`${place}${what}`]);
  };
  let program: Program;
  try {
    program = parse(stage.code, { ecmaVersion: 'latest', sourceType, locations: true });
  } catch (error) {
    const { loc, pos, message } = error as SyntaxError & { loc: { line: number; column: number }; pos: number };
    const isAwait = /\bawait\s*$/.test(stage.code.slice(0, pos));
    throw refused(loc, isAwait ? awaitOutside : message.replace(/ \(\d+:\d+\)$/, ''));
  }
  const visit = (node: AnyNode): void => {
    if (node.type === 'AwaitExpression') throw refused(node.loc!.start, awaitOutside);
    for (const child of childrenOf(node)) if (!isFunction(child)) visit(child);
  };
  visit(program);
  simple(program, {
    MetaProperty({ loc, meta }) {
      if (meta.name === 'import') throw refused(loc!.start, 'import.meta: what is flashed is no module');
    },
  });
}

const awaitOutside = 'await outside of a function: write then()';
