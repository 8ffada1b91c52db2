// What gcc makes of C on the core: a workload whose results qemu's Cortex-M4 gives too, and random programs of the native
// subset, translated to C, whose results JavaScript gives too. Both processors, several levels of optimisation. Needs
// arm-none-eabi-gcc, the first test qemu-system-arm as well. HEAPGLASS_PROGRAMS: random programs (default 80);
// HEAPGLASS_SEED: the first seed.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { packageRoot } from '../../../boards/root.ts';
import { highestBit, lowestBit } from '../../../firmware/src/bits.ts';
import { cortexM0Plus, cortexM4 } from '../../../firmware/toolchain/native/timing.ts';
import { Core } from '../../../sim/cortex-m/core.ts';
import { Fault, Memory } from '../../../sim/cortex-m/memory.ts';
import { ARENA_WORDS, random, randomProgram } from '../programs.ts';
import { C_PRELUDE, toC } from './to-c.ts';
import { build, hasTools, type Image, inTemporaryDirectory, runInQemu, START } from './toolchain.ts';

const programs = Number(process.env.HEAPGLASS_PROGRAMS ?? 80);
const firstSeed = Number(process.env.HEAPGLASS_SEED ?? 1);
const RAM = 0x20000000;
const RAM_BYTES = 4 << 20;
const MOST_INSTRUCTIONS = 20_000_000;

const hasGcc = hasTools('arm-none-eabi-gcc');
const hasQemu = hasTools('qemu-system-arm');

function coreFor(image: Image, cpu: string): { core: Core; ram: Uint8Array } {
  const code = new Uint8Array((image.bytes.length + 3) & ~3);
  code.set(image.bytes);
  const ram = new Uint8Array(RAM_BYTES);
  const memory = new Memory([
    { name: 'ram', base: RAM, bytes: ram, writable: true },
    { name: 'code', base: 0, bytes: code, writable: false },
  ]);
  return { core: new Core({ memory, timing: cpu === 'cortex-m4' ? cortexM4() : cortexM0Plus() }), ram };
}

/** Runs from the reset vector to the first BKPT. */
function runToBreakpoint(core: Core): void {
  core.r[13] = core.memory.load32(0);
  core.r[15] = core.memory.load32(4) & ~1;
  try {
    core.run(MOST_INSTRUCTIONS);
  } catch (error) {
    if (error instanceof Fault && error.kind === 'breakpoint') return;
    throw error;
  }
  throw new Error('the program does not end');
}

const builds = ['cortex-m0plus', 'cortex-m4'].flatMap((cpu) =>
  ['-O0', '-Os', '-O2'].map((level) => [cpu, level] as const),
);

test.skipIf(!hasGcc || !hasQemu)(
  'the C workload leaves what it leaves on qemu',
  () => {
    const files = { 'start.s': START, 'workload.c': readFileSync(`${packageRoot}/test/native/arm/workload.c`, 'utf8') };
    for (const [cpu, level] of builds) {
      inTemporaryDirectory((directory) => {
        const image = build(directory, files, [`-mcpu=${cpu}`, '-mfloat-abi=soft', level]);
        const expected = Buffer.from(runInQemu(directory, image));
        const { core, ram } = coreFor(image, cpu);
        runToBreakpoint(core);
        const start = image.symbols.get('out')! - RAM;
        expect(expected.some((byte) => byte !== 0)).toBe(true);
        expect([cpu, level, Buffer.from(ram.subarray(start, start + expected.length)).toString('hex')]).toEqual([
          cpu,
          level,
          expected.toString('hex'),
        ]);
      });
    }
  },
  600_000,
);

test.skipIf(!hasGcc)(
  `${programs} random programs, compiled by gcc, agree with JavaScript (seeds from ${firstSeed})`,
  () => {
    // C leaves the order of a call and a load open: only programs without calls.
    const chosen: { seed: number; text: string }[] = [];
    for (let seed = firstSeed; chosen.length < programs; seed++) {
      const text = randomProgram(seed);
      if (text.split('function ').length === 2) chosen.push({ seed, text });
    }
    const source = C_PRELUDE + chosen.map(({ seed, text }) => toC(text, `p${seed}`)).join('\n');
    for (const [cpu, level] of builds) {
      inTemporaryDirectory((directory) => {
        const flags = [`-mcpu=${cpu}`, level, '-fwrapv', '-fno-strict-aliasing', '-w'];
        const image = build(directory, { 'programs.c': source }, [...flags, '-Wl,--entry=0']);
        const { core, ram } = coreFor(image, cpu);
        for (const { seed, text } of chosen) {
          const body = text.replace(/^import .*$/gm, '').replaceAll('export function', 'function');
          const script = new Function('u8', 'u16', 'u32', 'highestBit', 'lowestBit', `${body}\nreturn main;`);
          const below = random(seed + 77);
          const words = Uint32Array.from({ length: ARENA_WORDS }, () => below(0xffffffff));
          const count = /main\(([^)]*)\)/.exec(text)![1]!.split(', ').length;
          const args = Array.from({ length: count }, () => (below(2) === 0 ? below(600) - 300 : below(0xffffffff) | 0));
          ram.set(new Uint8Array(words.buffer));
          const views = [new Uint8Array(words.buffer), new Uint16Array(words.buffer), words] as const;
          const want = script(...views, highestBit, lowestBit)(...args) | 0;
          core.r[13] = RAM + RAM_BYTES;
          const got = core.call(image.symbols.get(`p${seed}_main`)!, [RAM, ...args]);
          if (got !== want || Buffer.compare(views[0], ram.subarray(0, 4 * ARENA_WORDS)) !== 0) {
            throw new Error(`seed ${seed}, ${cpu} ${level}: ${want} in JavaScript, ${got} from gcc's code\n${text}`);
          }
        }
      });
    }
  },
  600_000,
);
