/** A Problem as people read it: on stderr, whether it ends the command or a round of it. */
import type { Problem } from '../boards/problem.ts';

export function problemText({ message, facts, advice }: Problem): string {
  return `heapglass: ${message}\n${facts.map((fact) => `  ${fact}\n`).join('')}${advice}\n`;
}
