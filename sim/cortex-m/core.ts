/**
 * A cycle-counting Cortex-M core: the whole ARMv6-M instruction set, and ARMv7E-M's integer instructions through
 * thumb2.ts. Instructions are decoded once into packed words (decode.ts) and interpreted from there; stores to decoded
 * code drop what was decoded. Cycles come from the timing table (ARM's manuals); cycle-counting, not cycle-accurate.
 *
 * Flags: `nz` holds the last result, whose sign is N and whose being 0 is Z; `c` and `v` are 0 or 1.
 */
import type { Timing } from '../../firmware/toolchain/native/timing.ts';
import { branchLinkOffset, decode } from './decode.ts';
import { Fault, type Memory, type Window } from './memory.ts';
import { executeThumb2 } from './thumb2.ts';

/** A return to this address ends `run`: what `call` puts in lr. */
export const RETURN_ADDRESS = 0xfffffffe;

/** Instructions in one go of the interpreter: a count that fits V8's small integers. */
const MOST_AT_ONCE = 0x3fffffff;
/** What a call may execute before it counts as one that does not return. */
const MOST_INSTRUCTIONS = 100_000_000;

export interface CoreOptions {
  readonly memory: Memory;
  readonly timing: Timing;
}

export type Stop = 'returned' | 'budget' | 'breakpoint';

export class Core {
  readonly memory: Memory;
  readonly timing: Timing;
  readonly isV7: boolean;
  /** r0 to r15; r15 is the address of the next instruction between steps. */
  readonly r = new Int32Array(16);
  nz = 1;
  c = 0;
  v = 0;
  primask = 0;
  cycles = 0;
  instructions = 0;
  /** `run` stops before executing these addresses. */
  readonly breakpoints = new Set<number>();
  private readonly decoded = new Map<Window, Int32Array>();
  private codeWindow: Window | null = null;
  private code: Int32Array = new Int32Array(0);
  /** Addresses between which code was decoded: a store there drops it. */
  private decodedLow = 0xffffffff;
  private decodedHigh = 0;
  /** Counts drops of decoded code, for who keeps something made from it. */
  codeVersion = 0;

  constructor({ memory, timing }: CoreOptions) {
    this.memory = memory;
    this.timing = timing;
    this.isV7 = timing.name === 'cortex-m4';
  }

  /** Runs one instruction. */
  step(): void {
    this.interpret(1, false);
  }

