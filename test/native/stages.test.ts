// What each stage of the compiler is for, on the smallest program that shows it: the instructions that come out, and that
// they compute what JavaScript does.
import { expect, test } from 'vitest';
import { highestBit, lowestBit } from '../../firmware/src/bits.ts';
import { type Cpu, compile } from '../../firmware/toolchain/native/compile.ts';
import { disassemble } from '../../firmware/toolchain/native/disassemble.ts';
import { parseSource } from '../../firmware/toolchain/native/source.ts';
import { NativeHeap } from '../../sim/cortex-m/native-heap.ts';

const ARENA_BYTES = 512;

interface Built {
  /** The instructions of a routine, without addresses. */
  code(routine?: string): string[];
  /** Calls main both ways and compares result and arena. */
  check(...args: number[]): void;
}

function build(body: string, cpu: Cpu = 'cortex-m0plus'): Built {
  const text = `import { u8, u16, u32 } from './arena.ts';\nimport { highestBit, lowestBit } from './bits.ts';\n${body}`;
  const entries = [...text.matchAll(/^export function (\w+)/gm)].map(([, name]) => name!);
  const compiled = compile(parseSource(text), { cpu, entries });
  const heap = new NativeHeap(compiled, ARENA_BYTES);
  const plain = body.replaceAll('export function', 'function');
  const script = new Function('u8', 'u16', 'u32', 'highestBit', 'lowestBit', `${plain}\nreturn main;`);
  return {
    code(routine = 'main') {
      const { offset, sizeBytes } = compiled.routines.find(({ name }) => name === routine)!;
      return compiled.layout.placed
        .filter(({ at, address }) => at !== null && address >= offset && address < offset + sizeBytes)
        .map(({ address }) => disassemble(compiled.layout.code, address).text);
    },
    check(...args) {
      const bytes = new Uint8Array(ARENA_BYTES).map((_, i) => (i * 37) & 255);
      heap.arena.set(bytes);
      const { buffer } = bytes;
      const main = script(bytes, new Uint16Array(buffer), new Uint32Array(buffer), highestBit, lowestBit);
      const want = main(...args) | 0;
      expect([args, heap.call('main', ...args)]).toEqual([args, want]);
      expect(Buffer.compare(heap.arena, bytes)).toBe(0);
    },
  };
}

const count = (code: readonly string[], pattern: RegExp): number => code.filter((text) => pattern.test(text)).length;

test('addressing: fields of a record far behind the base share an anchor', () => {
  const { code, check } = build(`export function main(page) {
  const at = 136 + (page << 3);
  u16[(at + 2) >> 1] = u16[at >> 1];
  u16[(at + 6) >> 1] = u16[(at + 4) >> 1];
  return 0;
}`);
  // One sum with 136, one with the base; the offsets are in the accesses.
  expect(code()).toEqual([
    'lsls r1, r1, #3',
    'adds r1, #136',
    'adds r1, r0, r1',
    'ldrh r0, [r1, #0]',
    'strh r0, [r1, #2]',
    'ldrh r0, [r1, #4]',
    'strh r0, [r1, #6]',
    'movs r0, #0',
    'bx lr',
  ]);
  for (const page of [0, 1, 7, 20]) check(page);
});

test('addressing: a record and the one before it are accesses off one pointer', () => {
  const { code, check } = build(`export function main(page) {
  u16[(136 + (page << 3)) >> 1] = u16[(138 + ((page - 1) << 3)) >> 1];
  return 0;
}`);
  expect(count(code(), /^lsls/)).toBe(1);
  for (const page of [1, 2, 9]) check(page);
});

test('addressing: accesses that no instruction reaches from one anchor get two', () => {
  const { check } = build(`export function main(x) {
  const at = (x & 15) << 2;
  u32[(at + 200) >> 2] = u32[(at + 204) >> 2] + 1;
  u8[at + 400] = u8[at + 431] + u8[at + 1];
  return 0;
}`);
  for (const x of [0, 3, 15]) check(x);
});

test('convention: what only routines call keeps the base in r0 and gives its result in r1', () => {
  const program = `/** @routine */
function half(x) {
  u32[1] = u32[1] ^ x;
  return x >> 1;
}
/** @routine */
function quarter(x) {
  const h = half(x);
  return half(h) + u32[0] - u32[0];
}
export function main(x) {
  const q = quarter(x);
  u32[2] = q;
  return q + half(3);
}`;
  const { code, check } = build(program);
  expect(code('half').at(-2)).toMatch(/^asrs r1, /);
  // Nothing copies the base aside or back.
  expect(count([...code('half'), ...code('quarter'), ...code()], /^mov r\d+, r0$|^mov r0, r[4-7]$/)).toBe(0);
  for (const x of [0, 9, -5, 1 << 30]) check(x);
});

test('convention: entries stay with AAPCS, whoever calls them, and tail calls between the two return first', () => {
  const { check } = build(`/** @routine */
function inner(x) {
  u32[3] = x;
  if (x > 50) return twice(x);
  return x - 1;
}
export function twice(x) {
  return x + x + (u32[0] & 1);
}
/** @routine */
function step(x) {
  return inner(x + 1);
}
export function main(x) {
  const first = step(x);
  const second = inner(first);
  if (second > 10) return step(second);
  return twice(first) + step(3);
}`);
  for (const x of [0, 5, 40, 49, 50, 51, 100]) check(x);
});

