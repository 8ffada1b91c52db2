// Inlining: what it may do, and what it must leave (I1 to I4 of firmware/toolchain/passes/inline.ts).
import MagicString from 'magic-string';
import { describe, expect, test } from 'vitest';
import { inlineFunctions } from '../../firmware/toolchain/passes/inline.ts';
import { SourceMap } from '../../firmware/toolchain/source-map.ts';

/** Inlines in `code`, all of it device code, and gives it without the functions that are left. */
function inlined(code: string): string {
  const map = new SourceMap(new MagicString(code).generateDecodedMap({ hires: true, source: 'heapglass/x.ts' }));
  const lines = inlineFunctions({ code, map }).code.split('\n');
  return lines.filter((line) => !line.startsWith('function')).join('\n');
}

describe('inlines', () => {
  test.each([
    ['a read', 'function size(b) { return u[b >> 2]; }\nx = size(p);', 'x = (u[p >> 2]);'],
    ['an expression used once', 'function next(b) { return u[b]; }\nx = next(p + 8);', 'x = (u[(p + 8)]);'],
    ['a number used twice', 'function twice(n) { return n + n; }\nx = twice(3);', 'x = (3 + 3);'],
    [
      'a call in a call',
      'function a(n) { return n + 1; }\nfunction b(n) { return a(n) * 2; }\nx = b(p);',
      'x = (((p) + 1) * 2);',
    ],
    ['a statement', 'function set(b) { u[0] = b; }\nset(7);', '(u[0] = 7);'],
  ])('%s', (_, code, expected) => {
    const plain = (text: string): string => text.replace(/[() ]/g, '');
    expect(plain(inlined(code))).toBe(plain(expected));
  });
});

describe('leaves', () => {
  test.each([
    ['I1: a recursive function', 'function f(n) { return n ? f(n - 1) : 0; }\nx = f(p);'],
    ['I1: one that assigns its parameter', 'function f(n) { return n = n + 1; }\nx = f(p);'],
    ['I1: two statements', 'function f(n) { g(); return n; }\nx = f(p);'],
    ['I1: a name that is assigned', 'function f(n) { return n; }\nf = g;\nx = f(p);'],
    ['I2: an argument with an effect', 'function f(n) { return n + 1; }\nx = f(g());'],
    ['I2: an expression used twice', 'function f(n) { return n * n; }\nx = f(p + q);'],
    ['I3: a global beside an effect', 'function f(n) { return (u[0] = 1) + n; }\nx = f(top);'],
    [
      'I4: a name that is declared inside a function',
      'function f(n) { return n + k; }\nfunction g(k) { h(); return f(k); }\nx = g(1), y = 1;',
    ],
    ['a statement whose value is used', 'function set(b) { u[0] = b; }\nx = set(7);'],
    ['a call with another number of arguments', 'function f(n) { return n; }\nx = f();'],
  ])('%s', (_, code) => {
    expect(inlined(code)).toBe(
      code
        .split('\n')
        .filter((line) => !line.startsWith('function'))
        .join('\n'),
    );
  });
});
