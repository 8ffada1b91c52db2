/**
 * Instructions that are executed from their halfwords, outside the interpreter's loop: those of 32 bits, those for the
 * system, and those that use PC as a general register. Everything in the core is as it is between instructions, but for
 * the registers, which are in `r`.
 */
import type { Core } from './core.ts';
import { supervisorCall, takePending } from './exceptions.ts';
import { addWithCarry } from './flags.ts';
import { Fault } from './memory.ts';
import { executeThumb2 } from './thumb2/execute.ts';

const SP = 13;
const PC = 15;

/** Executes the instruction at `pc`, counts its cycles, and returns the address to go on at. */
export function executeRare(core: Core, r: Int32Array, pc: number): number {
  const h = core.memory.load16(pc);
  const next = h >> 11 >= 29 ? executeThumb2(core, r, pc) : executeNarrow(core, r, pc, h);
  return core.pending.size > 0 ? takePending(core, r, next) : next;
}

function executeNarrow(core: Core, r: Int32Array, pc: number, h: number): number {
  const { timing } = core;
  core.cycles += timing.alu;
  const undefinedAt = (): never => {
    throw new Fault('undefined', pc, pc);
  };
  switch (h >> 11) {
    case 8:
      return high(core, r, pc, h);
    case 22:
    case 23:
      if ((h & 0xffe8) === 0xb660) {
        // CPSIE and CPSID: bit 1 PRIMASK, bit 0 FAULTMASK.
        const masked = (h >> 4) & 1;
        if ((h & 2) !== 0) core.primask = masked;
        if ((h & 1) !== 0) {
          if (!core.isV7) return undefinedAt();
          core.faultmask = masked;
        }
        return pc + 2;
      }
      if (h >> 8 === 0xbe) throw new Fault('breakpoint', pc, pc);
      if (h >> 8 === 0xbf && (h & 15) !== 0 && core.isV7) {
        core.it = h & 255;
        return pc + 2;
      }
      if (core.isV7 && (h & 0xf500) === 0xb100) {
        // CBZ, CBNZ out of the page.
        const isTaken = (r[h & 7] === 0) === ((h & 0x800) === 0);
        if (!isTaken) return pc + 2;
        core.cycles += timing.branchTaken - timing.alu;
        return pc + 4 + (((h >> 9) & 1) << 6) + (((h >> 3) & 31) << 1);
      }
      return undefinedAt();
    case 26:
    case 27:
      if ((h & 0xf00) === 0xf00) return supervisorCall(core, r, pc);
      if ((h & 0xf00) === 0xe00) return undefinedAt();
      return branchOut(core, pc, h);
    case 28:
      return branchOut(core, pc, h);
    default:
      return undefinedAt();
  }
}

/** ADD, CMP, MOV, BX and BLX that read or write PC, or write SP. */
function high(core: Core, r: Int32Array, pc: number, h: number): number {
  const d = ((h >> 4) & 8) | (h & 7);
  const m = (h >> 3) & 15;
  const read = (register: number): number => (register === PC ? (pc + 4) | 0 : r[register]!);
  const op = (h >> 8) & 3;
  if (op === 3) throw new Fault('undefined', pc, pc);
  if (op === 1) {
    addWithCarry(core, read(d), ~read(m), -1);
    return pc + 2;
  }
  const value = op === 0 ? read(d) + read(m) : read(m);
  if (d === PC) {
    core.cycles += core.timing.movePc - core.timing.alu;
    return (value & ~1) >>> 0;
  }
  r[d] = d === SP ? value & ~3 : value;
  return pc + 2;
}

/** A branch that leaves its page of decoded code. */
function branchOut(core: Core, pc: number, h: number): number {
  const { timing } = core;
  if (h >> 11 === 28) {
    core.cycles += timing.branchTaken - timing.alu;
    return (pc + 4 + (((h & 0x7ff) << 21) >> 20)) >>> 0;
  }
  if (!core.holds((h >> 8) & 15)) {
    core.cycles += timing.branchNotTaken - timing.alu;
    return pc + 2;
  }
  core.cycles += timing.branchTaken - timing.alu;
  return (pc + 4 + ((h << 24) >> 23)) >>> 0;
}
