// Exceptions and special registers: a program in ARMv6-M assembler leaves the words that it leaves on qemu, on both
// processors. exceptions.txt has the program's image as gcc's assembler made it and those words, and is checked
// everywhere; HEAPGLASS_RECORD=1 writes it again where the tools are. And what qemu cannot show: `pend`, priorities, lock-up.
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { packageRoot } from '../../../boards/root.ts';
import { cortexM0Plus, cortexM4 } from '../../../firmware/toolchain/native/timing.ts';
import { Core } from '../../../sim/cortex-m/core.ts';
import { EXCEPTION } from '../../../sim/cortex-m/exceptions.ts';
import { Memory } from '../../../sim/cortex-m/memory.ts';
import { build, hasTools, inTemporaryDirectory, runInQemu, startUp } from './toolchain.ts';

const FOLDER = `${packageRoot}/test/native/arm`;
const RAM = 0x20000000;

interface Recorded {
  readonly image: Uint8Array;
  readonly out: number;
  readonly words: string;
}

function fromTools(): Recorded {
  return inTemporaryDirectory((directory) => {
    const files = { 'start.s': startUp('on_fault', 'on_svc'), 'x.s': readFileSync(`${FOLDER}/exceptions.s`, 'utf8') };
    const image = build(directory, files, ['-mcpu=cortex-m0plus']);
    const words = Buffer.from(runInQemu(directory, image)).toString('hex');
    return { image: image.bytes, out: image.symbols.get('out')!, words };
  });
}

function recorded(): Recorded {
  const [image, out, words] = readFileSync(`${FOLDER}/exceptions.txt`, 'utf8').split('\n').slice(1);
  return { image: new Uint8Array(Buffer.from(image!, 'hex')), out: Number(out), words: words! };
}

function coreFor(image: Uint8Array, timing: typeof cortexM0Plus | typeof cortexM4): { core: Core; ram: Uint8Array } {
  const code = new Uint8Array((image.length + 3) & ~3);
  code.set(image);
  const ram = new Uint8Array(4 << 20);
  const memory = new Memory([
    { name: 'ram', base: RAM, bytes: ram, writable: true },
    { name: 'code', base: 0, bytes: code, writable: false },
  ]);
  const core = new Core({ memory, timing: timing() });
  core.vectors = 0;
  core.r[13] = memory.load32(0);
  core.r[15] = memory.load32(4) & ~1;
  return { core, ram };
}

function check({ image, out, words }: Recorded): void {
  for (const timing of [cortexM0Plus, cortexM4]) {
    const { core, ram } = coreFor(image, timing);
    expect(() => core.run(10_000)).toThrow('BKPT');
    const got = Buffer.from(ram.subarray(out - RAM, out - RAM + words.length / 2)).toString('hex');
    expect(got.match(/.{8}/g)).toEqual(words.match(/.{8}/g));
  }
}

const tools = hasTools('arm-none-eabi-gcc', 'qemu-system-arm');

test.skipIf(!tools || process.env.HEAPGLASS_RECORD !== '1')('exceptions.txt is written', () => {
  const { image, out, words } = fromTools();
  const head =
    "The image of exceptions.s from address 0 (GNU assembler), the address of `out`, and out's words as qemu-system-arm leaves them";
  writeFileSync(`${FOLDER}/exceptions.txt`, `${head}\n${Buffer.from(image).toString('hex')}\n${out}\n${words}\n`);
});

test('SVC, hard faults, both stacks and special registers: as recorded', () => check(recorded()));

test.skipIf(!tools)('SVC, hard faults, both stacks and special registers: as qemu does it now', () =>
  check(fromTools()),
);

/** Handlers that push their number to a list in RAM at r7, and a main program of NOPs. */
function handlers(): { core: Core; ram: Uint8Array } {
  const image = new Uint8Array(512);
  const view = new DataView(image.buffer);
  const HANDLER = 0x100;
  const MAIN = 0x140;
  view.setUint32(0, RAM + 4096, true);
  view.setUint32(4, MAIN | 1, true);
  for (let number = 2; number < 48; number++) view.setUint32(4 * number, HANDLER | 1, true);
  // mrs r0, IPSR; stmia r7!, {r0}; bx lr
  [0xf3ef, 0x8005, 0xc701, 0x4770].forEach((h, k) => void view.setUint16(HANDLER + 2 * k, h, true));
  for (let at = MAIN; at < 512; at += 2) view.setUint16(at, 0xbf00, true);
  const made = coreFor(image, cortexM0Plus);
  made.core.r[7] = RAM;
  return made;
}

const taken = (ram: Uint8Array): number[] => [...new Uint32Array(ram.buffer, 0, 6)].filter((number) => number !== 0);

test('pending exceptions are taken by priority, one behind the other, and come back', () => {
  const { core, ram } = handlers();
  core.priorities[EXCEPTION.PendSV] = 192;
  core.priorities[EXCEPTION.SysTick] = 64;
  core.priorities[20] = 64;
  for (const number of [EXCEPTION.PendSV, 20, EXCEPTION.SysTick, EXCEPTION.NMI]) core.pend(number);
  core.r[0] = 1234;
  core.run(20);
  expect(taken(ram)).toEqual([2, 15, 20, 14]);
  expect([core.r[0], core.r[13], core.ipsr, core.instructions]).toEqual([1234, RAM + 4096, 0, 20]);
});

test('PRIMASK holds back all but NMI and hard faults', () => {
  const { core, ram } = handlers();
  core.primask = 1;
  core.pend(EXCEPTION.SysTick);
  core.pend(EXCEPTION.NMI);
  core.run(8);
  expect(taken(ram)).toEqual([2]);
  core.primask = 0;
  core.run(8);
  expect(taken(ram)).toEqual([2, 15]);
});

test('entry and return take the stated cycles', () => {
  const { core } = handlers();
  core.run(4);
  const before = core.cycles;
  core.pend(EXCEPTION.SysTick);
  core.run(4);
  // Entry 15, MRS 3, STM 2, BX 2, return 11, one NOP.
  expect(core.cycles - before).toBe(15 + 3 + 2 + 2 + 11 + 1);
});

test('a fault in the hard fault handler locks up: the run ends with it', () => {
  const { core } = handlers();
  const memory = core.memory.find(0x100)!;
  // The handler is undefined too.
  memory.u16[0x80] = 0xde00;
  memory.u16[0xa0] = 0xde00;
  expect(() => core.run(10)).toThrow('undefined instruction at 0x00000100');
});

test('without a vector table an SVC stops the run with its address', () => {
  const { core } = handlers();
  core.vectors = null;
  core.memory.find(0x100)!.u16[0xa0] = 0xdf07;
  expect(() => core.run(10)).toThrow('SVC at 0x00000140');
});

test('the rest of an IT block is done after an exception in it', () => {
  const { core, ram } = handlers();
  const v7 = new Core({ memory: core.memory, timing: cortexM4() });
  v7.vectors = 0;
  v7.r.set(core.r);
  const code = core.memory.find(0x140)!.u16;
  // ittt eq; moveq r1, #1; moveq r2, #2; moveq r3, #3
  [0xbf02, 0x2101, 0x2202, 0x2303].forEach((h, k) => {
    code[0xa0 + k] = h;
  });
  v7.nz = 0;
  v7.run(2);
  v7.pend(EXCEPTION.SysTick);
  v7.run(8);
  expect(taken(ram)).toEqual([15]);
  expect([v7.r[1], v7.r[2], v7.r[3], v7.it]).toEqual([1, 2, 3, 0]);
});
