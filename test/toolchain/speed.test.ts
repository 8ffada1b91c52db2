// The passes that make device code cheaper to interpret: what they write, and that it costs less and does the same.
// test/toolchain/differential.test.ts holds whole bundles to their sources.
import vm from 'node:vm';
import { parse } from 'acorn';
import { describe, expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { hotnessOf } from '../../firmware/toolchain/passes/hotness.ts';
import { runPasses, type Stage } from '../../firmware/toolchain/passes/pass.ts';
import { SourceMap } from '../../firmware/toolchain/source-map.ts';
import { speedPasses } from '../../firmware/toolchain/speed.ts';
import { measureCall } from '../../sim/engine/call.ts';

/** A text whose lines are the allocator's but for those that belong to the program. */
function stageOf(code: string, programLines: readonly number[] = []): Stage {
  const lines = code
    .split('\n')
    .map((_, line): [[number, number, number, number]] => [[0, programLines.includes(line) ? 1 : 0, line, 0]]);
  const sources = ['heapglass/src/policies/test.ts', 'app.js'];
  return { code, map: new SourceMap({ sources, mappings: lines }) };
}

const sped = (code: string, engine: 'espruino' | 'kaluma', programLines: readonly number[] = []): string =>
  runPasses(stageOf(code, programLines), speedPasses[engine]).code;

const allocator = `var u16 = new Uint16Array(64);
var rare = 0;
function seldom() { return rare; }
function step(at) { return u16[at] + u16[at + 1]; }
function malloc(size) { let sum = 0; for (let i = 0; i < 8; i++) { let next = step(i); sum = sum + next + u16[i]; } return sum + size; }
function free(at) { return malloc(at) - step(at); }
`;
const program = `${allocator}global.run = function (n) { var sum = 0; for (var i = 0; i < n; i++) sum += malloc(i) + free(1); return sum + seldom(); };
`;

test('hotness: what a loop repeats, and what the calls of the heap reach, is looked up most', () => {
  const hotness = hotnessOf(parse(allocator, { ecmaVersion: 2022, locations: true }), () => true);
  const order = ['u16', 'step', 'malloc', 'rare'].map((name) => hotness.ofName(name));
  expect(order).toEqual([...order].sort((a, b) => b - a));
  expect(hotness.ofName('nothing')).toBe(0);
});

describe('Kaluma', () => {
  test('the names stand at the head of one closure, those found first at the end', () => {
    const [head, list] = sped(program, 'kaluma').split('\n');
    expect(head).toBe('(() => {');
    expect(list).toBe('var seldom, rare, free, malloc, step, u16;');
  });

  test('a view that a function looks up often lies in a register', () => {
    const code = sped(program, 'kaluma');
    expect(code).toMatch(/function malloc\(size\) \{let u16InRegister = u16;.*u16InRegister\[i\]/);
    expect(code).toMatch(/function step\(at\) \{ return u16\[at\]/);
  });

  test('names that no inner function uses, and patterns, stay as they are', () => {
    const code = sped(
      'var a = 1, b;\nvar [c] = [2];\nlet d = 3;\nfunction f() { return d; }\nglobal.x = a + f();\n',
      'kaluma',
    );
    expect(code).toContain('var d;\n');
    expect(code).toContain('var a = 1, b;');
    expect(code).toContain('var [c] = [2];');
    expect(code).toContain('\nd = 3;');
  });

  test('variables that a function keeps for inner ones are ordered too', () => {
    const source = `function make(size) { let bytes = size, b2 = 0; let d = 0, e = 1; function malloc() { b2++; d++; for (;;) d += bytes + e; } return malloc; }
global.x = make;
`;
    expect(sped(source, 'kaluma')).toContain(
      'function make(size) {var b2, bytes, e, d;\n bytes = size, b2 = 0; d = 0, e = 1;',
    );
  });
});

describe('Espruino', () => {
  test('functions and plain variables come first, the hottest at the top; effects keep their order', () => {
    const lines = sped(`${allocator}print(1);\nvar made = malloc(2);\nprint(made);\n`, 'espruino').split('\n');
    const names = lines.map((line) => /^(?:var|function) (\w+)/.exec(line)?.[1] ?? line);
    expect(names).toEqual(['u16', 'step', 'malloc', 'rare', 'seldom', 'free', 'print(1);', 'made', 'print(made);', '']);
  });

  test('a variable of the program stays behind what may have changed it', () => {
    const code = sped('function f() { x = 5; }\nf();\nvar x = 0;\nglobal.x = x;\n', 'espruino', [0, 1, 2, 3]);
    expect(code.indexOf('f();')).toBeLessThan(code.indexOf('var x'));
  });

  test('let becomes var where the two mean the same, and only there', () => {
    const code = sped(program, 'espruino');
    expect(code).toContain('var i = 0; while (i < 8) { var next = step(i);');
    const kept = (text: string): void => expect(sped(text, 'espruino')).toContain(text.trim());
    kept('function f() { while (1) { let x; x = 1; } }');
    kept('function f() { let x = 1; return () => x; }');
    expect(sped('function f() { let x = 1; { let x = 2; } return x; }', 'espruino')).toContain('{ let x = 2; }');
    expect(sped(program, 'espruino', [4])).toContain('let next = step(i)');
  });
});

test.each(['kaluma-pico', 'puckjs'])('on %s it costs less, and gives the same', (id) => {
  const board = loadBoard(id);
  const code = sped(program, board.engine).replaceAll('global.', 'globalThis.');
  const plain = `${board.engine === 'kaluma' ? `(() => {${program}})();` : program}`.replaceAll(
    'global.',
    'globalThis.',
  );
  const run = (source: string) => measureCall(board, { source, fileName: 'x.js' }, 'run(5)');
  expect(run(code).value).toBe(run(plain).value);
  expect(run(code).value).toBe(vm.runInNewContext(`${plain}\nrun(5)`));
  expect(run(code).cycles).toBeLessThan(run(plain).cycles * 0.95);
});
