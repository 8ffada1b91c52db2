// `heapglass compile --verify` as a user meets it: a sound blob passes; one that is cut, changed, for another processor,
// miscompiled, or that leaves its bounds is refused with an address and, where it is code, the source line.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { packBlob } from '../../firmware/toolchain/native/blob.ts';
import { compilePolicy } from '../../firmware/toolchain/native/policy.ts';
import { command } from '../../host/commands/compile.ts';
import { runCommand } from '../view/run-command.ts';

const folder = mkdtempSync(`${tmpdir()}/heapglass-verify-`);
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const TRACE = `${packageRoot}/test/fixtures/traces/lua-queens.trace`;

/** A blob whose header is right and whose code does something else. */
function withCode(change: (code: Uint8Array) => void): Uint8Array {
  const compiled = compilePolicy('tlsf', 'cortex-m0plus');
  const code = compiled.layout.code.slice();
  change(code);
  return packBlob({ ...compiled, layout: { ...compiled.layout, code } });
}

async function verify(bytes: Uint8Array, cpu = 'cortex-m0plus') {
  writeFileSync(`${folder}/given.bin`, bytes);
  const words = ['--cpu', cpu, '--policy', 'tlsf', '--verify', `${folder}/given.bin`, '--trace', TRACE];
  const { code, out, problem } = await runCommand(command, words);
  return { code, out, text: problem ? [problem.message, ...problem.facts].join('\n') : '' };
}

test('a sound blob', async () => {
  expect((await runCommand(command, ['--policy', 'tlsf', '--out', folder])).code).toBe(0);
  const { code, out } = await verify(readFileSync(`${folder}/tlsf.bin`));
  expect(code).toBe(0);
  expect(out).toMatch(/given\.bin is tlsf for cortex-m0plus, \d+ bytes: \d+ operations of lua-queens as in JavaScript/);
  // Code for the smaller processor runs on the larger one.
  expect((await verify(readFileSync(`${folder}/tlsf.bin`), 'cortex-m4')).code).toBe(0);
});

test('cut, changed, or for another processor: refused before anything runs', async () => {
  const sound = new Uint8Array(readFileSync(`${folder}/tlsf.bin`));
  expect(await verify(sound.subarray(0, 300))).toMatchObject({
    code: 3,
    text: expect.stringMatching(/its length is wrong\n300 bytes/),
  });
  const changed = sound.slice();
  changed[400]! ^= 1;
  expect(await verify(changed)).toMatchObject({ code: 3, text: expect.stringMatching(/its checksum is wrong/) });
  expect((await runCommand(command, ['--cpu', 'cortex-m4', '--policy', 'tlsf', '--out', `${folder}/m4`])).code).toBe(0);
  const forM4 = await verify(readFileSync(`${folder}/m4/tlsf.bin`));
  expect(forM4.text).toMatch(/made for another processor\nmade for cortex-m4, the board has a cortex-m0plus/);
  const missing = await runCommand(command, ['--verify', `${folder}/none.bin`, '--trace', TRACE]);
  expect([missing.code, missing.problem?.message]).toEqual([3, `${folder}/none.bin cannot be read`]);
});

test('a miscompiled blob: every changed instruction that matters is told with its address and line', async () => {
  const compiled = compilePolicy('tlsf', 'cortex-m0plus');
  const { offset, sizeBytes } = compiled.routines.find(({ name }) => name === 'malloc')!;
  let told = 0;
  for (let at = offset; at < offset + sizeBytes; at += 14) {
    const { code, text } = await verify(
      withCode((bytes) => {
        bytes[at]! ^= 4;
      }),
    );
    // Some code does not run in this trace, and some changes do not matter.
    if (code === 0) continue;
    told++;
    expect(code).toBe(7);
    expect(text).toMatch(/operation \d+ of lua-queens|init: /);
    const place = new RegExp(
      `code offset 0x${(at & ~1).toString(16)} \\((firmware/src/policies/tlsf(?:-lists)?\\.ts:\\d+|code offset \\d+)\\)`,
    );
    expect(text).toMatch(place);
  }
  expect(told).toBeGreaterThan(20);
}, 120_000);

test('code that leaves its bounds faults with the address that it reached for and the line', async () => {
  const malloc = compilePolicy('tlsf', 'cortex-m0plus').routines.find(({ name }) => name === 'malloc')!;
  const { code, text } = await verify(
    // malloc begins with LDR r0, [r1]: the size is taken for an address.
    withCode((bytes) => {
      bytes[malloc.offset] = 0x08;
      bytes[malloc.offset + 1] = 0x68;
    }),
  );
  expect(code).toBe(7);
  expect(text).toMatch(
    /it faults\noperation 1 of lua-queens, malloc\(\d+\): (access outside memory at|unaligned access to) 0x[0-9a-f]{8} \(firmware\/src\/policies\/tlsf\.ts:\d+\)/,
  );
});

