// The subset check: each thing an engine lacks is refused at its place in the user's source; what it has is not.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { policyNames } from '../../firmware/src/policies/index.ts';
import * as builtins from '../../firmware/toolchain/builtins.ts';
import { bundle } from '../../firmware/toolchain/bundle.ts';
import { checkSubset, type Finding, findingText, subsetProblem } from '../../firmware/toolchain/subset.ts';

const entry = join(mkdtempSync(join(tmpdir(), 'heapglass-subset-')), 'app.js');

async function findingsOf(source: string, id: string): Promise<Finding[]> {
  const board = loadBoard(id);
  return checkSubset(await bundle({ entry, source, board, telemetry: 'off' }), board);
}

/** One line of source, as the only thing on its line, and what must be said about it. */
type Case = [source: string, what: string];

async function expectRefused([source, what]: Case, id: string): Promise<void> {
  const findings = await findingsOf(`var before = 1;\n${source}\nvar after = 2;\n`, id);
  const found = findings.find((finding) => finding.what === what);
  expect(found, `${source} gave ${findings.map(findingText).join('; ') || 'nothing'}`).toBeDefined();
  expect(found!.line).toBe(2);
  expect(found!.file).toBe('app.js');
}

const lackedByEspruino: Case[] = [
  ['function f(a = 1) { return a; }', 'a default value'],
  ['function f(...rest) { return rest; }', 'a rest parameter'],
  ['Math.max(...before);', 'spread'],
  ['var { length } = "abc";', 'destructuring'],
  ['var [one] = [before];', 'destructuring'],
  ['var o = { [before]: 1 };', 'a computed key'],
  ['outer: for (;;) for (;;) break outer;', 'a label'],
  ['function* g() { yield before; }', 'a generator'],
  ['async function g() { await before; }', 'an async function'],
  ['var t = print`a`;', 'a tagged template'],
  ['class A { #p = before; q() { return this.#p; } }', 'a private member'],
  ['var n = 10n;', 'a BigInt'],
  ['var m = new Map();', 'Map'],
  ['var s = Symbol("a");', 'Symbol'],
  ['performance.now();', 'performance'],
  ['print(Math.clz32(before));', 'Math.clz32'],
  ['print(Math.imul(before, 3));', 'Math.imul'],
  ['print(Number.isInteger(before));', 'Number.isInteger'],
  ['print(Array.from("abc"));', 'Array.from'],
  ['Object.freeze({});', 'Object.freeze'],
  ['print([1, 2].at(-1));', '.at()'],
  ['new Uint8Array(8).copyWithin(0, 4);', '.copyWithin()'],
  ['print(Uint32Array.BYTES_PER_ELEMENT);', 'Uint32Array.BYTES_PER_ELEMENT'],
];

const lackedBySmallBoards: Case[] = [
  ['class A { b() { return 1; } }', 'a class'],
  ['var o = { get a() { return 1; } };', 'a getter or setter'],
  ['print(/a/.test("a"));', 'a regular expression'],
  ['var d = new DataView(new ArrayBuffer(8));', 'DataView'],
  ['print(Promise.resolve(1));', 'Promise'],
  ['print(E.CRC32("a"));', 'E.CRC32'],
  ['print(Math.sqrt(2));', 'Math.sqrt'],
  ['new Uint8Array(8).fill(1);', '.fill()'],
];

const lackedByKaluma: Case[] = [
  ['class A { #p = before; q() { return this.#p; } }', 'a private member'],
  ['print(/(?<year>a)/.exec("a"));', 'a named group'],
  ['print([1, 2].at(-1));', '.at()'],
  ['var r = new WeakRef({});', 'WeakRef'],
  ['performance.now();', 'performance'],
  ['queueMicrotask(print);', 'queueMicrotask'],
  ['process.exit(1);', 'process.exit'],
  ['structuredClone({});', 'structuredClone'],
];

describe('refused on puckjs', () => {
  test.each(lackedByEspruino)('%s', (source, what) => expectRefused([source, what], 'puckjs'));
});

describe('refused on microbit1, which is built SAVE_ON_FLASH', () => {
  const untagged = lackedByEspruino.filter(([, what]) => what !== 'a tagged template');
  test.each([...lackedBySmallBoards, ...untagged])('%s', (source, what) => expectRefused([source, what], 'microbit1'));
  test.each(lackedBySmallBoards)('and not on puckjs: %s', async (source) => {
    expect(await findingsOf(source, 'puckjs')).toEqual([]);
  });
});

describe('refused on kaluma-pico', () => {
  test.each(lackedByKaluma)('%s', (source, what) => expectRefused([source, what], 'kaluma-pico'));
});