test('convention: a leaf that ends in another routine still does so by a branch', () => {
  const { code, check } = build(`/** @routine */
function slow(x) {
  let sum = 0;
  for (let i = 0; i < 5; i++) sum = sum + u32[i] * x;
  return sum;
}
export function main(x) {
  if (x > 9) return slow(x);
  return slow(x + 1);
}`);
  expect(count(code(), /^bl |^push/)).toBe(0);
  for (const x of [0, 9, 10]) check(x);
});

test('threading: a test that is already decided is jumped over', () => {
  const { code, check } = build(`function misuse(x) {
  if ((x & 7) !== 0) return 1;
  if (x < 8 || x > 400) return 2;
  if (u8[x] === 0) return 3;
  return 0;
}
export function main(x) {
  const wrong = misuse(x);
  if (wrong !== 0) return wrong;
  u8[x] = 0;
  return 0;
}`);
  // Five tests as written; \`wrong !== 0\` is none of them.
  expect(count(code(), /^b(eq|ne|mi|pl|lt|le|gt|ge|lo|ls|hi|hs) /)).toBe(4);
  for (const x of [0, 3, 8, 16, 400, 401, 408]) check(x);
});

test('threading: what the test reads is kept for those who come over it', () => {
  const { check } = build(`export function main(x, y) {
  let found = 0;
  if (x > 3) found = y;
  if (x > 9) found = 7;
  let sum = 1;
  if (found !== 0) sum = found + x;
  for (let i = 0; i < 3; i++) {
    if (found === 7) found = i;
    if (found === 0) sum = sum + 5;
  }
  return sum + found;
}`);
  for (const x of [0, 4, 10]) for (const y of [0, 7, -1]) check(x, y);
});

test('returns: ways that return the same end in one place', () => {
  const { code, check } = build(`export function main(x, y) {
  if (x < 0) return 0;
  u32[x & 15] = y;
  if (y < 0) return 0;
  u32[y & 15] = x;
  if (u32[3] === 9) return 0;
  return x + y;
}`);
  expect(count(code(), /^movs r0, #0$/)).toBe(1);
  for (const x of [-1, 4]) for (const y of [-1, 4]) check(x, y);
});

test('constants: sums with 256 to 510 are two additions', () => {
  const { code, check } = build('export function main(x) {\n  return x - 256;\n}');
  expect(count(code(), /^subs r\d, .*#(255|1)$/)).toBe(2);
  expect(count(code(), /^ldr|^mvns/)).toBe(0);
  const sums = build('export function main(x) {\n  return (x + 300) ^ (x + 510) ^ (x - 511) ^ (x + 255);\n}');
  for (const x of [0, 1, -1, 255, 70000]) {
    check(x);
    sums.check(x);
  }
});

/** Twelve values that live at once: more than there are registers. */
const crowded = `export function main(a, b) {
  const v0 = u32[0], v1 = u32[1], v2 = u32[2], v3 = u32[3], v4 = u32[4], v5 = u32[5], v6 = u32[6], v7 = u32[7];
  u32[8] = a + b;
  const s = (v0 + a | 0) ^ (v1 + b | 0) ^ (v2 + v3 | 0) ^ (v4 + v5 | 0) ^ (v6 + v7 | 0);
  u32[9] = v0 + v7;
  u32[10] = v1 + v6;
  u32[11] = v2 + v5;
  u32[12] = v3 + v4;
  return s + (a + b | 0) | 0;
}`;

test('spilling: additions take a spilled value where it lives', () => {
  const { code, check } = build(crowded);
  expect(count(code(), /^add r\d+, (r12|lr)$/)).toBeGreaterThan(0);
  for (const a of [0, 77]) for (const b of [1, -9]) check(a, b);
});

test('reuse: nothing is put where it is already', () => {
  for (const program of [
    crowded,
    'export function main(a) {\n  return twice(a) + twice(a + 1);\n}\n/** @routine */\nfunction twice(x) {\n  u32[x & 7] = x;\n  if (x > 1000) u32[0] = third(x) + third(x);\n  return x + x;\n}\n/** @routine */\nfunction third(x) {\n  u32[9] = x;\n  return x >> 3;\n}',
  ]) {
    const { code, check } = build(program);
    const lines = code();
    for (let k = 1; k < lines.length; k++) {
      const stored = /^str (r\d), (\[sp, #\d+\])$/.exec(lines[k - 1]!);
      if (stored) expect(lines[k]).not.toBe(`ldr ${stored[1]}, ${stored[2]}`);
      const copied = /^mov (r\d+|lr), (r\d+|lr)$/.exec(lines[k - 1]!);
      if (copied) expect(lines[k]).not.toBe(`mov ${copied[2]}, ${copied[1]}`);
    }
    for (const a of [0, 5, 5000]) check(a, 2 - a);
  }
});