  /** Runs until the return address is reached, a breakpoint, or `budget` instructions were executed. */
  run(budget = Number.MAX_SAFE_INTEGER): Stop {
    const limit = this.instructions + budget;
    while (this.instructions < limit) {
      const stop = this.interpret(Math.min(limit - this.instructions, MOST_AT_ONCE), this.breakpoints.size > 0);
      if (stop !== 'budget') return stop;
    }
    return this.r[15]! >>> 0 === RETURN_ADDRESS ? 'returned' : 'budget';
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

  holds(cond: number): boolean {
    return test(cond, this.nz, this.c, this.v);
  }
  get n(): number {
    return this.nz < 0 ? 1 : 0;
  }

  /** Enters the window that holds `pc` as the one instructions come from. */
  private fetchFrom(pc: number): Window {
    const window = this.memory.find(pc);
    if (!window) throw new Fault('unmapped', pc, pc);
    let code = this.decoded.get(window);
    if (!code) {
      code = new Int32Array(window.size >> 1);
      this.decoded.set(window, code);
    }
    this.codeWindow = window;
    this.code = code;
    return window;
  }

  private decodeAt(pc: number): number {
    const window = this.codeWindow!;
    const index = (pc - window.base) >> 1;
    const word = decode(window.u16[index]!, window.u16[index + 1] ?? 0, this);
    this.code[index] = word;
    if (pc < this.decodedLow) this.decodedLow = pc;
    if (pc + 4 > this.decodedHigh) this.decodedHigh = pc + 4;
    return word;
  }

  /** The decoded word at `pc`, for the block compiler. */
  decodedAt(pc: number): number {
    if (!this.codeWindow || (pc - this.codeWindow.base) >>> 0 >= this.codeWindow.size) this.fetchFrom(pc);
    return this.code[(pc - this.codeWindow!.base) >> 1] || this.decodeAt(pc);
  }

  /** Bytes of memory were changed from outside, or by a store into code. */
  codeChanged(): void {
    for (const code of this.decoded.values()) code.fill(0);
    this.decodedLow = 0xffffffff;
    this.decodedHigh = 0;
    this.codeVersion++;
  }

  private storedTo(address: number): void {
    if (address >>> 0 >= this.decodedLow && address >>> 0 < this.decodedHigh) this.codeChanged();
  }

  load32(address: number): number {
    const main = this.memory.main;
    const offset = (address - main.base) >>> 0;
    if (offset < main.size && (offset & 3) === 0) return main.i32[offset >> 2]!;
    return this.memory.load32(address);
  }

  load16(address: number): number {
    const main = this.memory.main;
    const offset = (address - main.base) >>> 0;
    if (offset < main.size && (offset & 1) === 0) return main.u16[offset >> 1]!;
    return this.memory.load16(address);
  }

  load8(address: number): number {
    const main = this.memory.main;
    const offset = (address - main.base) >>> 0;
    if (offset < main.size) return main.u8[offset]!;
    return this.memory.load8(address);
  }

  store32(address: number, value: number): void {
    const main = this.memory.main;
    const offset = (address - main.base) >>> 0;
    if (offset < main.size && (offset & 3) === 0 && main.region.writable) main.i32[offset >> 2] = value;
    else this.memory.store32(address, value);
    this.storedTo(address);
  }

  store16(address: number, value: number): void {
    const main = this.memory.main;
    const offset = (address - main.base) >>> 0;
    if (offset < main.size && (offset & 1) === 0 && main.region.writable) main.u16[offset >> 1] = value;
    else this.memory.store16(address, value);
    this.storedTo(address);
  }

  store8(address: number, value: number): void {
    const main = this.memory.main;
    const offset = (address - main.base) >>> 0;
    if (offset < main.size && main.region.writable) main.u8[offset] = value;
    else this.memory.store8(address, value);
    this.storedTo(address);
  }

  /** Sets the flags of a + b + carry and returns the sum. */
  addWithCarry(a: number, b: number, carry: number): number {
    const sum = (a >>> 0) + (b >>> 0) + carry;
    const result = sum | 0;
    this.c = sum > 0xffffffff ? 1 : 0;
    this.v = ((a ^ result) & (b ^ result)) < 0 ? 1 : 0;
    this.nz = result;
    return result;
  }

  private interpret(budget: number, watch: boolean): Stop {
    const r = this.r;
    const t = this.timing;
    // Each instruction counts as one of `alu` at the end; what takes longer adds the difference where it is executed.
    const alu = t.alu;
    const load = t.load - alu;
    const store = t.store - alu;
    const branchTaken = t.branchTaken - alu;
    const branchNotTaken = t.branchNotTaken - alu;
    // Most accesses go to the main window; stores that may hit decoded code take the long way.
    const { base, size, i32, u16, u8, region } = this.memory.main;
    const quickSize =
      region.writable && !this.decoded.has(this.memory.main) && this.memory.find(this.r[15]!) !== this.memory.main
        ? size
        : 0;
    let nz = this.nz;
    let c = this.c;
    let v = this.v;
    // Signed, like every number here: V8 keeps them in integer registers.
    let pc = r[15]!;
    let left = budget;
    // Where instructions come from; looked up again when pc leaves it.
    let codeBase = 0;
    let codeSize = 0;
    let code = this.code;
    let wait = 0;
    let cycles = 0;
    try {
      while (left > 0) {
        const at = (pc - codeBase) >>> 0;
        if (at >= codeSize) {
          if (pc === (RETURN_ADDRESS | 0)) return 'returned';
          const window = this.fetchFrom(pc >>> 0);
          codeBase = window.base | 0;
          codeSize = window.size;
          code = this.code;
          wait = window.region.waitStates ?? 0;
          continue;
        }
        if (watch && this.breakpoints.has(pc >>> 0) && left !== budget) return 'breakpoint';
        const known = code[at >> 1]!;
        const w = known !== 0 ? known : this.decodeAt(pc >>> 0);
        left--;
        if (wait !== 0 && (pc & 2) === 0) cycles += wait;
        const d = (w >> 8) & 15;
        const n = (w >> 12) & 15;
        const m = w >> 16;
        let next = pc + 2;
        // V8 makes a jump table of literal cases only: the names are in the comments, and a test compares them with O.
        switch (w & 255) {
          case 1: {
            // LSLI
            const x = r[n]!;
            if (m !== 0) c = (x >>> (32 - m)) & 1;
            r[d] = nz = x << m;
            break;
          }
          case 2: {
            // LSRI
            const x = r[n]!;
            c = (x >>> (m - 1)) & 1;
            r[d] = nz = m === 32 ? 0 : (x >>> m) | 0;
            break;
          }
          case 3: {
            // ASRI
            const x = r[n]!;
            c = (x >> (m - 1)) & 1;
            r[d] = nz = m === 32 ? x >> 31 : x >> m;
            break;
          }
          case 4: // ADDR
            {
              const x = r[n]!;
              const y = r[m]!;
              const s = (x + y) | 0;
              c = s >>> 0 < x >>> 0 ? 1 : 0;
              v = ((x ^ s) & (y ^ s)) < 0 ? 1 : 0;
              nz = s;
              r[d] = s;
            }
            break;
          case 5: // SUBR
            {
              const x = r[n]!;
              const y = r[m]!;
              const s = (x - y) | 0;
              c = x >>> 0 >= y >>> 0 ? 1 : 0;
              v = ((x ^ y) & (x ^ s)) < 0 ? 1 : 0;
              nz = s;
              r[d] = s;
            }
            break;
          case 6: // ADDI3
          case 10: // ADDI
            {
              const x = r[n]!;
              const y = m;
              const s = (x + y) | 0;
              c = s >>> 0 < x >>> 0 ? 1 : 0;
              v = ((x ^ s) & (y ^ s)) < 0 ? 1 : 0;
              nz = s;
              r[d] = s;
            }
            break;
          case 7: // SUBI3
          case 11: // SUBI
            {
              const x = r[n]!;
              const y = m;
              const s = (x - y) | 0;
              c = x >>> 0 >= y >>> 0 ? 1 : 0;
              v = ((x ^ y) & (x ^ s)) < 0 ? 1 : 0;
              nz = s;
              r[d] = s;
            }
            break;
          case 8: // MOVI
            r[d] = nz = m;
            break;
          case 9: // CMPI
            {
              const x = r[n]!;
              const y = m;
              const s = (x - y) | 0;
              c = x >>> 0 >= y >>> 0 ? 1 : 0;
              v = ((x ^ y) & (x ^ s)) < 0 ? 1 : 0;
              nz = s;
            }
            break;
          case 12: // AND
            r[d] = nz = r[d]! & r[m]!;
            break;
          case 13: // EOR
            r[d] = nz = r[d]! ^ r[m]!;
            break;
          case 24: // ORR
            r[d] = nz = r[d]! | r[m]!;
            break;
          case 26: // BIC
            r[d] = nz = r[d]! & ~r[m]!;
            break;
          case 27: // MVN
            r[d] = nz = ~r[m]!;
            break;
          case 20: // TST
            nz = r[d]! & r[m]!;
            break;
          case 14: // LSLR
            this.c = c;
            r[d] = nz = this.shiftLeft(r[d]!, r[m]! & 255);
            c = this.c;
            break;
          case 15: // LSRR
            this.c = c;
            r[d] = nz = this.shiftRight(r[d]!, r[m]! & 255);
            c = this.c;
            break;
          case 16: // ASRR
            this.c = c;
            r[d] = nz = this.shiftArithmetic(r[d]!, r[m]! & 255);
            c = this.c;
            break;
          case 19: // ROR
            this.c = c;
            r[d] = nz = this.rotate(r[d]!, r[m]! & 255);
            c = this.c;
            break;
          case 17: // ADC
            r[d] = nz = this.addWithCarry(r[d]!, r[m]!, c);
            c = this.c;
            v = this.v;
            break;
          case 18: // SBC
            r[d] = nz = this.addWithCarry(r[d]!, ~r[m]!, c);
            c = this.c;
            v = this.v;
            break;
          case 21: // NEG
            {
              const x = 0;
              const y = r[m]!;
              const s = (x - y) | 0;
              c = x >>> 0 >= y >>> 0 ? 1 : 0;
              v = ((x ^ y) & (x ^ s)) < 0 ? 1 : 0;
              nz = s;
              r[d] = s;
            }
            break;
          case 22: // CMP
            {
              const x = r[d]!;
              const y = r[m]!;
              const s = (x - y) | 0;
              c = x >>> 0 >= y >>> 0 ? 1 : 0;
              v = ((x ^ y) & (x ^ s)) < 0 ? 1 : 0;
              nz = s;
            }
            break;
          case 23: // CMN
            {
              const x = r[d]!;
              const y = r[m]!;
              const s = (x + y) | 0;
              c = s >>> 0 < x >>> 0 ? 1 : 0;
              v = ((x ^ s) & (y ^ s)) < 0 ? 1 : 0;
              nz = s;
            }
            break;
          case 25: // MUL
            r[d] = nz = Math.imul(r[d]!, r[m]!);
            cycles += t.multiply - alu;
            break;
          case 29: // CMPH
            {
              const x = d === 15 ? pc + 4 : r[d]!;
              const y = m === 15 ? pc + 4 : r[m]!;
              const s = (x - y) | 0;
              c = x >>> 0 >= y >>> 0 ? 1 : 0;
              v = ((x ^ y) & (x ^ s)) < 0 ? 1 : 0;
              nz = s;
            }
            break;
          case 28: {
            // ADDH
            const sum = (r[d]! + (m === 15 ? pc + 4 : r[m]!)) | 0;
            r[d] = d === 13 ? sum & ~3 : sum;
            break;
          }
          case 30: {
            // MOVH
            const x = m === 15 ? pc + 4 : r[m]!;
            r[d] = d === 13 ? x & ~3 : x;
            break;
          }
          case 73: // ADDPC
            next = ((pc + 4 + (m === 15 ? pc + 4 : r[m]!)) & ~1) | 0;
            cycles += t.movePc - alu;
            break;
          case 74: // MOVPC
            next = ((m === 15 ? pc + 4 : r[m]!) & ~1) | 0;
            cycles += t.movePc - alu;
            break;
          case 31: // BX
            next = this.exchange(r[m]!, pc) | 0;
            cycles += t.branchExchange - alu;
            break;
          case 32: {
            // BLX
            const to = this.exchange(r[m]!, pc);
            r[14] = (pc + 2) | 1;
            next = to | 0;
            cycles += t.branchExchange - alu;
            break;
          }
          case 33: // LDRPC
            {
              const x = (((pc + 4) & ~3) >>> 0) + m;
              const o = (x - base) >>> 0;
              r[d] = o < size && (o & 3) === 0 ? i32[o >> 2]! : this.memory.load32(x);
            }
            cycles += load + wait;
            break;
          case 38: // LDRR
            {
              const x = (r[n]! + r[m]!) | 0;
              const o = (x - base) >>> 0;
              r[d] = o < size && (o & 3) === 0 ? i32[o >> 2]! : this.memory.load32(x);
            }
            cycles += load;
            break;
          case 43: // LDRI
            {
              const x = (r[n]! + m) | 0;
              const o = (x - base) >>> 0;
              r[d] = o < size && (o & 3) === 0 ? i32[o >> 2]! : this.memory.load32(x);
            }
            cycles += load;
            break;
          case 39: // LDRHR
            {
              const x = (r[n]! + r[m]!) | 0;
              const o = (x - base) >>> 0;
              r[d] = o < size && (o & 1) === 0 ? u16[o >> 1]! : this.memory.load16(x);
            }
            cycles += load;
            break;
          case 47: // LDRHI
            {
              const x = (r[n]! + m) | 0;
              const o = (x - base) >>> 0;
              r[d] = o < size && (o & 1) === 0 ? u16[o >> 1]! : this.memory.load16(x);
            }
            cycles += load;
            break;
          case 40: // LDRBR
            {
              const x = (r[n]! + r[m]!) | 0;
              const o = (x - base) >>> 0;
              r[d] = o < size ? u8[o]! : this.memory.load8(x);
            }
            cycles += load;
            break;
          case 45: // LDRBI
            {
              const x = (r[n]! + m) | 0;
              const o = (x - base) >>> 0;
              r[d] = o < size ? u8[o]! : this.memory.load8(x);
            }
            cycles += load;
            break;
          case 37: // LDRSBR
            {
              const x = (r[n]! + r[m]!) | 0;
              const o = (x - base) >>> 0;
              r[d] = ((o < size ? u8[o]! : this.memory.load8(x)) << 24) >> 24;
            }
            cycles += load;
            break;
          case 41: // LDRSHR
            {
              const x = (r[n]! + r[m]!) | 0;
              const o = (x - base) >>> 0;
              r[d] = ((o < size && (o & 1) === 0 ? u16[o >> 1]! : this.memory.load16(x)) << 16) >> 16;
            }
            cycles += load;
            break;
          case 34: // STRR
            {
              const x = (r[n]! + r[m]!) | 0;
              const o = (x - base) >>> 0;
              if (o < quickSize && (o & 3) === 0) i32[o >> 2] = r[d]!;
              else this.store32(x, r[d]!);
            }
            cycles += store;
            break;
          case 42: // STRI
            {
              const x = (r[n]! + m) | 0;
              const o = (x - base) >>> 0;
              if (o < quickSize && (o & 3) === 0) i32[o >> 2] = r[d]!;
              else this.store32(x, r[d]!);
            }
            cycles += store;
            break;
          case 35: // STRHR
            {
              const x = (r[n]! + r[m]!) | 0;
              const o = (x - base) >>> 0;
              if (o < quickSize && (o & 1) === 0) u16[o >> 1] = r[d]!;
              else this.store16(x, r[d]!);
            }
            cycles += store;
            break;
          case 46: // STRHI
            {
              const x = (r[n]! + m) | 0;
              const o = (x - base) >>> 0;
              if (o < quickSize && (o & 1) === 0) u16[o >> 1] = r[d]!;
              else this.store16(x, r[d]!);
            }
            cycles += store;
            break;
          case 36: // STRBR
            {
              const x = (r[n]! + r[m]!) | 0;
              const o = (x - base) >>> 0;
              if (o < quickSize) u8[o] = r[d]!;
              else this.store8(x, r[d]!);
            }
            cycles += store;
            break;
          case 44: // STRBI
            {
              const x = (r[n]! + m) | 0;
              const o = (x - base) >>> 0;
              if (o < quickSize) u8[o] = r[d]!;
              else this.store8(x, r[d]!);
            }
            cycles += store;
            break;
          case 48: // ADR
            r[d] = (((pc + 4) & ~3) + m) | 0;
            break;
          case 49: // ADDSPI
          case 50: // ADDSP
            r[d] = (r[13]! + m) | 0;
            break;
          case 51: // SXTH
            r[d] = (r[m]! << 16) >> 16;
            break;
          case 52: // SXTB
            r[d] = (r[m]! << 24) >> 24;
            break;
          case 53: // UXTH
            r[d] = r[m]! & 0xffff;
            break;
          case 54: // UXTB
            r[d] = r[m]! & 0xff;
            break;
          case 57: {
            // REV
            const x = r[m]!;
            r[d] = (x << 24) | ((x & 0xff00) << 8) | ((x >> 8) & 0xff00) | (x >>> 24);
            break;
          }
          case 58: {
            // REV16
            const x = r[m]!;
            r[d] = ((x & 0x00ff00ff) << 8) | ((x >>> 8) & 0x00ff00ff);
            break;
          }
          case 59: {
            // REVSH
            const x = r[m]!;
            r[d] = ((((x & 255) << 8) | ((x >> 8) & 255)) << 16) >> 16;
            break;
          }
          case 55: // PUSH
            cycles += this.push(m) - alu;
            break;
          case 56: {
            // POP
            const to = this.pop(m, pc);
            cycles += this.popCycles(m) - alu;
            if (to >= 0) next = to | 0;
            break;
          }
          case 62: // STM
            cycles += this.storeMultiple(n, m) - alu;
            break;
          case 63: // LDM
            cycles += this.loadMultiple(n, m) - alu;
            break;
          case 64: // BCC
            if (test(d, nz, c, v)) {
              next = (pc + m) | 0;
              cycles += branchTaken;
            } else cycles += branchNotTaken;
            break;
          case 65: // B
            next = (pc + m) | 0;
            cycles += branchTaken;
            break;
          case 69: {
            // BL
            const window = this.codeWindow!;
            const index = ((pc >>> 0) - window.base) >> 1;
            const offset = branchLinkOffset(window.u16[index]!, window.u16[index + 1]!);
            r[14] = (pc + 4) | 1;
            next = (pc + 4 + offset) | 0;
            cycles += t.branchLink - alu;
            break;
          }
          case 71: // CBZ
            if ((r[n] === 0) === (d === 0)) {
              next = (pc + m) | 0;
              cycles += branchTaken;
            } else cycles += branchNotTaken;
            break;
          case 61: // NOP
            break;
          case 70: // CPS
            this.primask = m;
            break;
          case 72: // IT
          case 68: // T32
            this.cycles += cycles;
            cycles = -alu;
            r[15] = pc;
            this.nz = nz;
            this.c = c;
            this.v = v;
            next = executeThumb2(this, pc >>> 0) | 0;
            nz = this.nz;
            c = this.c;
            v = this.v;
            break;
          case 60: // BKPT
            throw new Fault('breakpoint', pc >>> 0, pc >>> 0);
          case 66: // SVC
            throw new Fault('supervisorCall', pc >>> 0, pc >>> 0);
          default:
            throw new Fault('undefined', pc >>> 0, pc >>> 0);
        }
        pc = next;
      }
      return pc === (RETURN_ADDRESS | 0) ? 'returned' : 'budget';
    } catch (error) {
      if (error instanceof Fault && error.pc === 0) error.pc = pc >>> 0;
      throw error;
    } finally {
      r[15] = pc;
      this.nz = nz;
      this.c = c;
      this.v = v;
      this.cycles += cycles + (budget - left) * alu;
      this.instructions += budget - left;
    }
  }

  /** Executes the 16-bit instruction at `pc` alone, for IT blocks. Returns the next address. */
  executeOne(pc: number): number {
    this.r[15] = pc;
    this.interpret(1, false);
    this.instructions--;
    return this.r[15]! >>> 0;
  }

  exchange(to: number, pc: number): number {
    if ((to & 1) === 0) throw new Fault('state', to, pc);
    return (to & ~1) >>> 0;
  }

  shiftLeft(x: number, count: number): number {
    if (count === 0) this.nz = x;
    else {
      this.c = count > 32 ? 0 : (x >>> (32 - count)) & 1;
      this.nz = count > 31 ? 0 : x << count;
    }
    return this.nz;
  }

  shiftRight(x: number, count: number): number {
    if (count === 0) this.nz = x;
    else {
      this.c = count > 32 ? 0 : (x >>> (count - 1)) & 1;
      this.nz = count > 31 ? 0 : (x >>> count) | 0;
    }
    return this.nz;
  }

  shiftArithmetic(x: number, count: number): number {
    if (count === 0) this.nz = x;
    else {
      this.c = count > 31 ? (x >>> 31) & 1 : (x >> (count - 1)) & 1;
      this.nz = count > 31 ? x >> 31 : x >> count;
    }
    return this.nz;
  }

  rotate(x: number, count: number): number {
    if (count === 0) this.nz = x;
    else {
      const by = count & 31;
      this.nz = by === 0 ? x : (x >>> by) | (x << (32 - by));
      this.c = (this.nz >>> 31) & 1;
    }
    return this.nz;
  }

  push(list: number): number {
    const r = this.r;
    const registers = bitCount(list);
    let address = (r[13]! - 4 * registers) | 0;
    r[13] = address;
    for (let k = 0; k < 8; k++) {
      if ((list & (1 << k)) === 0) continue;
      this.store32(address, r[k]!);
      address += 4;
    }
    if ((list & 0x100) !== 0) this.store32(address, r[14]!);
    return this.timing.multipleBase + registers;
  }

  /** Returns where to continue when PC is popped, -1 otherwise. */
  pop(list: number, pc: number): number {
    const r = this.r;
    let address = r[13]!;
    for (let k = 0; k < 8; k++) {
      if ((list & (1 << k)) === 0) continue;
      r[k] = this.load32(address);
      address += 4;
    }
    let to = -1;
    if ((list & 0x100) !== 0) {
      to = this.exchange(this.load32(address), pc);
      address += 4;
    }
    r[13] = address;
    return to;
  }

  popCycles(list: number): number {
    const base = (list & 0x100) !== 0 ? this.timing.popPcBase : this.timing.multipleBase;
    return base + bitCount(list);
  }

  storeMultiple(n: number, list: number): number {
    const r = this.r;
    let address = r[n]!;
    for (let k = 0; k < 8; k++) {
      if ((list & (1 << k)) === 0) continue;
      this.store32(address, r[k]!);
      address += 4;
    }
    r[n] = address;
    return this.timing.multipleBase + bitCount(list);
  }

  loadMultiple(n: number, list: number): number {
    const r = this.r;
    let address = r[n]!;
    for (let k = 0; k < 8; k++) {
      if ((list & (1 << k)) === 0) continue;
      r[k] = this.load32(address);
      address += 4;
    }
    if ((list & (1 << n)) === 0) r[n] = address;
    return this.timing.multipleBase + bitCount(list);
  }
}

/** Whether a condition holds for the flags. */
function test(cond: number, nz: number, c: number, v: number): boolean {
  const n = nz < 0;
  const z = nz === 0;
  switch (cond) {
    case 0:
      return z;
    case 1:
      return !z;
    case 2:
      return c !== 0;
    case 3:
      return c === 0;
    case 4:
      return n;
    case 5:
      return !n;
    case 6:
      return v !== 0;
    case 7:
      return v === 0;
    case 8:
      return c !== 0 && !z;
    case 9:
      return c === 0 || z;
    case 10:
      return n === (v !== 0);
    case 11:
      return n !== (v !== 0);
    case 12:
      return !z && n === (v !== 0);
    case 13:
      return z || n !== (v !== 0);
    default:
      return true;
  }
}

export function bitCount(x: number): number {
  let count = 0;
  for (let rest = x; rest !== 0; rest &= rest - 1) count++;
  return count;
}
