/**
 * A cycle-counting Cortex-M core: the whole ARMv6-M instruction set, and ARMv7E-M's integer instructions through
 * thumb2.ts. Instructions are decoded once into packed words (decode.ts) and interpreted from there; stores to decoded
 * code drop what was decoded. Cycles come from the timing table (ARM's manuals); cycle-counting, not cycle-accurate.
 *
 * Flags: `nz` holds the last result, whose sign is N and whose being 0 is Z; `c` and `v` are 0 or 1.
 */
import type { Timing } from '../../firmware/toolchain/native/timing.ts';
import { branchLinkOffset, decode, O } from './decode.ts';
import { Fault, type Memory, type Window } from './memory.ts';
import { executeThumb2 } from './thumb2.ts';

/** A return to this address ends `run`: what `call` puts in lr. */
export const RETURN_ADDRESS = 0xfffffffe;

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
    return this.interpret(budget, this.breakpoints.size > 0);
  }

  /**
   * Calls the routine at `address` (bit 0 may be set) with up to four words in r0 to r3 and returns r0. Throws a Fault,
   * also where the routine does not keep r4 to r11 or sp, or has not returned after `budget` instructions.
   */
  call(address: number, args: readonly number[], budget = 100_000_000): number {
    const r = this.r;
    const kept = r.slice(4, 12);
    const sp = r[13]!;
    args.forEach((arg, i) => {
      r[i] = arg;
    });
    r[14] = RETURN_ADDRESS | 1;
    r[15] = address & ~1;
    const stop = this.run(budget);
    if (stop !== 'returned') throw new Fault(stop === 'breakpoint' ? 'breakpoint' : 'state', r[15]!, r[15]!);
    for (let i = 0; i < 8; i++) if (r[4 + i] !== kept[i]) throw new Fault('state', address, address);
    if (r[13] !== sp) throw new Fault('state', address, address);
    return r[0]!;
  }

  holds(cond: number): boolean {
    const n = this.nz < 0;
    const z = this.nz === 0;
    switch (cond) {
      case 0:
        return z;
      case 1:
        return !z;
      case 2:
        return this.c !== 0;
      case 3:
        return this.c === 0;
      case 4:
        return this.n !== 0;
      case 5:
        return this.n === 0;
      case 6:
        return this.v !== 0;
      case 7:
        return this.v === 0;
      case 8:
        return this.c !== 0 && !z;
      case 9:
        return this.c === 0 || z;
      case 10:
        return n === (this.v !== 0);
      case 11:
        return n !== (this.v !== 0);
      case 12:
        return !z && n === (this.v !== 0);
      case 13:
        return z || n !== (this.v !== 0);
      default:
        return true;
    }
  }

  get n(): number {
    return this.nz < 0 ? 1 : 0;
  }

  /** Enters the window that holds `pc` as the one instructions come from. */
  private fetchFrom(pc: number): void {
    const window = this.memory.find(pc);
    if (!window) throw new Fault('unmapped', pc, pc);
    let code = this.decoded.get(window);
    if (!code) {
      code = new Int32Array(window.size >> 1);
      this.decoded.set(window, code);
    }
    this.codeWindow = window;
    this.code = code;
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
    let pc = r[15]! >>> 0;
    let left = budget;
    let cycles = 0;
    try {
      while (left > 0) {
        if (pc === RETURN_ADDRESS) return 'returned';
        if (watch && this.breakpoints.has(pc) && left !== budget) return 'breakpoint';
        let window = this.codeWindow;
        if (window === null || (pc - window.base) >>> 0 >= window.size) {
          this.fetchFrom(pc);
          window = this.codeWindow!;
        }
        const w = this.code[(pc - window.base) >> 1]! || this.decodeAt(pc);
        left--;
        const wait = window.region.waitStates;
        if (wait !== undefined && (pc & 2) === 0) cycles += wait;
        const d = (w >> 8) & 15;
        const n = (w >> 12) & 15;
        const m = w >> 16;
        let next = pc + 2;
        switch (w & 255) {
          case O.LSLI: {
            const x = r[n]!;
            if (m !== 0) this.c = (x >>> (32 - m)) & 1;
            r[d] = this.nz = x << m;
            cycles += t.alu;
            break;
          }
          case O.LSRI: {
            const x = r[n]!;
            this.c = (x >>> (m - 1)) & 1;
            r[d] = this.nz = m === 32 ? 0 : (x >>> m) | 0;
            cycles += t.alu;
            break;
          }
          case O.ASRI: {
            const x = r[n]!;
            this.c = (x >> (m - 1)) & 1;
            r[d] = this.nz = m === 32 ? x >> 31 : x >> m;
            cycles += t.alu;
            break;
          }
          case O.ADDR:
            r[d] = this.addWithCarry(r[n]!, r[m]!, 0);
            cycles += t.alu;
            break;
          case O.SUBR:
            r[d] = this.addWithCarry(r[n]!, ~r[m]!, 1);
            cycles += t.alu;
            break;
          case O.ADDI3:
          case O.ADDI:
            r[d] = this.addWithCarry(r[n]!, m, 0);
            cycles += t.alu;
            break;
          case O.SUBI3:
          case O.SUBI:
            r[d] = this.addWithCarry(r[n]!, ~m, 1);
            cycles += t.alu;
            break;
          case O.MOVI:
            r[d] = this.nz = m;
            cycles += t.alu;
            break;
          case O.CMPI:
            this.addWithCarry(r[n]!, ~m, 1);
            cycles += t.alu;
            break;
          case O.AND:
            r[d] = this.nz = r[d]! & r[m]!;
            cycles += t.alu;
            break;
          case O.EOR:
            r[d] = this.nz = r[d]! ^ r[m]!;
            cycles += t.alu;
            break;
          case O.ORR:
            r[d] = this.nz = r[d]! | r[m]!;
            cycles += t.alu;
            break;
          case O.BIC:
            r[d] = this.nz = r[d]! & ~r[m]!;
            cycles += t.alu;
            break;
          case O.MVN:
            r[d] = this.nz = ~r[m]!;
            cycles += t.alu;
            break;
          case O.TST:
            this.nz = r[d]! & r[m]!;
            cycles += t.alu;
            break;
          case O.LSLR:
            r[d] = this.shiftLeft(r[d]!, r[m]! & 255);
            cycles += t.alu;
            break;
          case O.LSRR:
            r[d] = this.shiftRight(r[d]!, r[m]! & 255);
            cycles += t.alu;
            break;
          case O.ASRR:
            r[d] = this.shiftArithmetic(r[d]!, r[m]! & 255);
            cycles += t.alu;
            break;
          case O.ROR:
            r[d] = this.rotate(r[d]!, r[m]! & 255);
            cycles += t.alu;
            break;
          case O.ADC:
            r[d] = this.addWithCarry(r[d]!, r[m]!, this.c);
            cycles += t.alu;
            break;
          case O.SBC:
            r[d] = this.addWithCarry(r[d]!, ~r[m]!, this.c);
            cycles += t.alu;
            break;
          case O.NEG:
            r[d] = this.addWithCarry(~r[m]!, 0, 1);
            cycles += t.alu;
            break;
          case O.CMP:
            this.addWithCarry(r[d]!, ~r[m]!, 1);
            cycles += t.alu;
            break;
          case O.CMN:
            this.addWithCarry(r[d]!, r[m]!, 0);
            cycles += t.alu;
            break;
          case O.MUL:
            r[d] = this.nz = Math.imul(r[d]!, r[m]!);
            cycles += t.multiply;
            break;
          case O.CMPH:
            this.addWithCarry(d === 15 ? pc + 4 : r[d]!, ~(m === 15 ? pc + 4 : r[m]!), 1);
            cycles += t.alu;
            break;
          case O.ADDH: {
            const sum = (r[d]! + (m === 15 ? pc + 4 : r[m]!)) | 0;
            r[d] = d === 13 ? sum & ~3 : sum;
            cycles += t.alu;
            break;
          }
          case O.MOVH: {
            const x = m === 15 ? pc + 4 : r[m]!;
            r[d] = d === 13 ? x & ~3 : x;
            cycles += t.alu;
            break;
          }
          case O.ADDPC:
            next = ((pc + 4 + (m === 15 ? pc + 4 : r[m]!)) & ~1) >>> 0;
            cycles += t.movePc;
            break;
          case O.MOVPC:
            next = ((m === 15 ? pc + 4 : r[m]!) & ~1) >>> 0;
            cycles += t.movePc;
            break;
          case O.BX:
            next = this.exchange(r[m]!, pc);
            cycles += t.branchExchange;
            break;
          case O.BLX: {
            const to = this.exchange(r[m]!, pc);
            r[14] = (pc + 2) | 1;
            next = to;
            cycles += t.branchExchange;
            break;
          }
          case O.LDRPC:
            r[d] = this.load32((((pc + 4) & ~3) >>> 0) + m);
            cycles += t.load + (wait ?? 0);
            break;
          case O.LDRR:
            r[d] = this.load32((r[n]! + r[m]!) | 0);
            cycles += t.load;
            break;
          case O.LDRI:
            r[d] = this.load32((r[n]! + m) | 0);
            cycles += t.load;
            break;
          case O.LDRHR:
            r[d] = this.load16((r[n]! + r[m]!) | 0);
            cycles += t.load;
            break;
          case O.LDRHI:
            r[d] = this.load16((r[n]! + m) | 0);
            cycles += t.load;
            break;
          case O.LDRBR:
            r[d] = this.load8((r[n]! + r[m]!) | 0);
            cycles += t.load;
            break;
          case O.LDRBI:
            r[d] = this.load8((r[n]! + m) | 0);
            cycles += t.load;
            break;
          case O.LDRSBR:
            r[d] = (this.load8((r[n]! + r[m]!) | 0) << 24) >> 24;
            cycles += t.load;
            break;
          case O.LDRSHR:
            r[d] = (this.load16((r[n]! + r[m]!) | 0) << 16) >> 16;
            cycles += t.load;
            break;
          case O.STRR:
            this.store32((r[n]! + r[m]!) | 0, r[d]!);
            cycles += t.store;
            break;
          case O.STRI:
            this.store32((r[n]! + m) | 0, r[d]!);
            cycles += t.store;
            break;
          case O.STRHR:
            this.store16((r[n]! + r[m]!) | 0, r[d]!);
            cycles += t.store;
            break;
          case O.STRHI:
            this.store16((r[n]! + m) | 0, r[d]!);
            cycles += t.store;
            break;
          case O.STRBR:
            this.store8((r[n]! + r[m]!) | 0, r[d]!);
            cycles += t.store;
            break;
          case O.STRBI:
            this.store8((r[n]! + m) | 0, r[d]!);
            cycles += t.store;
            break;
          case O.ADR:
            r[d] = (((pc + 4) & ~3) + m) | 0;
            cycles += t.alu;
            break;
          case O.ADDSPI:
          case O.ADDSP:
            r[d] = (r[13]! + m) | 0;
            cycles += t.alu;
            break;
          case O.SXTH:
            r[d] = (r[m]! << 16) >> 16;
            cycles += t.alu;
            break;
          case O.SXTB:
            r[d] = (r[m]! << 24) >> 24;
            cycles += t.alu;
            break;
          case O.UXTH:
            r[d] = r[m]! & 0xffff;
            cycles += t.alu;
            break;
          case O.UXTB:
            r[d] = r[m]! & 0xff;
            cycles += t.alu;
            break;
          case O.REV: {
            const x = r[m]!;
            r[d] = (x << 24) | ((x & 0xff00) << 8) | ((x >> 8) & 0xff00) | (x >>> 24);
            cycles += t.alu;
            break;
          }
          case O.REV16: {
            const x = r[m]!;
            r[d] = ((x & 0x00ff00ff) << 8) | ((x >>> 8) & 0x00ff00ff);
            cycles += t.alu;
            break;
          }
          case O.REVSH: {
            const x = r[m]!;
            r[d] = ((((x & 255) << 8) | ((x >> 8) & 255)) << 16) >> 16;
            cycles += t.alu;
            break;
          }
          case O.PUSH:
            cycles += this.push(m);
            break;
          case O.POP: {
            const to = this.pop(m, pc);
            cycles += this.popCycles(m);
            if (to >= 0) next = to;
            break;
          }
          case O.STM:
            cycles += this.storeMultiple(n, m);
            break;
          case O.LDM:
            cycles += this.loadMultiple(n, m);
            break;
          case O.BCC:
            if (this.holds(d)) {
              next = (pc + m) >>> 0;
              cycles += t.branchTaken;
            } else cycles += t.branchNotTaken;
            break;
          case O.B:
            next = (pc + m) >>> 0;
            cycles += t.branchTaken;
            break;
          case O.BL: {
            const index = (pc - window.base) >> 1;
            const offset = branchLinkOffset(window.u16[index]!, window.u16[index + 1]!);
            r[14] = (pc + 4) | 1;
            next = (pc + 4 + offset) >>> 0;
            cycles += t.branchLink;
            break;
          }
          case O.CBZ:
            if ((r[n] === 0) === (d === 0)) {
              next = (pc + m) >>> 0;
              cycles += t.branchTaken;
            } else cycles += t.branchNotTaken;
            break;
          case O.NOP:
            cycles += t.alu;
            break;
          case O.CPS:
            this.primask = m;
            cycles += t.alu;
            break;
          case O.IT:
          case O.T32:
            this.cycles += cycles;
            cycles = 0;
            r[15] = pc;
            next = executeThumb2(this, pc);
            break;
          case O.BKPT:
            throw new Fault('breakpoint', pc, pc);
          case O.SVC:
            throw new Fault('supervisorCall', pc, pc);
          default:
            throw new Fault('undefined', pc, pc);
        }
        pc = next;
      }
      return pc === RETURN_ADDRESS ? 'returned' : 'budget';
    } catch (error) {
      if (error instanceof Fault && error.pc === 0) error.pc = pc;
      throw error;
    } finally {
      r[15] = pc;
      this.cycles += cycles;
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

export function bitCount(x: number): number {
  let count = 0;
  for (let rest = x; rest !== 0; rest &= rest - 1) count++;
  return count;
}
