// Every builtin that an engine has is there, and none that it lacks (sim/engine/builtins.json: asked of the engines).
import { expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import builtins from '../../sim/engine/builtins.json' with { type: 'json' };
import { measureCall } from '../../sim/engine/call.ts';
import { createEngine } from '../../sim/engine/create.ts';

const instances: Record<string, string> = {
  Array: '[1]',
  String: '"a"',
  Number: '(5)',
  Boolean: 'true',
  Object: '({})',
  Function: '(function () {})',
  RegExp: '/a/',
  Date: 'new Date()',
  Promise: 'Promise.resolve(1)',
  Map: 'new Map()',
  Set: 'new Set()',
  WeakMap: 'new WeakMap()',
  WeakSet: 'new WeakSet()',
  Symbol: 'Symbol()',
  BigInt: 'BigInt(1)',
  Error: 'new Error("x")',
  ArrayBuffer: 'new ArrayBuffer(4)',
  DataView: 'new DataView(new ArrayBuffer(4))',
  TypedArray: 'new Uint8Array(2)',
};

/** V8 does not let go of them, or reads them itself while it works. */
const kept =
  /^(RegExp\.prototype|Function\.prototype|Error\.prototype)\.|^Error\.stackTraceLimit$|^Number\.(M|EPSILON)|BYTES_PER_ELEMENT$/;
/** Given by the board, or (arrays of 24-bit elements) not to be had. */
const elsewhere = new Set(['globals.atob', 'globals.btoa', 'globals.Uint24Array']);

function expressionOf(owner: string, name: string): string {
  if (owner === 'globals') return `typeof ${name} !== 'undefined'`;
  if (owner.endsWith('.prototype')) return `(${instances[owner.slice(0, -'.prototype'.length)]}).${name} !== undefined`;
  return `typeof ${owner} !== 'undefined' && ${owner}.${name} !== undefined`;
}

test.each([
  ['kaluma', 'kaluma-pico'],
  ['espruino', 'pico_r1_3'],
] as const)('%s: the builtins of the real engine, and no other', (engine, boardId) => {
  const board = createEngine(loadBoard(boardId));
  const wrong: string[] = [];
  let asked = 0;
  for (const kind of ['has', 'lacks'] as const)
    for (const [owner, names] of Object.entries(builtins[engine][kind]))
      for (const name of names as string[]) {
        const path = `${owner}.${name}`;
        if (kept.test(path) || elsewhere.has(path)) continue;
        asked++;
        const outcome = board.run(expressionOf(owner, name), 'builtins.js');
        const isThere = outcome.kind === 'value' && outcome.value === true;
        if (isThere !== (kind === 'has')) wrong.push(`${kind} ${path}`);
      }
  expect(wrong).toEqual([]);
  expect(asked).toBeGreaterThan(450);
});

test.each(['kaluma-pico', 'pico_r1_3'])(
  '%s: a metered builtin is the builtin: name, length, this, no construction',
  (id) => {
    const engine = createEngine(loadBoard(id));
    const values: Record<string, unknown> = {
      '[].push.name + [].push.length': 'push1',
      'Math.max.call(null, 3, 9)': 9,
      '[3, 1, 2].map(String).join("")': '312',
      '[5, 1, 4].sort().join() + [5, 1, 10].sort(function (a, b) { return b - a; }).join()': '1,4,510,5,1',
      'var n = 0; try { new Math.max(); } catch (e) { n = 1; } n': 1,
      'Array.prototype.slice.call({ length: 2, 0: "a", 1: "b" }).length': 2,
      '"a-b-c".split("-").length + "abc".indexOf("c")': 5,
      'JSON.stringify({ a: [1, { b: "x" }] })': '{"a":[1,{"b":"x"}]}',
    };
    for (const [source, value] of Object.entries(values))
      expect([source, engine.run(source, 'a.js')]).toMatchObject([source, { kind: 'value', value }]);
  },
);

test('a fill costs what it goes through: its stretch on JerryScript, every element on Espruino', () => {
  const fill = (id: string, call: string): number =>
    measureCall(loadBoard(id), { source: 'var a = new Uint8Array(4096);', fileName: 'a.js' }, call).cycles;
  const whole = fill('kaluma-pico', 'a.fill(1)');
  for (const call of ['a.fill(1, 4088)', 'a.fill(1, -8)', 'a.fill(1, 8, 16)', 'a.fill(1, 0, -4088)'])
    expect(fill('kaluma-pico', call) / whole, call).toBeLessThan(1 / 50);
  expect(fill('kaluma-pico', 'a.fill(1, 4000, 16)') / whole).toBeLessThan(1 / 50);
  expect(fill('puckjs', 'a.fill(1, 0, 8)') / fill('puckjs', 'a.fill(1)')).toBeCloseTo(1, 2);
});

const functionTexts: Record<string, Record<string, string>> = {
  'kaluma-pico': {
    'String(function (a) { return a + 1; })': 'function(){/* ecmascript */}',
    'Math.max.toString()': 'function(){/* ecmascript */}',
  },
  pico_r1_3: {
    'String(function (a, b) { return a[0] + b; })': 'function (a,b) {return a[0] + b;}',
    '"" + ((x) => x + 1)': 'function (x) {return x + 1}',
    '(function () {}).toString()': 'function () {}',
    'var f = function (n) {\n while (n > 1) { if (n & 1) n--; else n /= 2; }\n}; f.toString()':
      'function (n) {while (n > 1) { if (n & 1) n--; else n /= 2; }}',
    'String((a)=>{ return a })': 'function (a) {return a }',
    'String((new (class { b() { return 1 } })()).b)': 'function () {return 1 }',
    'String({ m(x) {\n  x++;\n  return x;\n} }.m)': 'function (x) {\n  x++;\n  return x;\n}',
    'String(class { b() { return 1 } })': 'function () {}',
    'Math.max.toString()': 'function () { [native code] }',
  },
};

test.each(Object.keys(functionTexts))('%s: a function’s text is the engine’s, and nothing of the machinery', (id) => {
  const engine = createEngine(loadBoard(id));
  for (const [source, value] of Object.entries(functionTexts[id]!))
    expect([source, engine.run(source, 'a.js')]).toMatchObject([source, { kind: 'value', value }]);
});
