// Instructions a second of rp2040js, of the interpreter and of the fast mode: the same blob, in one run, in many short
// turns. Time is the process's own processor time; each turn gives a ratio between neighbours, and the median of the
// ratios counts, because other work may run beside it. HEAPGLASS_SPEED=1 demands the full ratios.
import { RP2040 } from 'rp2040js';
import { expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { type Compiled, compile } from '../../firmware/toolchain/native/compile.ts';
import { readSource } from '../../firmware/toolchain/native/source.ts';
import { cortexM0Plus } from '../../firmware/toolchain/native/timing.ts';
import { FastRunner } from '../../sim/cortex-m/blocks.ts';
import { Core, RETURN_ADDRESS } from '../../sim/cortex-m/core.ts';
import { Memory } from '../../sim/cortex-m/memory.ts';

const strict = process.env.HEAPGLASS_SPEED === '1';
const turns = strict ? 40 : 8;
/** Until V8 has compiled all three. */
const WARM_UP_TURNS = 6;
const FLASH = 0x10000000;
const RAM = 0x20000000;
const STACK_TOP = RAM + 65536;

/** Instructions a second of one turn of `main(rounds)`. */
type Runner = (rounds: number) => { instructions: number; seconds: number };

function ourRunner(compiled: Compiled, fast: boolean): Runner {
  const flash = new Uint8Array((compiled.layout.code.length + 3) & ~3);
  flash.set(compiled.layout.code);
  const memory = new Memory([
    { name: 'ram', base: RAM, bytes: new Uint8Array(65536), writable: true },
    { name: 'flash', base: FLASH, bytes: flash, writable: false },
  ]);
  const core = new Core({ memory, timing: cortexM0Plus() });
  const runner = fast ? new FastRunner(core) : core;
  return (rounds) => {
    core.r[13] = STACK_TOP;
    const before = core.instructions;
    const start = process.cpuUsage();
    core.call(FLASH + compiled.routines[0]!.offset, [RAM, rounds], runner);
    return { instructions: core.instructions - before, seconds: process.cpuUsage(start).user / 1e6 };
  };
}

function theirRunner(compiled: Compiled): Runner {
  const rp2040 = new RP2040();
  rp2040.flash.set(compiled.layout.code);
  return (rounds) => {
    const core = rp2040.core;
    core.registers.set([RAM, rounds]);
    core.registers[13] = STACK_TOP;
    core.registers[14] = RETURN_ADDRESS | 1;
    core.PC = FLASH + compiled.routines[0]!.offset;
    let instructions = 0;
    const start = process.cpuUsage();
    while (core.PC !== RETURN_ADDRESS) {
      core.executeInstruction();
      instructions++;
    }
    return { instructions, seconds: process.cpuUsage(start).user / 1e6 };
  };
}

function median(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[list.length >> 1]!;
}

test('instructions a second beside rp2040js', () => {
  const source = readSource(`${packageRoot}/test/native/churn.ts`);
  const compiled = compile(source, { cpu: 'cortex-m0plus', entries: ['churn'] });
  const runners = {
    rp2040js: theirRunner(compiled),
    interpreted: ourRunner(compiled, false),
    blocks: ourRunner(compiled, true),
  };
  const rates: Record<string, number[]> = { rp2040js: [], interpreted: [], blocks: [] };
  const rounds: Record<string, number> = { rp2040js: 200, interpreted: 1000, blocks: 4000 };
  for (let turn = 0; turn < WARM_UP_TURNS + turns; turn++) {
    for (const [name, run] of Object.entries(runners)) {
      const { instructions, seconds } = run(rounds[name]!);
      if (turn >= WARM_UP_TURNS) rates[name]!.push(instructions / seconds / 1e6);
    }
  }
  const ratio = (name: string): number => median(rates[name]!.map((rate, turn) => rate / rates.rp2040js![turn]!));
  const [interpreted, blocks] = [ratio('interpreted'), ratio('blocks')];
  const mips = Object.entries(rates).map(([name, list]) => `${name} ${median(list).toFixed(1)}`);
  console.info(
    `MIPS, median of ${turns} turns: ${mips.join(', ')}; median ratios to rp2040js: interpreted ${interpreted.toFixed(1)}, blocks ${blocks.toFixed(1)}`,
  );
  expect(interpreted).toBeGreaterThan(strict ? 5 : 2.5);
  expect(blocks).toBeGreaterThan(strict ? 15 : 7);
  // Both cores executed the same program.
  expect(runners.interpreted(50).instructions).toBe(runners.rp2040js(50).instructions);
}, 600_000);
