/** Loads and stores: single, multiple, dual and exclusive, and table branches (ARM DDI 0403, A5.3.5 to A5.3.10). */
import type { Core } from '../core.ts';
import { Fault } from '../memory.ts';
import { bitCount, loadRegisters, storeRegisters } from '../multiple.ts';

const PC = 15;

/** A word that was loaded into PC. */
export function branchTo(to: number, pc: number): number {
  if ((to & 1) === 0) throw new Fault('state', to, pc);
  return (to & ~1) >>> 0;
}

function load(core: Core, address: number, size: number, isSigned: boolean): number {
  if (size === 2) return core.load32(address);
  const value = size === 1 ? core.load16(address) : core.memory.load8(address);
  const unused = size === 1 ? 16 : 24;
  return isSigned ? (value << unused) >> unused : value;
}

function store(core: Core, address: number, size: number, value: number): void {
  if (size === 2) core.store32(address, value);
  else if (size === 1) core.store16(address, value);
  else core.store8(address, value);
}

/** LDR, STR and their bytes and halves: 1111 100 S U size L n. */
export function loadStoreSingle(core: Core, r: Int32Array, pc: number, h: number, g: number): number {
  const n = h & 15;
  const t = (g >> 12) & 15;
  const size = (h >> 5) & 3;
  const isLoad = (h & 0x10) !== 0;
  const isSigned = (h & 0x100) !== 0;
  if (size === 3 || (isSigned && (!isLoad || size === 2))) throw new Fault('undefined', pc, pc);
  let address: number;
  let writeBack: number | null = null;
  if (n === PC) {
    if (!isLoad) throw new Fault('undefined', pc, pc);
    address = ((pc + 4) & ~3) + ((h & 0x80) !== 0 ? g & 0xfff : -(g & 0xfff));
  } else if ((h & 0x80) !== 0) address = r[n]! + (g & 0xfff);
  else if ((g & 0x800) !== 0) {
    const moved = r[n]! + ((g & 0x200) !== 0 ? g & 0xff : -(g & 0xff));
    address = (g & 0x400) !== 0 ? moved : r[n]!;
    if ((g & 0x100) !== 0) writeBack = moved;
  } else if ((g & 0x7c0) === 0) address = r[n]! + (r[g & 15]! << ((g >> 4) & 3));
  else throw new Fault('undefined', pc, pc);
  address |= 0;
  core.cycles += isLoad ? core.timing.load : core.timing.store;
  if (!isLoad) store(core, address, size, r[t]!);
  // PLD and PLI: hints.
  else if (t === PC && size !== 2) return pc + 4;
  else {
    const value = load(core, address, size, isSigned);
    if (writeBack !== null) r[n] = writeBack;
    if (t !== PC) {
      r[t] = value;
      return pc + 4;
    }
    core.cycles += core.timing.branchTaken - core.timing.alu;
    return branchTo(value, pc);
  }
  if (writeBack !== null) r[n] = writeBack;
  return pc + 4;
}

/** LDM and STM, counting up after or down before: 1110 100 DU 0 W L n. */
export function loadStoreMultiple(core: Core, r: Int32Array, pc: number, h: number, g: number): number {
  const n = h & 15;
  const mode = (h >> 7) & 3;
  if (mode !== 1 && mode !== 2) throw new Fault('undefined', pc, pc);
  const count = bitCount(g);
  const first = mode === 1 ? r[n]! : (r[n]! - 4 * count) | 0;
  const after = mode === 1 ? r[n]! + 4 * count : first;
  core.cycles += core.timing.multipleBase + count;
  const isLoad = (h & 0x10) !== 0;
  if (isLoad) loadRegisters(core, r, first, g, count);
  else storeRegisters(core, r, first, g, count);
  if ((h & 0x20) !== 0 && (!isLoad || (g & (1 << n)) === 0)) r[n] = after;
  if (!isLoad || (g & 0x8000) === 0) return pc + 4;
  core.cycles += core.timing.popPcBase - core.timing.multipleBase;
  return branchTo(r[PC]!, pc);
}

/** LDRD, STRD, LDREX, STREX, TBB, TBH: 1110 100 P U 1 W L n. */
export function dualAndExclusive(core: Core, r: Int32Array, pc: number, h: number, g: number): number {
  const n = h & 15;
  const isLoad = (h & 0x10) !== 0;
  if ((h & 0x120) === 0) return exclusiveOrTable(core, r, pc, h, g);
  const base = n === PC ? (pc + 4) & ~3 : r[n]!;
  const offset = (g & 0xff) << 2;
  const moved = base + ((h & 0x80) !== 0 ? offset : -offset);
  const address = (h & 0x100) !== 0 ? moved | 0 : base;
  const [first, second] = [(g >> 12) & 15, (g >> 8) & 15];
  core.cycles += core.timing.multipleBase + 2;
  if (isLoad) {
    const low = core.memory.load32(address);
    r[second] = core.memory.load32(address + 4);
    r[first] = low;
  } else {
    // Both or neither: an unaligned address faults before anything is stored.
    core.storeAligned32(address, r[first]!);
    core.storeAligned32(address + 4, r[second]!);
  }
  if ((h & 0x20) !== 0) r[n] = moved;
  return pc + 4;
}

function exclusiveOrTable(core: Core, r: Int32Array, pc: number, h: number, g: number): number {
  const isLoad = (h & 0x10) !== 0;
  const t = (g >> 12) & 15;
  const base = (h & 15) === PC ? pc + 4 : r[h & 15]!;
  if ((h & 0x80) === 0) return exclusive(core, r, pc, isLoad, 2, (base + ((g & 0xff) << 2)) | 0, t, (g >> 8) & 15);
  const op = (g >> 4) & 15;
  if (op === 4 || op === 5) return exclusive(core, r, pc, isLoad, op - 4, base, t, g & 15);
  if (!isLoad || op > 1) throw new Fault('undefined', pc, pc);
  const index = r[g & 15]!;
  const halfwords = op === 0 ? core.memory.load8((base + index) | 0) : core.memory.load16((base + 2 * index) | 0);
  core.cycles += core.timing.load + core.timing.branchTaken - core.timing.alu;
  return (pc + 4 + 2 * halfwords) >>> 0;
}

/** One core and one monitor: a store succeeds if the last exclusive load had its address. */
function exclusive(
  core: Core,
  r: Int32Array,
  pc: number,
  isLoad: boolean,
  size: number,
  address: number,
  t: number,
  d: number,
): number {
  if ((address & ((1 << size) - 1)) !== 0) throw new Fault('unaligned', address, pc);
  core.cycles += core.timing.load;
  if (isLoad) {
    r[t] = load(core, address, size, false);
    core.exclusiveAddress = address;
    return pc + 4;
  }
  const holds = core.exclusiveAddress === address;
  if (holds) store(core, address, size, r[t]!);
  core.exclusiveAddress = null;
  r[d] = holds ? 0 : 1;
  return pc + 4;
}
