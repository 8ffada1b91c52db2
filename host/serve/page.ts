/** The page as it was built: one file with everything in it, for a server or for a disk. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ExitCode, exitCodes, Problem } from '../../boards/problem.ts';
import { packageRoot } from '../../boards/root.ts';
import type { Io } from '../command.ts';
import { writeOutput } from '../output-file.ts';

export const pagePath = join(packageRoot, 'dist', 'heapglass.html');

/** Marks the page as served by a monitor: it then asks for boards instead of offering to connect one. */
const AT_REST = '<html lang="en" data-live="no">';
const LIVE = '<html lang="en" data-live="yes">';

function readPage(): string {
  try {
    return readFileSync(pagePath, 'utf8');
  } catch (error) {
    throw new Problem(
      exitCodes.missing,
      'the page of Heapglass is not built',
      [(error as Error).message],
      'Run `npm run build`.',
    );
  }
}

/** The page for a monitor's own address, and its Content-Security-Policy. */
export function livePage(): { html: string; policy: string } {
  const html = readPage();
  const [, policy = "default-src 'none'"] = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html) ?? [];
  return { html: html.replace(AT_REST, LIVE), policy: `${policy}; frame-ancestors 'none'` };
}

/** `monitor --page FILE`: the page for a disk or any web server; it speaks to boards by Web Serial and opens recordings. */
export function writePage(path: string, io: Io): ExitCode {
  const html = readPage();
  writeOutput(path, html, '--page');
  io.out(`${path}\n`);
  return exitCodes.done;
}
