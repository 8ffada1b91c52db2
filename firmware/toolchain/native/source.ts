/**
 * Stage 1, parse: a policy's file and what it imports become one text (esbuild strips the types and resolves the
 * imports) and one tree (acorn), with a way back from any position to the file, line and column it was written at.
 */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, relative, resolve } from 'node:path';
import { type Program, parse } from 'acorn';
import { buildSync } from 'esbuild';
import { exitCodes, Problem } from '../../../boards/problem.ts';
import { packageRoot } from '../../../boards/root.ts';

export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

export interface Source {
  readonly program: Program;
  /** Where a position of the parsed text was written. */
  locate(at: number): Place;
  /** A line of a source file as it was written, '' when there is none. */
  lineText(file: string, line: number): string;
}

/** Modules whose functions, views and constants the compiler knows itself. */
const KNOWN_MODULES = ['*/arena.ts', '*/bits.ts', '*/checks.ts'];

/**
 * Parses the module at `path` with everything it imports, but for what the compiler knows itself. `contents` stands in
 * for what the file holds; positions still name the file.
 */
export function readSource(path: string, contents?: string): Source {
  const absolute = resolve(path);
  let text: string;
  let map: string;
  try {
    const built = buildSync({
      ...(contents === undefined
        ? { entryPoints: [absolute] }
        : { stdin: { contents, resolveDir: dirname(absolute), sourcefile: absolute, loader: 'ts' as const } }),
      absWorkingDir: packageRoot,
      outdir: packageRoot,
      bundle: true,
      write: false,
      format: 'esm',
      target: 'es2022',
      sourcemap: 'external',
      external: KNOWN_MODULES,
      charset: 'utf8',
      logLevel: 'silent',
    });
    map = built.outputFiles.find((file) => file.path.endsWith('.map'))!.text;
    text = built.outputFiles.find((file) => !file.path.endsWith('.map'))!.text;
  } catch (error) {
    const errors = (error as { errors?: { text: string; location?: { file: string; line: number; column: number } }[] })
      .errors;
    const facts = errors?.map(({ text, location }) =>
      location ? `${location.file}:${location.line}:${location.column + 1}: ${text}` : text,
    ) ?? [String(error)];
    throw new Problem(
      exitCodes.badInput,
      `${relative(process.cwd(), absolute)} cannot be read as a module`,
      facts,
      'Give a TypeScript or JavaScript module in the native subset; docs/native.md states it.',
    );
  }
  const sourceMap = new SourceMap(JSON.parse(map));
  const lineStarts = startsOfLines(text);
  const lines = new Map<string, string[]>();
  return {
    program: parse(text, { ecmaVersion: 2022, sourceType: 'module' }),
    locate(at) {
      const { line, column } = positionOf(lineStarts, at);
      const entry = sourceMap.findEntry(line - 1, column - 1);
      if (!('originalSource' in entry)) return { file: relative(packageRoot, absolute), line: 1, column: 1 };
      return {
        file: relative(packageRoot, resolve(packageRoot, entry.originalSource)),
        line: entry.originalLine + 1,
        column: entry.originalColumn + 1,
      };
    },
    lineText(file, line) {
      if (!lines.has(file)) lines.set(file, readFileSync(resolve(packageRoot, file), 'utf8').split('\n'));
      return lines.get(file)![line - 1] ?? '';
    },
  };
}

/** Parses plain JavaScript given as text, for tests and generated programs. */
export function parseSource(text: string, file = 'text.js'): Source {
  const lineStarts = startsOfLines(text);
  let program: Program;
  try {
    program = parse(text, { ecmaVersion: 2022, sourceType: 'module' });
  } catch (error) {
    throw new Problem(exitCodes.badInput, `${file} is not JavaScript`, [(error as Error).message], 'Correct the text.');
  }
  return {
    program,
    locate: (at) => ({ file, ...positionOf(lineStarts, at) }),
    lineText: (_, line) => text.split('\n')[line - 1] ?? '',
  };
}

function startsOfLines(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function positionOf(lineStarts: readonly number[], at: number): { line: number; column: number } {
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (lineStarts[middle]! <= at) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: at - lineStarts[low]! + 1 };
}