const understood: Record<string, string[]> = {
  puckjs: [
    'let a = 1; const b = () => a ?? 2; print(`b` + b());',
    'class A { static s = 1; q = 2; get r() { return this.q; } } class B extends A { constructor() { super(); } } print(new B());',
    'for (const x of [1, 2]) print(x); for (const k in { a: 1 }) print(k);',
    'var u = new Uint8Array(8); u.fill(1); u.set([1]); u.indexOf(1); u.subarray(1).slice(1).map((x) => x).reduce((a, b) => a + b);',
    'try { JSON.parse("{"); } catch { print("no"); }',
    'var o = { at() { return 1; } }; print(o.at());',
    'if (typeof Map !== "undefined") print("a map");',
    'var Map = function () {}; print(new Map());',
    'switch (1) { case 1: print(E.nativeCall); break; }',
  ],
  microbit1: [
    'var f = (x) => ({ x, y: `y` + x }); print(f(1)); var o = { m() { return 1; } }; print(o);',
    'for (let i = 0; i < 3; i++) print(i); for (let i = 0; i < 3; i++) print(i);',
  ],
  'kaluma-pico': [
    'const [a, ...b] = [1, 2, 3]; const { c = 4 } = {}; print(Math.max(...b), a, c, 2 ** 3);',
    'function* g() { yield 1; } async function h() { await g(); } h(); print(new Map([[1, 10n]]), new Proxy({}, {}));',
    'print(Math.clz32(1), Math.imul(2, 3), Array.from("ab"), new Uint8Array(8).copyWithin(0, 4));',
    'print(micros(), millis(), process.memoryUsage().heapUsed, new TextEncoder().encode("a"));',
  ],
};

describe.each(Object.keys(understood))('runs on %s', (id) => {
  test.each(understood[id]!)('%s', async (source) => {
    expect((await findingsOf(source, id)).map(findingText)).toEqual([]);
  });
});

test('a function that keeps a loop variable is a warning on Espruino, where the loop has only one', async () => {
  const source = 'var fs = [];\nfor (let i = 0; i < 3; i++) fs.push(() => i);\nprint(fs[0]());\n';
  const findings = await findingsOf(source, 'puckjs');
  expect(findings).toMatchObject([{ severity: 'warning', line: 2 }]);
  expect(subsetProblem(findings, loadBoard('puckjs'))).toBeNull();
  expect(await findingsOf(source, 'kaluma-pico')).toEqual([]);
});

test('the problem names every place, in the order of the source', async () => {
  const board = loadBoard('puckjs');
  const source =
    "import { createHeap } from 'heapglass';\nexport function f(a, ...b) {\n  return new Set([a, createHeap({ bytes: 99 }), ...b]);\n}\n";
  const problem = subsetProblem(checkSubset(await bundle({ entry, source, board }), board), board)!;
  expect(problem.exitCode).toBe(8);
  expect(problem.facts).toEqual([
    'app.js:2:25: a rest parameter; write arguments',
    'app.js:3:14: Set; write an object with true for each member',
    'app.js:3:52: spread; write concat, apply or a loop',
  ]);
});

test('a let that hides one of an outer block is refused where blocks have no scope', async () => {
  const source = 'function f() {\n  let a = print();\n  if (a) {\n    let a = 2;\n    print(a);\n  }\n  return a;\n}\n';
  const board = loadBoard('microbit1');
  const mappings = source
    .split('\n')
    .map((_, line) => (line === 0 ? 'AAAA' : 'AACA'))
    .join(';');
  const asWritten = { code: source, map: { version: 3, sources: ['app.js'], names: [], mappings } };
  expect(checkSubset(asWritten, board)).toMatchObject([{ line: 4, what: 'a let that hides another of its function' }]);
  // The minifier gives the inner one a name of its own.
  expect(await findingsOf(source, 'microbit1')).toEqual([]);
});

// Issue: "The bundle is parsed and refused if it uses what either engine lacks." Ours must never be.
// One board of each engine and build: the rest differ in numbers only.
describe.each(['puckjs', 'microbit1', 'kaluma-pico'])('the device code itself on %s', (id) => {
  test.each(policyNames)('%s', async (policy) => {
    const board = loadBoard(id);
    const source = "import { createHeap } from 'heapglass';\nexport const heap = createHeap({ bytes: 4096 });\n";
    const built = await bundle({ entry, source, board, policy, telemetry: 'events', keepMethods: 'all' });
    expect(checkSubset(built, board).map(findingText)).toEqual([]);
  });
});

test('there is a word on what to write for every name that an engine lacks', () => {
  const { espruinoLacksGlobals, espruinoLacksMethods, espruinoSmallLacksGlobals, espruinoSmallLacksMethods } = builtins;
  const { kalumaLacksGlobals, kalumaLacksMethods, espruinoSmallLacksStatics, kalumaLacksStatics } = builtins;
  const statics = [...Object.values(espruinoSmallLacksStatics), ...Object.values(kalumaLacksStatics)].flat();
  const espruino = [...espruinoLacksGlobals, ...espruinoLacksMethods, ...espruinoSmallLacksGlobals];
  const names = [...espruino, ...espruinoSmallLacksMethods, ...kalumaLacksGlobals, ...kalumaLacksMethods, ...statics];
  expect(names.filter((name) => !Object.hasOwn(builtins.instead, name))).toEqual([]);
});

test('on a small board the sensor that shifts its readings is told to splice', async () => {
  const [finding] = await findingsOf('var readings = [1];\nprint(readings.shift());\n', 'microbit1');
  expect(findingText(finding!)).toBe('app.js:2:16: .shift(); write splice(0, 1)[0]');
});
