// The compiler's contract from outside: what it refuses and where, that its output is the same each time, its sizes,
// its listing, its blob (and what is refused of one), and its object for C.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { Problem } from '../../boards/problem.ts';
import { packBlob, unpackBlob } from '../../firmware/toolchain/native/blob.ts';
import { compile } from '../../firmware/toolchain/native/compile.ts';
import { disassemble } from '../../firmware/toolchain/native/disassemble.ts';
import { listing } from '../../firmware/toolchain/native/listing.ts';
import { assemblerFile, headerFile } from '../../firmware/toolchain/native/object.ts';
import { compilePolicy, coreCodeBytes } from '../../firmware/toolchain/native/policy.ts';
import { parseSource } from '../../firmware/toolchain/native/source.ts';
import { NativeHeap } from '../../sim/cortex-m/native-heap.ts';

const build = (body: string) =>
  compile(parseSource(`import { u8, u32 } from './arena.ts';\n${body}`), { cpu: 'cortex-m0plus', entries: ['main'] });

function problemOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Problem) return error.message;
    throw error;
  }
  return 'none';
}

test.each([
  ['export function main(a) {\n  return a / 3;\n}', 'text.js:3:10: the operator / is outside the native subset'],
  ['export function main(a) {\n  return [a];\n}', 'text.js:3:10: ArrayExpression is outside the native subset'],
  ['export function main(a) {\n  return 0.5;\n}', 'text.js:3:10: 0.5 is not a 32-bit integer'],
  ['export function main(a) {\n  try { a = 1; } catch {}\n}', 'text.js:3:3: TryStatement is outside the native subset'],
  [
    'export function main(a) {\n  return b;\n}',
    'text.js:3:10: b is not a variable, a parameter or a constant of the module',
  ],
  ['export function main(a) {\n  return main(a);\n}', 'text.js:2:8: main calls itself'],
  [
    'function even(a) {\n  return a === 0 ? 1 : odd(a - 1);\n}\nfunction odd(a) {\n  return a === 0 ? 0 : even(a - 1);\n}\nexport function main(a) {\n  return even(a);\n}',
    'text.js:6:24: even calls itself',
  ],
  [
    'function refill(a) {\n  if (a > 3) return give(a - 1);\n  return a;\n}\nfunction give(a) {\n  u32[1] = a;\n  const b = refill(a);\n  u32[2] = b;\n  return b;\n}\nexport function main(a) {\n  return give(a) + refill(a);\n}',
    'text.js:3:21: give calls itself',
  ],
  [
    'let x = 1;\nexport function main() {\n  return x;\n}',
    'text.js:2:1: a variable outside a function is outside the native subset',
  ],
  [
    'export function main(a) {\n  return a >>> 0 < a ? 1 : 0;\n}',
    'text.js:3:10: an unsigned value is compared with a signed one',
  ],
  ['export function main(a) {\n  return parseInt(a);\n}', 'text.js:3:10: parseInt is not a function of the module'],
  ['export function other() {}', 'the module exports no function main'],
])('%s', (body, message) => {
  expect(problemOf(() => build(body))).toBe(message);
});

test('the same input gives the same bytes', () => {
  const code = (): string =>
    Buffer.from(build('export function main(a) { return u32[a] + u8[a + 1]; }').layout.code).toString('hex');
  expect(code()).toBe(code());
});

test('code size: malloc, free and realloc with all they call and their literals', () => {
  expect(coreCodeBytes('tlsf', 'cortex-m0plus')).toBeLessThan(1300);
  expect(coreCodeBytes('segregated', 'cortex-m0plus')).toBeLessThan(1300);
  expect(coreCodeBytes('best-fit', 'cortex-m0plus')).toBeLessThan(1300);
});

test('a division by a constant, and constants of every form', () => {
  const heap = new NativeHeap(
    build('export function main(a) { return ((a / 65) | 0) + 511 + 65537 - 123456789 + (a & -4096); }'),
    64,
  );
  for (const a of [0, 1, 64, 65, 66, 1000, 123456, 0x7ffffff]) {
    expect(heap.call('main', a)).toBe((((a / 65) | 0) + 511 + 65537 - 123456789 + (a & -4096)) | 0);
  }
});

test('code that leaves the arena faults with the address and the source line', () => {
  const heap = new NativeHeap(build('export function main(a) {\n  return u32[a];\n}'), 64);
  expect(() => heap.call('main', 16)).toThrow('access outside memory at 0x20000040 (text.js:3)');
  const unaligned = new NativeHeap(build('export function main(a) {\n  return u32[a >> 2];\n}'), 64);
  expect(() => unaligned.call('main', 2)).toThrow('unaligned access to 0x20000002 (text.js:3)');
});

test('the listing is what the code says', () => {
  const text = listing(compilePolicy('segregated', 'cortex-m0plus'));
  expect(text).toContain('; cortex-m0plus, ');
  expect(text).toMatch(/^malloc:\s+; \d+ bytes$/m);
  expect(text).toMatch(/; firmware\/src\/policies\/segregated\.ts:\d+ {2}u32\[TOP >> 2\] = after;/);
  expect(text).not.toContain('undefined');
});

