// A program sees only what its board has: the known escapes from node:vm, and the interruption that nothing swallows.
import { expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { createEngine } from '../../sim/engine/create.ts';

const boards = ['kaluma-pico', 'pico_r1_3'] as const;

const engineOf = (id: string, cycleBudget = 50_000_000) =>
  createEngine(
    loadBoard(id),
    {
      hostCall: (...args: unknown[]) => args[0],
      record: {
        inner: { value: 1, list: [1, 2], bytes: new Uint8Array([1, 2]) },
        fails: () => {
          throw new Error('of the host');
        },
      },
      gives: () => ({ list: [{ deep: () => 1 }] }),
    },
    { cycleBudget },
  );

const escapes: Record<string, string> = {
  'the global object': 'this.constructor.constructor("return process")()',
  'a host function': 'hostCall.constructor("return process")()',
  'a host function twice': 'hostCall.constructor.constructor("return process")()',
  'a host record': 'record.constructor.constructor("return process")()',
  'a nested host value': 'record.inner.list.constructor.constructor("return process")()',
  'host bytes': 'record.inner.bytes.constructor.constructor("return process")()',
  'what a host function gives': 'gives().list[0].deep.constructor("return process")()',
  'what a host function throws': 'try { record.fails() } catch (e) { e.constructor.constructor("return process")() }',
  'arguments of a callback': '(function () { return arguments.constructor.constructor("return process")() })()',
  'the stack of an exhausted host call':
    'var r; function f() { try { f() } catch (e) {} try { hostCall(1) } catch (e) { r = e.constructor.constructor("return process")() } } f(); r',
  eval: 'eval("process")',
  'an indirect eval': '(0, eval)("process")',
  'a timer of text': 'new Function("return process")()',
  'a generator function': 'Object.getPrototypeOf(function* () {}).constructor("return process")()',
  'dynamic import': 'import("node:fs")',
  'the machinery': 'ǂk = 1e9',
  'the machinery by eval': 'eval("ǂk = 1e9")',
  'the prelude': 'globalThis["ǂstart"]()',
  'a call site': 'Error.prepareStackTrace = (e, s) => s; new Error().stack[0].getThis().process.exit',
};

test.each(boards)('%s: no host object by the known escapes', (id) => {
  for (const [what, source] of Object.entries(escapes)) {
    const outcome = engineOf(id).run(source, 'escape.js');
    const isOurs =
      outcome.kind === 'value' &&
      (outcome.value === process || typeof (outcome.value as { pid?: number })?.pid === 'number');
    expect({
      what,
      isOurs,
      kind: outcome.kind === 'value' && outcome.value !== undefined ? 'value' : 'refused',
    }).toEqual({
      what,
      isOurs: false,
      kind: 'refused',
    });
  }
});

test.each(boards)('%s: `global` is the world of the program, none of the host', (id) => {
  expect(engineOf(id).run('[global === globalThis, typeof global.process]', 'a.js')).toMatchObject({
    value: [true, 'undefined'],
  });
});

test.each(boards)('%s: process, require, console and the like do not exist', (id) => {
  for (const name of ['process', 'require', 'module', 'console', 'WebAssembly', 'Buffer', 'fetch', 'setImmediate'])
    expect([name, engineOf(id).run(`typeof ${name}`, 'a.js')]).toEqual([
      name,
      { kind: 'value', value: 'undefined', text: 'undefined' },
    ]);
});

const endless: Record<string, string> = {
  while: 'while (true) {}',
  for: 'for (;;);',
  do: 'do {} while (1)',
  'a loop that catches': 'while (true) try { while (true) {} } catch (e) {}',
  'a catch without a name': 'while (true) try { while (true) {} } catch { }',
  'a finally that continues': 'while (true) try { while (true) {} } finally { continue }',
  'a finally that returns': '(function f() { try { while (true) {} } finally { return f() } })()',
  recursion: 'function f() { f() } while (true) try { f() } catch (e) {}',
  'a promise chain': 'function f() { return Promise.resolve().then(f) } f()',
  'a callback': '[1].forEach(function g(x, i, a) { while (true) {} })',
  eval: 'while (true) eval("1")',
};

test.each(boards)('%s: an endless program ends at its budget, whatever it catches', (id) => {
  for (const [what, source] of Object.entries(endless)) {
    const engine = engineOf(id, 5_000_000);
    const { kind } = engine.run(source, 'endless.js');
    if (what === 'a promise chain') expect(['interrupted', 'value']).toContain(kind);
    else expect([what, ['interrupted', 'outOfMemory'].includes(kind)]).toEqual([what, true]);
    // The engine lives on.
    expect(engine.run('1 + 1', 'after.js')).toEqual({ kind: 'value', value: 2, text: '2' });
  }
});

test('an error names the line of the program', () => {
  expect(engineOf('kaluma-pico').run('var a = 1;\n\nnull.x;\n', 'p.js')).toMatchObject({
    kind: 'error',
    name: 'TypeError',
    line: 3,
  });
  expect(engineOf('kaluma-pico').run('var a = 1;\nvar = 2', 'p.js')).toMatchObject({
    kind: 'error',
    name: 'SyntaxError',
    line: 2,
  });
});
