/** What a program threw, as an outcome: its words, and its lines from V8's stack of the program's own texts. */
import type { Outcome } from './engine.ts';

/** `fileName`: the text that was run; `files`: all that ever were. */
export function failureOf(error: unknown, fileName: string, files: ReadonlySet<string>): Outcome {
  if (error === null || (typeof error !== 'object' && typeof error !== 'function'))
    return { kind: 'error', name: '', message: textOf(error), line: null };
  const { name, message, stack } = error as Error;
  // Both engines end a program that recurses too deeply; neither lets it see an error.
  if (name === 'RangeError' && message === 'Maximum call stack size exceeded') return { kind: 'outOfMemory' };
  const syntax = / \((\d+):(\d+)\)$/.exec(String(message));
  if (syntax) {
    const [place, line, column] = syntax;
    return {
      kind: 'error',
      name: String(name),
      message: String(message).slice(0, -place.length),
      line: Number(line),
      column: Number(column) + 1,
    };
  }
  const own = new RegExp(`${escapeText(fileName)}:(\\d+)`).exec(String(stack));
  // What is thrown need not be an Error.
  const isError = name !== undefined || message !== undefined;
  return {
    kind: 'error',
    name: isError ? String(name) : '',
    message: isError ? String(message) : String(Object.prototype.toString.call(error)),
    line: own ? Number(own[1]) : null,
    lines: linesOf(String(stack), files),
  };
}

/** A value as a REPL would print it. */
export function textOf(value: unknown): string {
  try {
    return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
  } catch {
    return '[object]';
  }
}

/** Where the program was, from the frames of its own texts. */
function linesOf(stack: string, files: ReadonlySet<string>): number[] {
  const names = [...files].map(escapeText).join('|');
  const frames = stack.matchAll(new RegExp(`^ +at (?:.* \\()?(?:${names}):(\\d+):\\d+\\)?$`, 'gm'));
  return [...frames].map(([, line]) => Number(line));
}

const escapeText = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
