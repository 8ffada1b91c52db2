/**
 * A cycle-counting Cortex-M core: the whole ARMv6-M instruction set and ARMv7E-M's integer instructions. Cycles come
 * from the timing table (ARM's manuals); cycle-counting, not cycle-accurate.
 *
 * 16-bit instructions are decoded once (decode.ts) and run in one loop (interpreter.ts), or as blocks compiled to
 * JavaScript (blocks.ts). 32-bit and system instructions are executed from their halfwords (rare.ts).
 */
import type { Timing } from '../../firmware/toolchain/native/timing.ts';
import { CodeCache } from './code-cache.ts';
import { EXC_RETURN, hardFault, initialPriorities, returnFromException, takePending } from './exceptions.ts';
import { conditionHolds, type Flags } from './flags.ts';
import { interpret } from './interpreter.ts';
import { Fault, type Memory } from './memory.ts';

/** A return to this address ends `run`: what `call` puts in lr. */
export const RETURN_ADDRESS = 0xfffffffe;

/** Instructions in one go of the interpreter: a count that fits V8's small integers. */
const MOST_AT_ONCE = 1 << 14;
/** What a call may execute before it counts as one that does not return. */
const MOST_INSTRUCTIONS = 100_000_000;

export interface CoreOptions {
  readonly memory: Memory;
  readonly timing: Timing;
}

export type Stop = 'returned' | 'budget' | 'breakpoint';

export class Core implements Flags {
  readonly memory: Memory;
  readonly timing: Timing;
  readonly isV7: boolean;
  readonly code: CodeCache;
  /** r0 to r15; r15 is the address of the next instruction between steps. */
  readonly r = new Int32Array(16);
  /** Flags as flags.ts keeps them: signs. */
  nz = 1;
  c = 0;
  v = 0;
  /** Saturation happened, and the greater-or-equal bits: ARMv7E-M. */
  q = false;
  ge = 0;
  /** ITSTATE; 0 outside an IT block. */
  it = 0;
  /** Of the last exclusive load. */
  exclusiveAddress: number | null = null;
  primask = 0;
  faultmask = 0;
  basepri = 0;
  control = 0;
  /** The stack pointer that r13 is not: PSP, or MSP while PSP is in use. */
  otherSp = 0;
  /** The exception being handled, 0 in thread mode. */
  ipsr = 0;
  /** Address of the vector table; exceptions are taken only with one. */
  vectors: number | null = null;
  readonly priorities = initialPriorities();
  readonly pending = new Set<number>();
  active: number[] = [];
  cycles = 0;
  instructions = 0;
  /** `run` stops before executing these addresses. */
  readonly breakpoints = new Set<number>();

  constructor({ memory, timing }: CoreOptions) {
    this.memory = memory;
    this.timing = timing;
    this.isV7 = timing.name === 'cortex-m4';
    this.code = new CodeCache(memory, this.isV7);
  }

  /** Runs one instruction. */
  step(): void {
    this.runSome(1);
  }

  /** Runs until the return address is reached, a breakpoint, or `budget` instructions were executed. */
  run(budget = Number.MAX_SAFE_INTEGER): Stop {
    const limit = this.instructions + budget;
    const first = this.instructions;
    while (this.instructions < limit) {
      const watches = this.breakpoints.size > 0;
      if (watches && this.instructions > first && this.breakpoints.has(this.r[15]! >>> 0)) return 'breakpoint';
      const stop = this.runSome(watches ? 1 : Math.min(limit - this.instructions, MOST_AT_ONCE));
      if (stop === 'returned') return stop;
    }
    return this.r[15]! >>> 0 === RETURN_ADDRESS ? 'returned' : 'budget';
  }

  /** Between instructions: takes exceptions, leads through IT blocks, and leaves the rest to the interpreter. */
  private runSome(budget: number): 'returned' | 'budget' {
    const r = this.r;
    if (this.pending.size > 0) r[15] = takePending(this, r, r[15]! >>> 0);
    try {
      if (this.it !== 0) this.stepInItBlock();
      else if (interpret(this, budget) === 'returned') {
        if (r[15]! >>> 0 === RETURN_ADDRESS) return 'returned';
        r[15] = returnFromException(this, r, r[15]!);
      }
    } catch (error) {
      if (!(error instanceof Fault) || this.vectors === null || error.kind === 'breakpoint') throw error;
      r[15] = hardFault(this, r, error.pc, error);
    }
    return 'budget';
  }

