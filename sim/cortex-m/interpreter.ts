/**
 * The interpreter's loop: decoded words in, registers and memory changed, cycles added. It is one function because its
 * flags, counters and place in the code are local variables, which V8 keeps in processor registers; what is rare is
 * executed elsewhere, from the instruction's halfwords.
 *
 * An instruction's place is the index `ip` of its word in the pool of decoded code, so that going on is counting up.
 */
import { pool } from './code-cache.ts';
import type { Core } from './core.ts';
import { conditionHolds, shiftWithCarry } from './flags.ts';
import { Fault } from './memory.ts';
import { bitCount, loadRegisters, storeRegisters } from './multiple.ts';
import { executeRare } from './rare.ts';

/** Runs at most `budget` instructions (below 2^30, which V8 counts in small integers). */
export const interpret = makeInterpreter();

function makeInterpreter(): (core: Core, budget: number) => 'returned' | 'budget' {
  // Constants of a closure that is made once: V8 puts their addresses and lengths into the code. The registers are copied
  // here while the loop runs, r15 being scratch; an index of 5 bits is always inside.
  const registers = new Int32Array(new ArrayBuffer(4 * 32));
  const decoded = pool;

  return function interpret(core, budget) {
    const r = registers;
    const code = decoded;
    for (let k = 0; k < 16; k++) r[k] = core.r[k]!;
    const { memory, timing: t } = core;
    // Each instruction counts as one of `alu` at the end; what takes longer adds the difference where it is executed.
    // `| 0` tells V8 that these are integers.
    const alu = t.alu | 0;
    const load = (t.load - alu) | 0;
    const store = (t.store - alu) | 0;
    const taken = (t.branchTaken - alu) | 0;
    const { i32, u8 } = memory.main;
    const base = memory.main.base | 0;
    // Bytes that loads, and stores that cannot hit decoded code, reach directly.
    const loadable = memory.main.size | 0;
    let storable = 0;
    let nz = core.nz | 0;
    let c = core.c | 0;
    let v = core.v | 0;
    let left = budget | 0;
    let cycles = 0;
    // Address of the pool's word 0, if it were part of the page.
    let codeBase = 0;
    let ip = r[15]! >>> 1;
    try {
      // The page of decoded code that `ip` is in; none yet.
      let start = 0;
      let halfwords = 0;
      let wait = 0;
      entering: while (left > 0) {
        if ((ip - start) >>> 0 >= halfwords) {
          const pc = (codeBase + (ip << 1)) >>> 0;
          codeBase = 0;
          halfwords = 0;
          ip = pc >>> 1;
          if (core.isReturn(pc)) return 'returned';
          const page = core.code.enter(pc);
          start = page.start | 0;
          halfwords = page.halfwords | 0;
          wait = (page.window.region.waitStates ?? 0) | 0;
          codeBase = (page.base - 2 * start) | 0;
          ip = (pc - codeBase) >>> 1;
          storable = core.storesAreQuick() ? loadable : 0;
        }
        while (left > 0) {
          const w = code[ip]!;
          left = (left - 1) | 0;
          if (wait !== 0 && (ip & 1) === 0) cycles = (cycles + wait) | 0;
          // V8 makes a jump table of literal cases only: the names are in the comments, and a test compares them with O.
          switch (w & 63) {
            case 0: // UNDECODED
              left = (left + 1) | 0;
              if (wait !== 0 && (ip & 1) === 0) cycles = (cycles - wait) | 0;
              if (core.code.decode(ip)) continue;
              continue entering;
            case 1: {
              // LSLI
              const x = r[(w >> 16) & 31]!;
              const count = w >> 21;
              c = x << (count - 1);
              r[(w >> 6) & 31] = nz = x << count;
              break;
            }
            case 2: {
              // LSRI
              const x = r[(w >> 16) & 31]!;
              const count = w >> 21;
              c = x << (32 - count);
              r[(w >> 6) & 31] = nz = (x >>> (count - 1)) >>> 1;
              break;
            }
            case 3: {
              // ASRI
              const x = r[(w >> 16) & 31]! >> ((w >> 21) - 1);
              c = x << 31;
              r[(w >> 6) & 31] = nz = x >> 1;
              break;
            }
            case 4: {
              // ADD
              const x = r[(w >> 11) & 31]!;
              const y = (r[(w >> 16) & 31]! + (w >> 21)) | 0;
              nz = (x + y) | 0;
              c = (x & y) | ((x | y) & ~nz);
              v = (x ^ nz) & (y ^ nz);
              r[(w >> 6) & 31] = nz;
              break;
            }
            case 5: {
              // SUB
              const x = r[(w >> 11) & 31]!;
              const y = (r[(w >> 16) & 31]! + (w >> 21)) | 0;
              nz = (x - y) | 0;
              c = (x & ~y) | ((x | ~y) & ~nz);
              v = (x ^ y) & (x ^ nz);
              r[(w >> 6) & 31] = nz;
              break;
            }
            case 6: // ADC
            case 7: {
              // SBC
              const x = r[(w >> 11) & 31]!;
              const y = (w & 63) === 6 ? r[(w >> 16) & 31]! : ~r[(w >> 16) & 31]!;
              nz = (x + y + (c >>> 31)) | 0;
              c = (x & y) | ((x | y) & ~nz);
              v = (x ^ nz) & (y ^ nz);
              r[(w >> 6) & 31] = nz;
              break;
            }
            case 8: // MOVI
              r[(w >> 6) & 31] = nz = w >> 21;
              break;
            case 9: // AND
              r[(w >> 6) & 31] = nz = r[(w >> 11) & 31]! & r[(w >> 16) & 31]!;
              break;
            case 10: // EOR
              r[(w >> 6) & 31] = nz = r[(w >> 11) & 31]! ^ r[(w >> 16) & 31]!;
              break;
            case 11: // ORR
              r[(w >> 6) & 31] = nz = r[(w >> 11) & 31]! | r[(w >> 16) & 31]!;
              break;
            case 12: // BIC
              r[(w >> 6) & 31] = nz = r[(w >> 11) & 31]! & ~r[(w >> 16) & 31]!;
              break;
            case 13: // MVN
              r[(w >> 6) & 31] = nz = ~r[(w >> 16) & 31]!;
              break;
            case 14: // MUL
              r[(w >> 6) & 31] = nz = Math.imul(r[(w >> 11) & 31]!, r[(w >> 16) & 31]!);
              cycles = (cycles + t.multiply - alu) | 0;
              break;
            case 15: // SHIFT
              core.c = c;
              r[(w >> 6) & 31] = nz = shiftWithCarry(core, w >> 21, r[(w >> 11) & 31]!, r[(w >> 16) & 31]! & 255);
              c = core.c;
              break;
            case 16: // MOVE
              r[(w >> 6) & 31] = r[(w >> 11) & 31]! + r[(w >> 16) & 31]! + (w >> 21);
              break;
            case 17: // SXTH
              r[(w >> 6) & 31] = (r[(w >> 16) & 31]! << 16) >> 16;
              break;
            case 18: // SXTB
              r[(w >> 6) & 31] = (r[(w >> 16) & 31]! << 24) >> 24;
              break;
            case 19: // UXTH
              r[(w >> 6) & 31] = r[(w >> 16) & 31]! & 0xffff;
              break;
            case 20: // UXTB
              r[(w >> 6) & 31] = r[(w >> 16) & 31]! & 0xff;
              break;
            case 21: {
              // REV
              const x = r[(w >> 16) & 31]!;
              r[(w >> 6) & 31] = (x << 24) | ((x & 0xff00) << 8) | ((x >> 8) & 0xff00) | (x >>> 24);
              break;
            }
            case 22: {
              // REV16
              const x = r[(w >> 16) & 31]!;
              r[(w >> 6) & 31] = ((x & 0x00ff00ff) << 8) | ((x >>> 8) & 0x00ff00ff);
              break;
            }
            case 23: {
              // REVSH
              const x = r[(w >> 16) & 31]!;
              r[(w >> 6) & 31] = ((x << 24) >> 16) | ((x >> 8) & 255);
              break;
            }
            case 24: {
              // LDR
              const x = (r[(w >> 11) & 31]! + r[(w >> 16) & 31]! + (w >> 21)) | 0;
              const o = (x - base) >>> 0;
              r[(w >> 6) & 31] = o < loadable && (o & 3) === 0 ? i32[o >> 2]! : core.load32(x);
              cycles = (cycles + load) | 0;
              break;
            }
            case 25: // LDRH
              r[(w >> 6) & 31] = core.load16(r[(w >> 11) & 31]! + r[(w >> 16) & 31]! + (w >> 21));
              cycles = (cycles + load) | 0;
              break;
            case 26: {
              // LDRB
              const x = (r[(w >> 11) & 31]! + r[(w >> 16) & 31]! + (w >> 21)) | 0;
              const o = (x - base) >>> 0;
              r[(w >> 6) & 31] = o < loadable ? u8[o]! : memory.load8(x);
              cycles = (cycles + load) | 0;
              break;
            }
            case 27: // LDRSH
              r[(w >> 6) & 31] = (core.load16(r[(w >> 11) & 31]! + r[(w >> 16) & 31]!) << 16) >> 16;
              cycles = (cycles + load) | 0;
              break;
            case 28: // LDRSB
              r[(w >> 6) & 31] = (memory.load8(r[(w >> 11) & 31]! + r[(w >> 16) & 31]!) << 24) >> 24;
              cycles = (cycles + load) | 0;
              break;
            case 29: {
              // STR
              const x = (r[(w >> 11) & 31]! + r[(w >> 16) & 31]! + (w >> 21)) | 0;
              const o = (x - base) >>> 0;
              if (o < storable && (o & 3) === 0) i32[o >> 2] = r[(w >> 6) & 31]!;
              else core.store32(x, r[(w >> 6) & 31]!);
              cycles = (cycles + store) | 0;
              break;
            }
            case 30: // STRH
              core.store16(r[(w >> 11) & 31]! + r[(w >> 16) & 31]! + (w >> 21), r[(w >> 6) & 31]!);
              cycles = (cycles + store) | 0;
              break;
            case 31: {
              // STRB
              const x = (r[(w >> 11) & 31]! + r[(w >> 16) & 31]! + (w >> 21)) | 0;
              const o = (x - base) >>> 0;
              if (o < storable) u8[o] = r[(w >> 6) & 31]!;
              else core.store8(x, r[(w >> 6) & 31]!);
              cycles = (cycles + store) | 0;
              break;
            }
            case 32: // LITERAL
              r[(w >> 6) & 31] = memory.load32(codeBase + (ip << 1) + (w >>> 16));
              cycles = (cycles + load + wait) | 0;
              break;
            case 33: // ADR
              r[(w >> 6) & 31] = codeBase + (ip << 1) + (w >>> 16);
              break;
            case 34: {
              // PUSH
              const count = bitCount(w >>> 16);
              const low = (r[13]! - 4 * count) | 0;
              storeRegisters(core, r, low, w >>> 16, count);
              r[13] = low;
              cycles = (cycles + t.multipleBase + count - alu) | 0;
              break;
            }
            case 35: {
              // POP
              const list = w >>> 16;
              const count = bitCount(list);
              loadRegisters(core, r, r[13]!, list, count);
              r[13] = r[13]! + 4 * count;
              if (list < 0x8000) {
                cycles = (cycles + t.multipleBase + count - alu) | 0;
                break;
              }
              if ((r[15]! & 1) === 0) throw new Fault('state', r[15]!);
              cycles = (cycles + t.popPcBase + count - alu) | 0;
              ip = (r[15]! - codeBase) >>> 1;
              continue entering;
            }
            case 36: {
              // STM
              const count = bitCount(w >>> 16);
              const n = (w >> 11) & 31;
              storeRegisters(core, r, r[n]!, w >>> 16, count);
              r[n] = r[n]! + 4 * count;
              cycles = (cycles + t.multipleBase + count - alu) | 0;
              break;
            }
            case 37: {
              // LDM
              const count = bitCount(w >>> 16);
              const n = (w >> 11) & 31;
              const after = r[n]! + 4 * count;
              loadRegisters(core, r, r[n]!, w >>> 16, count);
              if (((w >>> 16) & (1 << n)) === 0) r[n] = after;
              cycles = (cycles + t.multipleBase + count - alu) | 0;
              break;
            }
            case 38: // BEQ to BLE
            case 39:
            case 40:
            case 41:
            case 42:
            case 43:
            case 44:
            case 45:
            case 46:
            case 47:
            case 48:
            case 49:
            case 50:
            case 51:
              if (!conditionHolds((w & 63) - 38, nz, c, v)) break;
              ip = (ip + (w >> 6)) | 0;
              cycles = (cycles + taken) | 0;
              continue;
            case 52: // B
              ip = (ip + (w >> 6)) | 0;
              cycles = (cycles + taken) | 0;
              continue;
            case 53: // BL
              r[14] = (codeBase + (ip << 1) + 4) | 1;
              ip = (ip + (w >> 6)) | 0;
              cycles = (cycles + t.branchLink - alu) | 0;
              continue;
            case 54: // BX
            case 55: {
              // BLX
              const to = r[(w >> 16) & 31]!;
              if ((to & 1) === 0) throw new Fault('state', to);
              if ((w & 63) === 55) r[14] = (codeBase + (ip << 1) + 2) | 1;
              cycles = (cycles + t.branchExchange - alu) | 0;
              ip = (to - codeBase) >>> 1;
              continue entering;
            }
            case 56: // CBZ
            case 57: // CBNZ
              if ((r[(w >> 11) & 31] === 0) !== ((w & 63) === 56)) break;
              ip = (ip + (w >>> 16)) | 0;
              cycles = (cycles + taken) | 0;
              continue;
            case 58: // NOP
              break;
            default: {
              // RARE and IT, with everything in the core as it is between instructions.
              core.nz = nz;
              core.c = c;
              core.v = v;
              core.cycles += cycles;
              cycles = -alu | 0;
              ip = (executeRare(core, r, (codeBase + (ip << 1)) >>> 0) - codeBase) >>> 1;
              nz = core.nz | 0;
              c = core.c | 0;
              v = core.v | 0;
              if (core.it !== 0) return 'budget';
              continue entering;
            }
          }
          ip = (ip + 1) | 0;
        }
      }
      return 'budget';
    } catch (error) {
      if (error instanceof Fault && error.pc === 0) error.pc = (codeBase + (ip << 1)) >>> 0;
      throw error;
    } finally {
      r[15] = codeBase + (ip << 1);
      for (let k = 0; k < 16; k++) core.r[k] = r[k]!;
      core.nz = nz;
      core.c = c;
      core.v = v;
      core.cycles += cycles + (budget - left) * alu;
      core.instructions += budget - left;
    }
  };
}
