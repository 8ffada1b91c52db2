// Forms of the language (test/fixtures/syntax-forms.json): what a real engine refuses its model refuses, in the same words
// for what the language lacks; what it takes the model takes. Known differences are listed, and must be ones.
import { expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { errorText } from '../../sim/board/espruino/error-texts.ts';
import { errorLines } from '../../sim/board/kaluma/error-texts.ts';
import { createEngine } from '../../sim/engine/create.ts';
import { forms } from '../fixtures/syntax-forms.json' with { type: 'json' };

const boards = { kaluma: 'kaluma-pico', espruino: 'pico_r1_3' } as const;
type EngineName = keyof typeof boards;

/** Accepted by one and refused by the other; the machine's timers are none of the bare engine's. */
const knownDifferences: Readonly<Record<EngineName, readonly string[]>> = {
  kaluma: [
    'new Function("return 1")();',
    'setTimeout(function () {}, 1);',
    'if (1) function f() {}',
    'decodeURIComponent("%");',
  ],
  espruino: [
    'class A { m() { return super.toString(); } } new A().m();',
    'String.raw`a\\n`;',
    '/(?<n>a)/.exec("a").groups.n;',
    'try { throw { m: 1 }; } catch ({ m }) { m; }',
    'new Function("return 1")();',
    'setTimeout(function () {}, 1);',
    'var π = 1; π;',
    'var of = 1;',
    '<!-- html comment\n1;',
    'let a = 1; let a = 2;',
    '1 +',
    '\\u0061 = 1;',
    'function f() { "use strict"; x = 1; } f();',
    '(1).toFixed(101);',
    'for (var x of {}) x;',
    'decodeURIComponent("%");',
    'new RegExp("(");',
    'class A { constructor() {} } A();',
    '"a" in "b";',
  ],
};

const answers = new Map<string, string | null>();

/** Each form is run once an engine. */
function said(engine: EngineName, source: string): string | null {
  const key = `${engine} ${source}`;
  if (!answers.has(key)) answers.set(key, run(engine, source));
  return answers.get(key) ?? null;
}

function run(engine: EngineName, source: string): string | null {
  const outcome = createEngine(loadBoard(boards[engine])).run(source, 'program.js');
  if (outcome.kind !== 'error') return null;
  if (engine === 'kaluma') return errorLines(outcome, source, false)[0]!.replace(/ \[.*\]$/, '');
  return errorText(outcome, source.split('\n')[(outcome.line ?? 1) - 1] ?? '').text;
}

test.each(['kaluma', 'espruino'] as const)('%s: takes and refuses what the real engine does', (engine) => {
  const differing = forms.filter((form) => (form[engine] === null) !== (said(engine, form.source) === null));
  expect(differing.map(({ source }) => source)).toEqual(
    forms.map(({ source }) => source).filter((source) => knownDifferences[engine].includes(source)),
  );
});

test.each([
  ['kaluma', 0.88],
  ['espruino', 0.8],
] as const)('%s: refuses in the words of the real engine', (engine, share) => {
  const refused = forms.filter((form) => form[engine] !== null && said(engine, form.source) !== null);
  const same = refused.filter((form) => form[engine] === said(engine, form.source));
  for (const form of refused)
    if (!same.includes(form)) console.info(engine, form.source, '|', form[engine], '|', said(engine, form.source));
  console.info(`${engine}: the same words for ${same.length} of ${refused.length} refused forms`);
  expect(same.length / refused.length).toBeGreaterThan(share);
});

test('what Espruino does not know does no harm where it is not reached', () => {
  const engine = createEngine(loadBoard('pico_r1_3'));
  const source = 'function never() { var { a } = {}; return a ** 2; } if (0) { var [b] = [1]; } var ok = 7; ok';
  expect(engine.run(source, 'a.js')).toMatchObject({ kind: 'value', value: 7 });
  expect(engine.run('try { never(); } catch (e) { e.message; }', 'b.js')).toMatchObject({ kind: 'value' });
  expect(engine.run('never()', 'c.js')).toMatchObject({ kind: 'error', name: 'ReferenceError' });
});
