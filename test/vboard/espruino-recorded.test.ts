// The virtual Espruino answers as the real one answered: sessions recorded from its Linux build (fixtures/espruino-repl.json).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { openSession } from './support.ts';

interface Recorded {
  /** What was sent, milliseconds waited, what came: latin1. */
  sessions: { name: string; steps: [string, number, string][] }[];
}

const { sessions } = JSON.parse(
  readFileSync(join(packageRoot, 'test/fixtures/espruino-repl.json'), 'utf8'),
) as Recorded;

const body = "a function's own text is instrumented, so its body is not shown";
const noSeparators = 'Espruino runs one statement behind another without a separator between them';
const places = 'V8 and Espruino stand at different tokens when they give up';
/** Where the model is known to say something else, and why. */
const known: Readonly<Record<string, string>> = {
  'function f(){}\n': body,
  'f\n': body,
  'class A{m(){}}\n': body,
  'A\n': body,
  'z=8\n': places,
  '(function(){throw new TypeError("t")})()\n': 'the trace names one place, not every call',
  'a b\n': noSeparators,
  '1 2\n': noSeparators,
  'ab cd\u0017\n': noSeparators,
  '\u001b[1;5D\n': noSeparators,
  'typeof console\n': 'objects of native functions are objects here',
  'typeof E\n': 'objects of native functions are objects here',
  'E.toArrayBuffer("ab")\n': 'not modelled',
  '({"a b":1,2:3})\n': "V8's order: numbers first",
  'JSON.parse("{")\n': places,
  'arguments\n': 'not told apart from other names',
  'new Function("return 5")()\n': 'programs make no code from text here',
  'a.b.c=1\n': places,
  '\u001b[B': 'the empty line below the history',
  '\u00e9\n': 'V8 takes it for a letter',
  '1+\\\n': places,
};

test.each(sessions)('$name', async ({ steps }) => {
  const board = await openSession('pico_r1_3');
  const differences: object[] = [];
  for (const [sent, waitMs, real] of steps) {
    const ours = await board.send(sent, Math.max(waitMs, 400));
    if (ours !== real && known[sent] === undefined) differences.push({ sent, real, ours });
  }
  expect(differences).toEqual([]);
});
