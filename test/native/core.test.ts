// The core against rp2040js: random instruction streams, stepped together, give the same registers, flags and memory
// after every instruction, and the same cycles but for the ones rp2040js leaves out (LR in PUSH, PC in POP). The fast
// mode against the interpreter on the same streams and on compiled programs.
// HEAPGLASS_STREAMS: streams of 40 instructions (default 800); HEAPGLASS_SEED: the first seed.
import { readFileSync } from 'node:fs';
import { RP2040 } from 'rp2040js';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { compile } from '../../firmware/toolchain/native/compile.ts';
import { parseSource } from '../../firmware/toolchain/native/source.ts';
import { cortexM0Plus } from '../../firmware/toolchain/native/timing.ts';
import { FastRunner } from '../../sim/cortex-m/blocks.ts';
import { Core, RETURN_ADDRESS } from '../../sim/cortex-m/core.ts';
import { packFlags } from '../../sim/cortex-m/flags.ts';
import { Fault, Memory } from '../../sim/cortex-m/memory.ts';
import { NativeHeap } from '../../sim/cortex-m/native-heap.ts';
import { O } from '../../sim/cortex-m/operations.ts';
import { ARENA_WORDS, random, randomProgram } from './programs.ts';

const streams = Number(process.env.HEAPGLASS_STREAMS ?? 800);
const firstSeed = Number(process.env.HEAPGLASS_SEED ?? 1);

const FLASH = 0x10000000;
const RAM = 0x20000000;
const STREAM = 40;
const RAM_BYTES = 4096;

/** Halfwords of a stream: data in r0 to r4 and r7 to r12, r5 a small offset and r6 a pointer into RAM for accesses. */
function stream(seed: number): Uint16Array {
  const below = random(seed);
  const low = (): number => [0, 1, 2, 3, 4, 7][below(6)]!;
  const any = (): number => below(8);
  const high = (): number => [0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 12][below(11)]!;
  const list = (): number => below(256) & 0x9f;
  const one = (): number => {
    switch (below(18)) {
      case 0:
      case 1:
        return (below(3) << 11) | (below(32) << 6) | (any() << 3) | low();
      case 2:
        return 0x1800 | (below(4) << 9) | (any() << 6) | (any() << 3) | low();
      case 3:
        return 0x2000 | (below(4) << 11) | (low() << 8) | below(256);
      case 4:
      case 5:
      case 6:
        return 0x4000 | (below(16) << 6) | (any() << 3) | low();
      case 7: {
        const d = high();
        return [0x4400, 0x4500, 0x4600][below(3)]! | ((d & 8) << 4) | (high() << 3) | (d & 7);
      }
      case 8:
        return 0x4800 | (low() << 8) | below(20);
      case 9:
        return 0x5000 | (below(8) << 9) | (5 << 6) | (6 << 3) | low();
      case 10:
        return [0x6000, 0x6800, 0x7000, 0x7800, 0x8000, 0x8800][below(6)]! | (below(32) << 6) | (6 << 3) | low();
      case 11:
        return [0x9000, 0x9800, 0xa000, 0xa800][below(4)]! | (low() << 8) | below(16);
      case 12:
        return 0xb200 | (below(4) << 6) | (any() << 3) | low();
      case 13:
        return [0xba00, 0xba40, 0xbac0][below(3)]! | (any() << 3) | low();
      case 14: {
        const registers = list() || 1;
        return below(2) === 0 ? 0xb400 | registers | (below(2) << 8) : 0xbc00 | registers;
      }
      case 15:
        return [0xc000, 0xc800][below(2)]! | (6 << 8) | (list() || 2);
      case 16:
        return 0xd000 | (below(14) << 8) | below(3);
      default:
        return below(2) === 0 ? 0xe000 | below(3) : 0xbf00;
    }
  };
  return Uint16Array.from({ length: STREAM }, one);
}

function makeCore(code: Uint8Array): { core: Core; ram: Uint8Array } {
  const ram = new Uint8Array(RAM_BYTES);
  const memory = new Memory([
    { name: 'ram', base: RAM, bytes: ram, writable: true },
    { name: 'flash', base: FLASH, bytes: code, writable: false },
  ]);
  return { core: new Core({ memory, timing: cortexM0Plus() }), ram };
}