test('a blob is read back; one that is cut, changed or for another processor is refused', () => {
  const compiled = compilePolicy('tlsf', 'cortex-m4');
  const blob = packBlob(compiled);
  const read = unpackBlob(blob, 'cortex-m4');
  expect(read.entries.malloc).toBe(compiled.routines.find(({ name }) => name === 'malloc')!.offset);
  expect(Buffer.from(read.code).equals(Buffer.from(compiled.layout.code))).toBe(true);
  expect(problemOf(() => unpackBlob(blob, 'cortex-m0plus'))).toBe(
    'this native blob is not run: it was made for another processor',
  );
  for (let bytes = 0; bytes < blob.length; bytes += 7) {
    expect(problemOf(() => unpackBlob(blob.slice(0, bytes), 'cortex-m4'))).toMatch(/is not run/);
  }
  for (let at = 0; at < blob.length; at += 11) {
    const changed = blob.slice();
    changed[at]! ^= 0x10;
    expect([at, problemOf(() => unpackBlob(changed, 'cortex-m4'))]).toEqual([at, expect.stringMatching(/is not run/)]);
  }
  // ARMv6-M code runs on every Cortex-M.
  expect(unpackBlob(packBlob(compilePolicy('tlsf', 'cortex-m0plus')), 'cortex-m4').cpu).toBe('cortex-m0plus');
});

test('batches allocate and free lists, and stop where they must', () => {
  const heap = new NativeHeap(compilePolicy('segregated', 'cortex-m0plus'), 4096);
  heap.call('init', 4096);
  const list = heap.call('malloc', 400);
  expect(heap.call('mallocMany', 24, 32, list)).toBe(32);
  const batchCycles = heap.lastCycles;
  expect(heap.call('freeMany', 32, list)).toBe(32);
  expect(heap.call('freeMany', 32, list)).toBe(0);
  expect(heap.call('mallocMany', 100, 100, list)).toBeLessThan(100);
  expect(batchCycles / 32).toBeLessThan(70);
});

function tool(name: string): boolean {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    console.warn(`native compile: ${name} is not installed, so the object for C is not assembled`);
    return false;
  }
}

test.skipIf(!tool('arm-none-eabi-gcc'))(
  'the object assembles to the same bytes, and objdump reads the same instructions',
  () => {
    const directory = mkdtempSync(`${tmpdir()}/heapglass-`);
    try {
      for (const cpu of ['cortex-m0plus', 'cortex-m4'] as const) {
        const compiled = compilePolicy('tlsf', cpu);
        writeFileSync(`${directory}/a.s`, assemblerFile('tlsf', compiled));
        writeFileSync(`${directory}/tlsf.h`, headerFile('tlsf', compiled));
        writeFileSync(
          `${directory}/b.c`,
          '#include "tlsf.h"\nuint32_t f(void *a) { return heapglass_tlsf_malloc(a, 24); }\n',
        );
        const run = (...args: string[]): string =>
          execFileSync(args[0]!, args.slice(1), { cwd: directory, encoding: 'utf8' });
        run('arm-none-eabi-gcc', '-c', 'a.s', '-o', 'a.o');
        run('arm-none-eabi-gcc', `-mcpu=${cpu}`, '-mthumb', '-ffreestanding', '-c', 'b.c', '-o', 'b.o');
        run('arm-none-eabi-objcopy', '-O', 'binary', '-j', '.text.heapglass_tlsf', 'a.o', 'a.bin');
        const assembled = readFileSync(`${directory}/a.bin`);
        expect(assembled.equals(Buffer.from(compiled.layout.code).subarray(0, assembled.length))).toBe(true);
        expect(assembled.length).toBeGreaterThanOrEqual(compiled.layout.code.length - 2);
        const dump = run('arm-none-eabi-objdump', '-D', '-b', 'binary', '-marm', '-Mforce-thumb', 'a.bin');
        const theirs = new Map(
          [...dump.matchAll(/^\s+([0-9a-f]+):\t[0-9a-f ]+\t([a-z.]+)\t?([^;@\n]*)/gm)].map(([, at, op]) => [
            Number.parseInt(at!, 16),
            op!,
          ]),
        );
        let compared = 0;
        let afterData = false;
        for (const { at, address } of compiled.layout.placed) {
          if (at === null) {
            afterData = true;
            continue;
          }
          // Read as an instruction, a literal may take the first halfword behind it along.
          const isTaken = afterData && !theirs.has(address);
          afterData = false;
          if (isTaken) continue;
          const ours = disassemble(compiled.layout.code, address).text.split(' ')[0]!;
          const synonyms: Record<string, string> = { rsbs: 'negs', bhs: 'bcs', blo: 'bcc' };
          const plain = (op: string): string => op.replace(/\.[nw]$/, '');
          const their = plain(theirs.get(address) ?? '');
          expect([address, synonyms[ours] ?? ours]).toEqual([
            address,
            their === 'add' && ours === 'adr' ? 'adr' : their,
          ]);
          compared++;
        }
        expect(compared).toBeGreaterThan(500);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
);
