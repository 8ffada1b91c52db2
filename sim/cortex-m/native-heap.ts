/**
 * A compiled policy on a core, ready to be called: code in read-only flash, the arena and a stack in RAM. What lies
 * around them is not mapped, so code that leaves its bounds faults.
 */
import type { Compiled } from '../../firmware/toolchain/native/compile.ts';
import { cortexM0Plus, cortexM4 } from '../../firmware/toolchain/native/timing.ts';
import { FastRunner } from './blocks.ts';
import { Core, type Stop } from './core.ts';
import { Fault, Memory } from './memory.ts';

/** Where the code lies. */
export const FLASH_BASE = 0x10000000;
const ARENA_BASE = 0x20000000;
const STACK_BASE = 0x20800000;
const STACK_BYTES = 1024;

interface Runner {
  run(budget: number): Stop;
}

export interface NativeHeapOptions {
  readonly fast?: boolean;
  readonly runner?: (core: Core) => Runner;
}

export class NativeHeap {
  readonly core: Core;
  /** The arena's bytes, as the code sees them. */
  readonly arena: Uint8Array;
  /** Cycles of the last call: first instruction to return, the caller's BL excluded. */
  lastCycles = 0;
  private readonly compiled: Compiled;
  private readonly runner: Runner | undefined;
  private readonly addresses: ReadonlyMap<string, number>;

  /** `fast` runs blocks compiled to JavaScript; `runner` makes another way to run the core. */
  constructor(compiled: Compiled, arenaBytes: number, { fast = false, runner }: NativeHeapOptions = {}) {
    this.compiled = compiled;
    this.arena = new Uint8Array((arenaBytes + 7) & ~7);
    const code = new Uint8Array((compiled.layout.code.length + 3) & ~3);
    code.set(compiled.layout.code);
    const memory = new Memory([
      { name: 'arena', base: ARENA_BASE, bytes: this.arena, writable: true },
      { name: 'stack', base: STACK_BASE, bytes: new Uint8Array(STACK_BYTES), writable: true },
      { name: 'flash', base: FLASH_BASE, bytes: code, writable: false },
    ]);
    this.core = new Core({ memory, timing: compiled.cpu === 'cortex-m4' ? cortexM4() : cortexM0Plus() });
    this.runner = fast ? new FastRunner(this.core) : runner?.(this.core);
    this.addresses = new Map(compiled.routines.map(({ name, offset }) => [name, FLASH_BASE + offset]));
  }

  /** Calls an entry with its parameters. A fault names the source line of the instruction. */
  call(name: string, ...args: number[]): number {
    const address = this.addresses.get(name);
    if (address === undefined) throw new Error(`the blob has no entry ${name}`);
    this.core.r[13] = STACK_BASE + STACK_BYTES;
    const before = this.core.cycles;
    try {
      const result = this.core.call(address, [ARENA_BASE, ...args], this.runner);
      this.lastCycles = this.core.cycles - before;
      return result;
    } catch (error) {
      if (error instanceof Fault) error.message += ` (${placeOf(this.compiled, error.pc - FLASH_BASE)})`;
      throw error;
    }
  }
}

/** `firmware/src/policies/tlsf.ts:57` for a code offset; the offset itself where no line belongs to it. */
export function placeOf(compiled: Compiled, offset: number): string {
  for (const { at, address, halfwords } of compiled.layout.placed) {
    if (at !== null && offset >= address && offset < address + 2 * halfwords.length) {
      const { file, line } = compiled.source.locate(at);
      return `${file}:${line}`;
    }
  }
  return `code offset ${offset}`;
}