function registersFor(seed: number): number[] {
  const below = random(seed ^ 0x77777);
  const values = Array.from({ length: 13 }, () => (below(2) === 0 ? below(300) - 100 : below(0xffffffff) | 0));
  values[5] = below(64) * 4;
  values[6] = RAM + 512 + below(128) * 4;
  return [...values, RAM + 2048 + below(64) * 4, 0x10000001];
}

/** The stream, padded with NOPs that branches may land on. */
function codeOf(seed: number): Uint8Array {
  const halfwords = new Uint16Array(STREAM + 88).fill(0xbf00);
  halfwords.set(stream(seed));
  return new Uint8Array(halfwords.buffer);
}

describe('rp2040js', () => {
  const rp2040 = new RP2040();
  test(`${streams} random streams agree after every instruction (seeds from ${firstSeed})`, () => {
    const theirs = rp2040.core;
    for (let seed = firstSeed; seed < firstSeed + streams; seed++) {
      const code = codeOf(seed);
      const { core, ram } = makeCore(code);
      rp2040.flash.set(code);
      rp2040.sram.fill(0, 0, RAM_BYTES);
      const registers = registersFor(seed);
      core.r.set(registers);
      theirs.registers.set(registers.map((value) => value >>> 0));
      theirs.APSR = 0;
      core.nz = 1;
      theirs.PC = FLASH;
      core.r[15] = FLASH;
      for (let step = 0; step < STREAM; step++) {
        const pc = core.r[15]! >>> 0;
        const h = code[pc - FLASH]! | (code[pc - FLASH + 1]! << 8);
        const where = `seed ${seed}, step ${step}, 0x${h.toString(16)} at 0x${pc.toString(16)}`;
        const [before, theirBefore] = [core.cycles, theirs.cycles];
        const counts = core.r.slice(0, 8);
        const carry = core.c < 0;
        core.step();
        theirs.executeInstruction();
        // rp2040js counts neither LR in PUSH nor PC in POP.
        const uncounted = (h & 0xff00) === 0xb500 ? 1 : 0;
        expect([core.cycles - before - uncounted, where]).toEqual([theirs.cycles - theirBefore, where]);
        for (let k = 0; k < 16; k++) {
          if (core.r[k]! >>> 0 !== theirs.registers[k])
            expect([where, k, core.r[k]! >>> 0]).toEqual([where, k, theirs.registers[k]]);
        }
        // A register shift by 0 leaves the carry and one by more than 32 clears it (ARM DDI 0419, A2.2.1); rp2040js 1.4.1
        // takes some other bit.
        const isShift = [0x4080, 0x40c0, 0x4100, 0x41c0].includes(h & 0xffc0);
        const count = counts[(h >> 3) & 7]! & 255;
        if (isShift && (count === 0 || count > 32)) theirs.C = core.c < 0;
        // SBCS adds NOT(Rm) and the carry (A6.7.65). rp2040js 1.4.1 adds the borrow to Rm first, so 0x7fffffff changes its
        // sign before the overflow is told: Rn - 0x7fffffff - 1 overflows exactly where Rn is negative.
        const isSubtraction = (h & 0xffc0) === 0x4180;
        if (isSubtraction && !carry && counts[(h >> 3) & 7] === 0x7fffffff) theirs.V = counts[h & 7]! < 0;
        const flags = [31, 30, 29, 28].map((bit) => (packFlags(core) >>> bit) & 1);
        const theirFlags = [theirs.N, theirs.Z, theirs.C, theirs.V].map(Number);
        if (flags.join() !== theirFlags.join()) expect([where, flags]).toEqual([where, theirFlags]);
        // Keep the pointers that accesses need.
        for (const k of [5, 6, 13]) {
          core.r[k] = registers[k]!;
          theirs.registers[k] = registers[k]! >>> 0;
        }
      }
      expect(Buffer.compare(ram, rp2040.sram.subarray(0, RAM_BYTES))).toBe(0);
    }
  }, 3_600_000);
});

