/**
 * Files that commands write. A path that cannot be written is a Problem with the system's reason, and what was written
 * of it is the system's to say: nothing here is atomic.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { exitCodes, Problem } from '../boards/problem.ts';

/** The Problem of an output that takes nothing; `advice` says what else can be given. */
export function cannotWrite(path: string, error: unknown, advice: string): Problem {
  const { code, message } = error as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    ENOENT: 'its folder does not exist',
    EISDIR: 'it is a folder, not a file',
    ENOTDIR: 'a part of the path is a file, not a folder',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EROFS: 'the file system is read-only',
    ENOSPC: 'no space left on device',
  };
  return new Problem(exitCodes.badInput, `${path} cannot be written`, [reasons[code ?? ''] ?? message], advice);
}

/** Writes a file whole. A Problem when it cannot be; `option` is how the command line names the path. */
export function writeOutput(path: string, content: string | Uint8Array, option: string): void {
  try {
    writeFileSync(path, content);
  } catch (error) {
    throw cannotWrite(path, error, `Give another ${option}.`);
  }
}

/** Makes the folder and those above it. One at a time: Node's own recursion never ends in a file system such as /proc. */
export function makeFolder(path: string, option: string): void {
  if (existsSync(path)) return;
  const parent = dirname(resolve(path));
  if (parent !== resolve(path)) makeFolder(parent, option);
  try {
    mkdirSync(path);
  } catch (error) {
    throw cannotWrite(path, error, `Give another ${option}.`);
  }
}
