// Decoded code is kept in pages of a pool that all cores share: running and branching over a page's end, stores into code,
// and more cores than the pool has room for change nothing about what is executed.
import { expect, test } from 'vitest';
import { cortexM0Plus } from '../../firmware/toolchain/native/timing.ts';
import { FastRunner } from '../../sim/cortex-m/blocks.ts';
import { Core, RETURN_ADDRESS } from '../../sim/cortex-m/core.ts';
import { Memory } from '../../sim/cortex-m/memory.ts';

const CODE = 0x10000000;
const PAGE_BYTES = 65536;

const bl = (from: number, to: number): number[] => {
  const offset = to - from - 4;
  const s = offset < 0 ? 1 : 0;
  const j1 = ((offset >> 23) & 1) ^ s ^ 1;
  const j2 = ((offset >> 22) & 1) ^ s ^ 1;
  return [0xf000 | (s << 10) | ((offset >> 12) & 0x3ff), 0xd000 | (j1 << 13) | (j2 << 11) | ((offset >> 1) & 0x7ff)];
};

function coreWith(pieces: Readonly<Record<number, readonly number[]>>, bytes: number, writable = false): Core {
  const code = new Uint16Array(bytes / 2).fill(0xbf00);
  for (const [at, halfwords] of Object.entries(pieces)) code.set(halfwords, Number(at) / 2);
  const memory = new Memory([
    { name: 'code', base: CODE, bytes: new Uint8Array(code.buffer), writable },
    { name: 'ram', base: 0x20000000, bytes: new Uint8Array(1024), writable: true },
  ]);
  const core = new Core({ memory, timing: cortexM0Plus() });
  core.r[13] = 0x20000400;
  return core;
}

test('a page is run out of, branched out of and called out of', () => {
  const end = PAGE_BYTES;
  const pieces = {
    // movs r0, #1; b over the page's end; a BL whose halfwords lie on both sides of the next one; bx r7
    [end - 8]: [0x2001, 0xe000 | ((end + 4 - (end - 6) - 4) >> 1), 0x20ff, 0x20ff],
    [end + 4]: [0x3002],
    [2 * end - 2]: bl(2 * end - 2, 3 * end + 100),
    [2 * end + 2]: [0x3004, 0x4738],
    [3 * end + 100]: [0x3010, 0x2810, 0xd0fe, 0x4770],
  };
  for (const fast of [false, true]) {
    const core = coreWith(pieces, 4 * PAGE_BYTES);
    core.r[7] = RETURN_ADDRESS | 1;
    core.r[15] = CODE + end - 8;
    const runner = fast ? new FastRunner(core) : core;
    expect(runner.run(100_000)).toBe('returned');
    expect([fast, core.r[0]]).toEqual([fast, 1 + 2 + 16 + 4]);
    expect(core.instructions).toBe(2 + (PAGE_BYTES - 4 - 2) / 2 + 1 + 4 + 2);
  }
});

test('a conditional branch over the end of a page', () => {
  const pieces = { [PAGE_BYTES - 4]: [0x2800, 0xd002], [PAGE_BYTES]: [0x2105, 0x4770, 0xbf00, 0x2109, 0x4770] };
  for (const [r0, r1] of [
    [0, 9],
    [1, 5],
  ] as const) {
    const core = coreWith(pieces, 2 * PAGE_BYTES);
    core.call(CODE + PAGE_BYTES - 4, [r0]);
    expect(core.r[1]).toBe(r1);
  }
});

test('code that writes over itself runs as written', () => {
  // strh r1, [r0]; then what was written: movs r2, #7 instead of movs r2, #3
  const core = coreWith({ 0: [0x2203, 0x8001, 0x2203, 0x4770] }, 64, true);
  core.call(CODE, [CODE + 4, 0x2207]);
  expect(core.r[2]).toBe(7);
});

test('more cores than the pool holds, in turns', () => {
  const cores = Array.from({ length: 40 }, (_, k) =>
    coreWith({ 0: [0x3000 | k, 0x4770], [PAGE_BYTES]: [0x3000 | (k + 1), 0x4770] }, 2 * PAGE_BYTES),
  );
  for (let round = 0; round < 3; round++) {
    cores.forEach((core, k) => {
      expect(core.call(CODE, [round])).toBe(round + k);
      expect(core.call(CODE + PAGE_BYTES, [round], new FastRunner(core))).toBe(round + k + 1);
    });
  }
});
