// The virtual Kaluma answers as the real one answered: sessions recorded from Kaluma 1.2.1 (fixtures/kaluma-repl.json).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { openKaluma } from './support.ts';

interface Recorded {
  /** What was sent, virtual milliseconds waited, what came: latin1. */
  sessions: { name: string; steps: [string, number, string][] }[];
}

const { sessions } = JSON.parse(readFileSync(join(packageRoot, 'test/fixtures/kaluma-repl.json'), 'utf8')) as Recorded;

const noPlace = "strict mode's refusals are V8's, which names no place";
const otherPlace = 'the parsers stand at different tokens when they give up';
/** Where the model is known to say something else, and why. */
const known: Readonly<Record<string, string>> = {
  'let\r': noPlace,
  '08\r': noPlace,
  'yield\r': noPlace,
  'with(a){}\r': noPlace,
  'delete x\r': noPlace,
  'eval=1\r': noPlace,
  'arguments=1\r': noPlace,
  'function f(a,a){}\r': noPlace,
  'for(;;\r': otherPlace,
  'class A{\r': otherPlace,
  'if(1)else\r': otherPlace,
  'do 1\r': otherPlace,
  'a#\r': otherPlace,
  'import.meta\r': otherPlace,
  'new.target\r': otherPlace,
  '/(?<n>a)/\r': 'named groups run on V8',
  'class R{static{}}\r': 'static blocks run on V8',
};

test.each(sessions)('$name', async ({ steps }) => {
  const board = await openKaluma();
  const differences: object[] = [];
  for (const [sent, waitMs, real] of steps) {
    const ours = await board.send(sent, waitMs);
    if (ours !== real && known[sent] === undefined) differences.push({ sent, real, ours });
  }
  expect(differences).toEqual([]);
});