describe('fast mode', () => {
  test('random streams end in the same state as interpreted', () => {
    for (let seed = firstSeed; seed < firstSeed + Math.min(streams, 250); seed++) {
      const code = codeOf(seed);
      // The stream ends in BX lr.
      code.set([0x70, 0x47], code.length - 2);
      const run = (fast: boolean): unknown => {
        const { core, ram } = makeCore(code);
        core.r.set(registersFor(seed));
        core.r[14] = RETURN_ADDRESS | 1;
        core.r[15] = FLASH;
        let stop: string;
        try {
          stop = fast ? new FastRunner(core).run(2000) : core.run(2000);
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
          return `${error.message} at ${error.pc}`;
        }
        if (stop !== 'returned') return stop;
        return [stop, [...core.r], packFlags(core), core.cycles, core.instructions, Buffer.from(ram).toString('hex')];
      };
      expect([seed, run(true)]).toEqual([seed, run(false)]);
    }
  }, 600_000);

  test('compiled programs give the same arena, cycles and instructions', () => {
    for (let seed = firstSeed; seed < firstSeed + Math.min(streams, 25); seed++) {
      const compiled = compile(parseSource(randomProgram(seed)), { cpu: 'cortex-m0plus', entries: ['main'] });
      const run = (fast: boolean): unknown => {
        const heap = new NativeHeap(compiled, ARENA_WORDS * 4, { fast });
        const result = heap.call('main', 1, -2, 300);
        return [result, heap.lastCycles, heap.core.instructions, Buffer.from(heap.arena).toString('hex')];
      };
      expect([seed, run(true)]).toEqual([seed, run(false)]);
    }
  }, 600_000);
});

describe('faults', () => {
  const fault = (halfwords: readonly number[], registers: Record<number, number>): string => {
    const code = new Uint8Array(Uint16Array.from([...halfwords, 0x4770, 0xbf00, 0xbf00].slice(0, 4)).buffer);
    const messages = [false, true].map((fast) => {
      const { core } = makeCore(code);
      for (const [k, value] of Object.entries(registers)) core.r[Number(k)] = value;
      core.r[14] = RETURN_ADDRESS | 1;
      core.r[15] = FLASH;
      try {
        if (fast) new FastRunner(core).run(10);
        else core.run(10);
        return 'none';
      } catch (error) {
        return error instanceof Fault ? `${error.message}, pc 0x${error.pc.toString(16)}` : String(error);
      }
    });
    expect(messages[1]).toBe(messages[0]);
    return messages[0]!;
  };

  test('an unaligned, unmapped or read-only access names its address and instruction', () => {
    expect(fault([0x6808], { 1: RAM + 2 })).toBe('unaligned access to 0x20000002, pc 0x10000000');
    expect(fault([0xbf00, 0x6808], { 1: 0x30000000 })).toBe('access outside memory at 0x30000000, pc 0x10000002');
    expect(fault([0x6008], { 1: FLASH })).toBe('store to read-only memory at 0x10000000, pc 0x10000000');
    expect(fault([0x5c08], { 1: -4 })).toMatch(/^access outside memory at 0x/);
  });

  test('an undefined instruction, BKPT, ARM state and code outside memory', () => {
    expect(fault([0xde00], {})).toBe('undefined instruction at 0x10000000, pc 0x10000000');
    expect(fault([0xbe00], {})).toBe('BKPT at 0x10000000, pc 0x10000000');
    expect(fault([0x4700], { 0: 0x20000000 })).toBe('branch to ARM state at 0x20000000, pc 0x10000000');
    expect(fault([0x4700], { 0: 0x40000001 })).toMatch(/^access outside memory at 0x40000000/);
    expect(fault([0xf7f0, 0xa000], {})).toMatch(/^undefined instruction/);
  });
});

test("the interpreter's case labels are the decoder's operations", () => {
  const text = readFileSync(`${packageRoot}/sim/cortex-m/interpreter.ts`, 'utf8');
  const loop = text.slice(text.indexOf('switch (w & 63)'));
  const labels = [...loop.matchAll(/case (\d+):(?: \{)?\s*\/\/ ([A-Z0-9]+)/g)].map(([, value, name]) => [
    name,
    Number(value),
  ]);
  expect(labels.length).toBeGreaterThan(40);
  for (const [name, value] of labels) expect([name, O[name as keyof typeof O]]).toEqual([name, value]);
});