  /** Executes or skips one instruction of an IT block; of 16 bits, only comparisons set flags there. */
  private stepInItBlock(): void {
    const pc = this.r[15]! >>> 0;
    const h = this.memory.load16(pc);
    const isWide = h >> 11 >= 29;
    const condition = this.it >> 4;
    this.it = (this.it & 7) === 0 ? 0 : (this.it & 0xe0) | ((this.it << 1) & 0x1f);
    if (!this.holds(condition)) {
      this.r[15] = pc + (isWide ? 4 : 2);
      this.cycles += this.timing.alu;
      this.instructions++;
      return;
    }
    const { nz, c, v } = this;
    if (interpret(this, 1) === 'returned') return;
    if (isWide || isComparison(h)) return;
    this.nz = nz;
    this.c = c;
    this.v = v;
  }

  /** Makes an exception pending; `run` takes it when its priority suffices. */
  pend(exception: number): void {
    this.pending.add(exception);
  }

  /** Whether a condition, as encoded, holds. */
  holds(condition: number): boolean {
    return conditionHolds(condition, this.nz, this.c, this.v);
  }

  /**
   * Calls the routine at `address` (bit 0 may be set) with up to five words in r0 to r3 and r12 and returns r0. Throws a
   * Fault, also where the routine does not keep r4 to r11 or sp, or has not returned after MOST_INSTRUCTIONS.
   * `runner` runs it instead of the interpreter.
   */
  call(address: number, args: readonly number[], runner: { run(budget: number): Stop } = this): number {
    const r = this.r;
    const kept = r.slice(4, 12);
    const sp = r[13]!;
    args.forEach((arg, i) => {
      r[i < 4 ? i : 12] = arg;
    });
    r[14] = RETURN_ADDRESS | 1;
    r[15] = address & ~1;
    const stop = runner.run(MOST_INSTRUCTIONS);
    if (stop !== 'returned') throw new Fault(stop === 'breakpoint' ? 'breakpoint' : 'endless', r[15]!, r[15]!);
    for (let i = 0; i < 8; i++) if (r[4 + i] !== kept[i]) throw new Fault('convention', address, address);
    if (r[13] !== sp) throw new Fault('convention', address, address);
    return r[0]!;
  }

  /** Whether a branch to `pc` ends the call, or the exception. */
  isReturn(pc: number): boolean {
    return pc === RETURN_ADDRESS || (pc >= EXC_RETURN && this.ipsr !== 0);
  }

  /** The address that BX with this value goes to. */
  exchange(to: number, pc: number): number {
    if ((to & 1) === 0) throw new Fault('state', to, pc);
    return (to & ~1) >>> 0;
  }

  /** Whether stores to main memory cannot hit decoded code. */
  storesAreQuick(): boolean {
    const { main } = this.memory;
    return main.region.writable && !this.code.holds(main);
  }

  // Single accesses: a Cortex-M4 splits those that are not aligned.

  load32(address: number): number {
    if ((address & 3) === 0 || !this.isV7) return this.memory.load32(address);
    return this.load16(address) | (this.load16((address + 2) | 0) << 16);
  }

  load16(address: number): number {
    if ((address & 1) === 0 || !this.isV7) return this.memory.load16(address);
    return this.memory.load8(address) | (this.memory.load8((address + 1) | 0) << 8);
  }

  store32(address: number, value: number): void {
    if ((address & 3) === 0 || !this.isV7) this.storeAligned32(address, value);
    else {
      this.store16(address, value);
      this.store16((address + 2) | 0, value >>> 16);
    }
  }

  storeAligned32(address: number, value: number): void {
    this.memory.store32(address, value);
    this.code.storedTo(address);
  }

  store16(address: number, value: number): void {
    if ((address & 1) === 0 || !this.isV7) {
      this.memory.store16(address, value);
      this.code.storedTo(address);
    } else {
      this.store8(address, value);
      this.store8((address + 1) | 0, value >>> 8);
    }
  }

  store8(address: number, value: number): void {
    this.memory.store8(address, value);
    this.code.storedTo(address);
  }
}

/** CMP, CMN and TST of 16 bits. */
function isComparison(h: number): boolean {
  return h >> 11 === 5 || (h & 0xff00) === 0x4500 || [0x4200, 0x4280, 0x42c0].includes(h & 0xffc0);
}