/** A sound blob changed under a checksum that is right again. */
function edited(change: (bytes: Uint8Array, view: DataView) => void): Uint8Array {
  const bytes = packBlob(compilePolicy('tlsf', 'cortex-m0plus'));
  const view = new DataView(bytes.buffer);
  change(bytes, view);
  view.setUint32(12, crc32(bytes.subarray(16)), true);
  return bytes;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

const offsetOf = (routine: string): number =>
  compilePolicy('tlsf', 'cortex-m0plus').routines.find(({ name }) => name === routine)!.offset;

/** Where the header's table has an entry, in the order of blobEntries. */
const entryAt = { malloc: 18, free: 20 };

/** malloc begins with these halfwords. */
const malloc = (...halfwords: number[]): Uint8Array =>
  withCode((code) => {
    new Uint16Array(code.buffer, offsetOf('malloc')).set(halfwords);
  });

const LINE = String.raw`\(firmware/src/policies/tlsf\.ts:\d+\)`;

test.each<[string, () => Uint8Array, number, RegExp]>([
  ['an empty file', () => new Uint8Array(0), 3, /it is cut\n0 bytes/],
  [
    'some text',
    () => new TextEncoder().encode('a text that is long enough for a header'),
    3,
    /does not begin with HGN1/,
  ],
  [
    'two bytes more',
    () => Uint8Array.from([...packBlob(compilePolicy('tlsf', 'cortex-m0plus')), 0, 0]),
    3,
    /length is wrong/,
  ],
  [
    'a processor that is none',
    () =>
      edited((bytes) => {
        bytes[4] = 9;
      }),
    3,
    /processor is not known\nnumber 9/,
  ],
  ['a header longer than the file', () => edited((_, view) => view.setUint16(6, 0xfffc, true)), 3, /length is wrong/],
  [
    'code that begins in the header',
    () =>
      edited((bytes, view) => {
        view.setUint16(6, 8, true);
        view.setUint32(8, bytes.length - 8, true);
      }),
    3,
    /its header is wrong\n9 entries, and code from byte 8 on/,
  ],
  [
    'more entries than its header holds',
    () =>
      edited((bytes) => {
        bytes[5] = 200;
      }),
    3,
    /its header is wrong\n200 entries/,
  ],
  [
    'no entries',
    () =>
      edited((bytes) => {
        bytes[5] = 0;
      }),
    7,
    /it has no entry init/,
  ],
  [
    'an entry behind the code',
    () => edited((_, view) => view.setUint16(entryAt.malloc, 0xff00, true)),
    3,
    /entry malloc lies outside the code\noffset 65280/,
  ],
  [
    'an entry at an odd address',
    () => edited((_, view) => view.setUint16(entryAt.malloc, offsetOf('malloc') + 1, true)),
    3,
    /entry malloc lies outside/,
  ],
  [
    'an entry in the middle of a routine',
    () => edited((_, view) => view.setUint16(entryAt.malloc, offsetOf('malloc') + 2, true)),
    7,
    new RegExp(`it faults\\noperation 1 of .*${LINE}`),
  ],
  [
    "malloc and free in each other's place",
    () =>
      edited((_, view) => {
        view.setUint16(entryAt.malloc, offsetOf('free'), true);
        view.setUint16(entryAt.free, offsetOf('malloc'), true);
      }),
    7,
    /another result\noperation 1 of/,
  ],
  ['code that never returns', () => malloc(0xe7fe), 7, new RegExp(`still no return, at 0x10000000 ${LINE}`)],
  ['SVC', () => malloc(0xdf00), 7, new RegExp(`SVC at 0x10000000 ${LINE}`)],
  ['BKPT', () => malloc(0xbe00), 7, new RegExp(`BKPT at 0x10000000 ${LINE}`)],
  ['an undefined instruction', () => malloc(0xde00), 7, new RegExp(`undefined instruction at 0x10000000 ${LINE}`)],
  [
    'a branch into the arena',
    () => malloc(0x1c40, 0x4700),
    7,
    new RegExp(`at 0x20000000 ${LINE}|at 0x20000001|outside`),
  ],
  ['a branch to ARM code', () => malloc(0x4700), 7, new RegExp(`branch to ARM state at 0x20000000 ${LINE}`)],
  [
    'a kept register that is not kept',
    () => malloc(0x2000, 0x2405, 0x4770),
    7,
    new RegExp(`r4 to r11 or sp not kept .*${LINE}`),
  ],
  [
    'a stack that is not put back',
    () => malloc(0xb081, 0x2000, 0x4770),
    7,
    new RegExp(`r4 to r11 or sp not kept .*${LINE}`),
  ],
  [
    'a store into the code',
    () => malloc(0x4678, 0x6000, 0x4770),
    7,
    new RegExp(`store to read-only memory at 0x10000004 ${LINE}`),
  ],
  [
    'recursion without an end',
    () => malloc(0xb500, 0xf7ff, 0xfffd),
    7,
    new RegExp(`outside memory at 0x207ffffc ${LINE}`),
  ],
])('%s', async (_, blob, expected, message) => {
  const { code, text } = await verify(blob());
  expect(text).toMatch(message);
  expect(code).toBe(expected);
});

test('an entry that no workload calls is held to its policy too', async () => {
  for (const entry of ['memalign', 'usableSize', 'mallocMany', 'freeMany', 'usableMany']) {
    const { code, text } = await verify(
      withCode((bytes) => {
        // movs r0, #0x55; bx lr
        new Uint16Array(bytes.buffer, offsetOf(entry)).set([0x2055, 0x4770]);
      }),
    );
    expect([entry, code]).toEqual([entry, 7]);
    expect(text).toMatch(/gives another result\n.*: 85, and \d+ in JavaScript/);
  }
});

test('another policy, and a trace that is none', async () => {
  const blob = `${folder}/sound.bin`;
  writeFileSync(blob, packBlob(compilePolicy('tlsf', 'cortex-m0plus')));
  const other = await runCommand(command, ['--policy', 'slab', '--verify', blob, '--trace', TRACE]);
  expect([other.code, other.problem?.message]).toEqual([
    7,
    expect.stringMatching(/is not slab: it (gives|leaves|faults)/),
  ]);
  const none = await runCommand(command, ['--policy', 'tlsf', '--verify', blob, '--trace', blob]);
  expect(none.code).toBe(3);
});
