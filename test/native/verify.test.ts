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
      `code offset 0x${(at & ~1).toString(16)} \\((firmware/src/policies/tlsf\\.ts:\\d+|code offset \\d+)\\)`,
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
