/** The text of a program's entry file, and the Problems of one that is none. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type BuildFailure, type Loader, transform } from 'esbuild';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { bundleProblem } from './bundle-problem.ts';

export const loaderOf = (path: string): Loader => (path.endsWith('.ts') ? 'ts' : 'js');

/** The file's text. A Problem when it cannot be read, or holds something else than UTF-8. */
export async function readProgram(path: string): Promise<string> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw bundleProblem(error as NodeJS.ErrnoException, path);
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    const at = firstOdd(bytes);
    const place = `line ${bytes.subarray(0, at).filter((byte) => byte === 0x0a).length + 1}`;
    const what = isUtf16
      ? 'it is UTF-16'
      : `byte 0x${bytes[at]!.toString(16)} at offset ${at}, in ${place}, is none of UTF-8`;
    throw new Problem(
      exitCodes.badInput,
      `${path} is no text in UTF-8`,
      [what],
      'Give the path of a program, and save it as UTF-8.',
    );
  }
}

/** Offset of the first byte that no UTF-8 text has there. */
function firstOdd(bytes: Uint8Array): number {
  let low = 0;
  let high = bytes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isUtf8Start(bytes.subarray(0, middle + 1))) low = middle + 1;
    else high = middle;
  }
  return characterStart(bytes, low);
}

/** Where the character begins that is broken off at `at`. */
function characterStart(bytes: Uint8Array, at: number): number {
  for (let start = at - 1; start >= Math.max(0, at - 3); start--) {
    if (bytes[start]! >= 0xc0) return start;
    if (bytes[start]! < 0x80) break;
  }
  return at;
}

/** Whether it may go on as UTF-8: a character that is cut is no fault yet. */
function isUtf8Start(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** A Problem with file and line when the program does not parse: what is wrong with it whatever the board. */
export async function checkSyntax(entry: string): Promise<void> {
  try {
    const loader = loaderOf(entry);
    await transform(await readProgram(entry), { loader, sourcefile: basename(entry), logLevel: 'silent' });
  } catch (error) {
    throw bundleProblem(error as BuildFailure, entry);
  }
}
