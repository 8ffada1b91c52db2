// Each pass alone: what it writes, and what it must leave.
import { describe, expect, test } from 'vitest';
import { hoistLoads } from '../../firmware/toolchain/passes/hoist-loads.ts';
import { inlineSequences } from '../../firmware/toolchain/passes/inline-sequences.ts';
import { type Pass, runPasses, type Stage } from '../../firmware/toolchain/passes/pass.ts';
import { forToWhile } from '../../firmware/toolchain/passes/while-loops.ts';
import { SourceMap } from '../../firmware/toolchain/source-map.ts';

/** A text every line of which is the allocator's. */
function stageOf(code: string): Stage {
  const lines = code.split('\n').map((_, line): [[number, number, number, number]] => [[0, 0, line, 0]]);
  return { code, map: new SourceMap({ sources: ['heapglass/src/policies/x.ts'], mappings: lines }) };
}

const passed = (pass: Pass, code: string): string => runPasses(stageOf(code), [pass]).code;

const spaced = (code: string): string => code.replace(/\s+/g, ' ').trim();

describe('hoistLoads', () => {
  const views = 'var u16 = new Uint16Array(0);\n';
  const hoisted = (body: string): string => spaced(passed(hoistLoads, `${views}function f(n) { ${body} }`));

  test('takes a control word out of a loop, once', () => {
    expect(hoisted('for (; n < u16[1]; ) n = u16[n] + u16[1];')).toContain(
      '{ let held1 = u16[1]; for (; n < held1; ) n = u16[n] + held1; }',
    );
  });

  test.each([
    ['a store, to any view', 'for (; n < u16[1]; ) u16[n++] = 0;'],
    ['a call', 'for (; n < u16[1]; ) n = g(n);'],
    ['an element that varies', 'for (; n < u16[n]; ) n++;'],
    ['no list of statements', 'if (n) for (; n < u16[1]; ) n++;'],
  ])('leaves a loop with %s', (_, body) => {
    expect(hoisted(body)).toContain(body);
  });
});

describe('forToWhile', () => {
  const written = (body: string): string => spaced(passed(forToWhile, `function f(n) { ${body} }`)).slice(16, -2);

  test.each([
    ['for (; n; ) n = g(n);', 'while (n) n = g(n);'],
    ['for (; n; n--) g(n);', 'while (n) { g(n); n--; }'],
    ['for (var i = 0; i < n; i++) { g(i); }', 'var i = 0; while (i < n) { g(i); i++;}'],
    ['for (i = 0; i < n; i++) ;', 'i = 0; while (i < n) { i++; }'],
    ['for (;;) { g(); }', 'while (1) { g(); }'],
    ['if (n) for (i = 0; i < n; i++) g();', 'if (n) { i = 0; while (i < n) { g(); i++; } }'],
    ['for (; a; ) for (; b; b--) g();', 'while (a) while (b) { g(); b--; }'],
  ])('%s', (before, expected) => {
    expect(written(before)).toBe(expected);
  });

  test.each(['for (let i = 0; i < n; i++) g(i);', 'for (; n; n--) { if (g(n)) continue; h(); }'])(
    'leaves %s',
    (body) => {
      expect(written(body)).toBe(body);
    },
  );
});

describe('inlineSequences', () => {
  const sequences = (engine: 'espruino' | 'kaluma', code: string): string =>
    inlineSequences(stageOf(`${code}\nglobal.x = [malloc];`), engine).code;
  const inlined = (code: string): string => spaced(sequences('kaluma', code));
  const leaves = (code: string): void => expect(inlined(code)).toBe(spaced(`${code}\nglobal.x = [malloc];`));

  test('writes a function in the place of its only call, with its variables and its early return', () => {
    expect(
      inlined(
        'function put(at, size) { let end = at + size; if (!size) return 0; return u[at] = end, end; }\n' +
          'function malloc(n) { let at = n + 1; return put(at, n * 2) + n; }',
      ),
    ).toBe(
      'function malloc(n) { var put_size, put_end; let at = n + 1; ' +
        'return (put_size = n * 2, put_end = at + put_size, (!put_size) ? (0) : ((u[at] = put_end, put_end))) + n; } global.x = [malloc];',
    );
  });

  test('puts an argument without effects where it is used once, before anything changes', () => {
    const at = (body: string): string =>
      inlined(`function put(v) { ${body} }\nfunction malloc(n) { return put(u[n]); }`);
    expect(at('let w = v; return u[0] = w, w;')).toContain('(put_w = (u[n]), (u[0] = put_w, put_w))');
    expect(at('let w = g(); return w + v;')).toContain('(put_v = u[n], put_w = g(), put_w + put_v)');
  });

  test('an expression with commas keeps its parentheses', () => {
    expect(
      inlined('function f(n) { let m = (g(), n); return m; }\nfunction malloc(n) { return f((h(), n)); }'),
    ).toContain('return (f_n = (h(), n), f_m = (g(), f_n), f_m);');
  });

  test('functions that call each other in a row become one', () => {
    const code = inlined(
      'function a(n) { let x = n + n; return u[x]; }\nfunction b(n) { let y = a(n) + 1; return y * y; }\n' +
        'function malloc(n) { return b(n); }',
    );
    expect(code.match(/function/g)).toHaveLength(1);
  });

  test.each([
    [
      'S1: a function that is a value too',
      'function f(n) { let m = n; return m; }\nfunction malloc(n) { return f(n) + g(f); }',
    ],
    [
      'S1: one that calls itself',
      'function f(n) { let m = n; return m ? f(m) : 0; }\nfunction malloc(n) { return n; }',
    ],
    ['S2: a loop', 'function f(n) { for (; n; ) n--; return n; }\nfunction malloc(n) { return f(n); }'],
    ['S2: a variable without a value', 'function f(n) { let m; return m; }\nfunction malloc(n) { return f(n); }'],
    [
      'S4: nothing returned where a value is used',
      'function f(n) { let m = n; u[m] = n; }\nfunction malloc(n) { return f(n); }',
    ],
    ['another number of arguments', 'function f(n, m) { let k = n; return k; }\nfunction malloc(n) { return f(n); }'],
  ])('leaves %s', (_, code) => {
    leaves(code);
  });

  test('on Espruino a call that seldom runs is not worth the text that would be passed over', () => {
    const long = Array.from({ length: 20 }, (_, i) => `u[n + ${i}] = n * ${i}`).join(', ');
    const code = `function f(n) { let m = n; ${long}; return m; }\nfunction malloc(n) { return u[0] && u[1] && f(n); }`;
    expect(sequences('espruino', code)).toContain('function f');
    expect(sequences('kaluma', code)).not.toContain('function f');
  });
});
