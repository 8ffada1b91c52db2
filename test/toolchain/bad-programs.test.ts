// Bad programs: each is refused before anything is sent to a board, with its exit code, the place in the user's file, the
// fact and something to do; and programs that only look bad are bundled. A stack trace is the answer to none.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { prepareProgram } from '../../host/flash/prepare.ts';

const folder = mkdtempSync(join(tmpdir(), 'heapglass-bad-'));
const files = {
  'a.js': "import { b } from './b.js';\nexport const a = () => b() + 1;\n",
  'b.js': "import { a } from './a.js';\nexport const b = () => a() + 1;\n",
  'data.json': '{ "a": 1 }',
  'bad.json': '{ "a": 1, }',
  'syntax.js': 'let a = ;\n',
  'picture.png': Buffer.from([0x89, 0x50, 0x4e, 0x47]),
  'deep.js': 'export function f() {\n  return class { #x = 1; };\n}\n',
};
for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
mkdirSync(join(folder, 'folder'));
const heap = "import { createHeap } from 'heapglass';\n";

let programs = 0;

/** What flashing the program says. */
async function refusal(text: string | Buffer, board: string): Promise<Problem | null> {
  const entry = join(folder, `app${++programs}.js`);
  writeFileSync(entry, text);
  try {
    await prepareProgram(entry, loadBoard(board), {});
    return null;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

const { badInput, tooBig, unsupported } = exitCodes;

/** `app7.js:2:7` as `app:2:7`: what is said, in one line. */
const said = ({ message, facts }: Problem): string =>
  [message.replace(folder, ''), ...facts].join(' | ').replaceAll(/\bapp\d+\.js/g, 'app');

describe('is refused, with its place', () => {
  test.each([
    ['an = too many', 'puckjs', 'let a = 1;\nlet = = 2;\n', badInput, 'app:2:7: Unexpected "="'],
    ['a block without an end', 'puckjs', 'function f() {\n  if (1) {\n', badInput, 'app:3:1: Unexpected end of file'],
    ['a string without an end', 'puckjs', 'var a = "abc\n;', badInput, 'app:1:13: Unterminated string'],
    ['a template without an end', 'puckjs', 'var a = `abc\n', badInput, 'app:2:1: Unterminated'],
    ['a comment without an end', 'puckjs', '/* abc\n', badInput, 'app:2:1: Expected "*/"'],
    ['a stray brace', 'kaluma-pico', '}\n', badInput, 'app:1:1: Unexpected "}"'],
    ['a page of HTML', 'puckjs', '<!doctype html>\n', badInput, 'app:1:1: '],
    ['Python', 'kaluma-pico', 'def f():\n  return 1\n', badInput, 'app:1:5: '],
    ['JSON', 'puckjs', '{ "a": 1, "b": 2 }\n', badInput, 'app:1:6: '],
    ['types in a .js', 'puckjs', 'var a: number = 1;\n', badInput, 'app:1:6: '],
    ['JSX', 'puckjs', 'print(<a/>);\n', badInput, 'app:1:7: '],
    ['a decorator', 'puckjs', '@a class B {}\n', badInput, 'app:1:1: Unexpected character'],
    [
      'a regular expression that is wrong',
      'kaluma-pico',
      'print(/(/.test("a"));\n',
      badInput,
      'app:1:7: Invalid regular expression',
    ],
    ['an empty file', 'puckjs', '', badInput, 'the program is empty'],
    ['blanks alone', 'puckjs', ' \n\t\n', badInput, 'the program is empty'],
    ['a comment alone', 'kaluma-pico', '// nothing\n', badInput, 'the program is empty'],
    [
      'an ELF file',
      'puckjs',
      Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1, 1, 0x80, 0xff]),
      badInput,
      'no text in UTF-8 | byte 0x80 at offset 6, in line 1',
    ],
    ['UTF-16', 'puckjs', Buffer.from('\ufeffprint(1);\n', 'utf16le'), badInput, 'no text in UTF-8 | it is UTF-16'],
    [
      'Latin-1',
      'puckjs',
      Buffer.from('print(1);\nvar \u00e9 = 1;', 'latin1'),
      badInput,
      'byte 0xe9 at offset 14, in line 2',
    ],
    ['an error behind CRLF', 'puckjs', 'var a = 1;\r\nlet = = 2;\r\n', badInput, 'app:2:7: '],
    ['an error behind CR', 'puckjs', 'var a = 1;\rlet = = 2;\r', badInput, 'app:2:7: '],
    ['an error behind tabs', 'puckjs', '\tvar a = 1;\n\t\tlet = = 2;\n', badInput, 'app:2:9: '],
    [
      'an import that is not there',
      'puckjs',
      "import { a } from './nowhere.js';\na();\n",
      badInput,
      'app:1:19: Could not resolve "./nowhere.js"',
    ],
    [
      'a require that is not there',
      'puckjs',
      "const x = require('./nowhere.js');\n",
      badInput,
      'app:1:19: Could not resolve "./nowhere.js"',
    ],
    [
      'a name that a module does not export',
      'puckjs',
      "import { nothing } from './a.js';\nprint(nothing);\n",
      badInput,
      'app:1:10: No matching export in "a.js" for import "nothing"',
    ],
    [
      'a name that heapglass does not export',
      'puckjs',
      "import { makeHeap } from 'heapglass';\nmakeHeap();\n",
      badInput,
      'app:1:10: No matching export in "heapglass" for import "makeHeap"',
    ],
    [
      'the same by a namespace',
      'puckjs',
      "import * as h from 'heapglass';\nh.nothing();\n",
      badInput,
      'app:2:3: Import "nothing" will always be undefined',
    ],
    [
      'a module of Node',
      'puckjs',
      "import fs from 'fs';\nfs.readFileSync('x');\n",
      badInput,
      'app:1:16: "fs" is a module of Node',
    ],
    [
      'a module of Node by its prefix',
      'kaluma-pico',
      "import { readFileSync } from 'node:fs';\nreadFileSync('x');\n",
      badInput,
      'app:1:30: "node:fs" is a module of Node',
    ],
    [
      'a package that is not installed',
      'puckjs',
      "import _ from 'lodash';\nprint(_);\n",
      badInput,
      'app:1:15: Could not resolve "lodash"',
    ],
    [
      'a module of the network',
      'puckjs',
      "import a from 'https://x.org/a.js';\nprint(a);\n",
      badInput,
      'app:1:15: "https://x.org/a.js" is no file',
    ],
    [
      'a folder',
      'puckjs',
      "import x from './folder';\nprint(x);\n",
      badInput,
      'app:1:15: Could not resolve "./folder"',
    ],
    [
      'a picture',
      'puckjs',
      "import x from './picture.png';\nprint(x);\n",
      badInput,
      'app:1:15: No loader is configured',
    ],
    ['JSON with a comma too many', 'puckjs', "import x from './bad.json';\nprint(x.a);\n", badInput, 'bad.json:1:9: '],
    [
      'an error in an imported file',
      'puckjs',
      "import { a } from './syntax.js';\nprint(a);\n",
      badInput,
      'syntax.js:1:9: Unexpected ";"',
    ],
    [
      'await at the top level of a script',
      'puckjs',
      'print(1);\nawait print(2);\n',
      badInput,
      'app:2:1: await outside of a function',
    ],
    [
      'await at the top level of a module',
      'kaluma-pico',
      `${heap}const h = createHeap({ bytes: 99 });\nawait h;\n`,
      badInput,
      'app:3:1: await outside of a function',
    ],
    ['return at the top level', 'puckjs', 'return 1;\n', badInput, "app:1:1: 'return' outside of function"],
    ['import.meta', 'puckjs', 'print(import.meta.url);\n', badInput, 'app:1:7: import.meta'],
    ['two exports of a name', 'puckjs', 'export const a = 1;\nexport { a };\n', badInput, 'app:2:10: Multiple exports'],
    [
      'two variables of a name',
      'kaluma-pico',
      'let a = 1;\nlet a = 2;\n',
      badInput,
      'app:2:5: The symbol "a" has already been declared',
    ],
    ['an assignment to a constant', 'puckjs', 'const a = 1;\na = 2;\n', badInput, 'app:2:1: Cannot assign to "a"'],
    [
      'with',
      'kaluma-pico',
      'with (Math) print(PI);\n',
      badInput,
      'app:1:1: With statements: not allowed, programs are strict code',
    ],
    [
      'a policy that is not there',
      'puckjs',
      `${heap}export const h = createHeap({ bytes: 99, policy: 'malloc' });\n`,
      badInput,
      'asks for a policy "malloc"',
    ],
    [
      'a private member',
      'puckjs',
      'class A { #x = 1; }\nnew A();\n',
      unsupported,
      'app:1:11: a private member; write a name that begins with _',
    ],
    [
      'one in an imported file',
      'puckjs',
      "import { f } from './deep.js';\nf();\n",
      unsupported,
      'deep.js:2:18: a private member',
    ],
    ['a class on a small board', 'microbit1', 'class A {}\nnew A();\n', unsupported, 'app:1:1: a class; write'],
    ['a generator', 'puckjs', 'function* g() { yield 1; }\ng();\n', unsupported, 'app:1:1: a generator; write'],
    [
      'an async function',
      'puckjs',
      'async function f() {}\nf();\n',
      unsupported,
      'app:1:1: an async function; write then()',
    ],
    [
      'a getter on a small board',
      'microbit1',
      'var o = { get a() { return 1; } };\nprint(o.a);\n',
      unsupported,
      'app:1:11: a getter or setter; write',
    ],
    [
      'a regular expression on a small board',
      'microbit1',
      'print(/a/.test("a"));\n',
      unsupported,
      'app:1:7: a regular expression; write',
    ],
    ['a named group', 'kaluma-pico', 'print(/(?<y>a)/.test("a"));\n', unsupported, 'app:1:7: a named group; write'],
    ['a label', 'puckjs', 'a: for (;;) break a;\n', unsupported, 'app:1:1: a label; write'],
    ['a tagged template', 'puckjs', 'print`a`;\n', unsupported, 'app:1:1: a tagged template; write a call'],
    ['a BigInt', 'puckjs', 'print(1n);\n', unsupported, 'app:1:7: a BigInt; write'],
    ['destructuring', 'puckjs', 'const { a } = { a: 1 };\nprint(a);\n', unsupported, 'app:1:7: destructuring; write'],
    ['a global of the other engine', 'kaluma-pico', 'E.getBattery();\n', unsupported, 'app:1:1: E; write'],
    ['the other way round', 'puckjs', 'print(micros());\n', unsupported, 'app:1:7: micros; write getTime() * 1e6'],
    ['a static that is not there', 'kaluma-pico', 'process.exit(1);\n', unsupported, 'app:1:1: process.exit; write'],
    [
      'an arena larger than the board',
      'puckjs',
      `${heap}export const h = createHeap({ bytes: 100000 });\n`,
      tooBig,
      'does not fit the memory of puckjs | of 2630 variables',
    ],
    [
      'text larger than the board',
      'microbit1',
      `print("${'x'.repeat(9000)}");`,
      tooBig,
      'larger than the code area of microbit1 | it is 9011 bytes',
    ],
  ] as [string, string, string | Buffer, number, string][])('%s', async (_, board, text, exitCode, expected) => {
    const problem = await refusal(text, board);
    expect(problem, 'it is not refused').not.toBeNull();
    expect(said(problem!)).toContain(expected);
    expect(problem!.exitCode).toBe(exitCode);
    expect(problem!.advice).toMatch(/^[A-Z].*\.$/s);
  });
});

describe('is bundled', () => {
  test.each([
    ['a byte order mark', 'puckjs', '\ufeffprint(1);\n'],
    ['CRLF and tabs', 'puckjs', '\tvar a = 1;\r\n\tprint(a);\r\n'],
    ['a line for a shell', 'puckjs', '#!/usr/bin/env node\nprint(1);\n'],
    ['the same in a module', 'kaluma-pico', `#!/usr/bin/env node\n${heap}print(createHeap({ bytes: 99 }));\n`],
    ['letters of other scripts', 'kaluma-pico', 'var größe = 1;\nprint(größe);\n'],
    ['JSON', 'puckjs', "import x from './data.json';\nprint(x.a);\n"],
    ['modules that import each other', 'puckjs', "import { a } from './a.js';\nprint(a);\n"],
    ['a default export', 'puckjs', 'export default function () { return 1; }\n'],
    ['what another module exports', 'puckjs', "export * from './a.js';\n"],
  ])('%s', async (_, board, text) => {
    const problem = await refusal(text, board);
    expect(problem && said(problem)).toBeNull();
  });
});
