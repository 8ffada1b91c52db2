/** Loads and stores of several registers: PUSH, POP, LDM, STM and the exception frame. */
import type { Core } from './core.ts';

export function bitCount(x: number): number {
  let count = 0;
  for (let rest = x; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** Stores the `count` registers of `list` (bit k for r[k]) in words from `address` up. */
export function storeRegisters(core: Core, r: Int32Array, address: number, list: number, count: number): void {
  const { main } = core.memory;
  const offset = (address - main.base) >>> 0;
  if ((offset & 3) === 0 && offset <= main.size - 4 * count && core.storesAreQuick()) {
    let at = offset >> 2;
    for (let rest = list; rest !== 0; rest &= rest - 1) main.i32[at++] = r[31 - Math.clz32(rest & -rest)]!;
    return;
  }
  let at = address;
  for (let rest = list; rest !== 0; rest &= rest - 1) {
    core.storeAligned32(at, r[31 - Math.clz32(rest & -rest)]!);
    at += 4;
  }
}

/** Loads them; r15 is loaded like the others, for the caller to branch to. */
export function loadRegisters(core: Core, r: Int32Array, address: number, list: number, count: number): void {
  const { main } = core.memory;
  const offset = (address - main.base) >>> 0;
  if ((offset & 3) === 0 && offset <= main.size - 4 * count) {
    let at = offset >> 2;
    for (let rest = list; rest !== 0; rest &= rest - 1) r[31 - Math.clz32(rest & -rest)] = main.i32[at++]!;
    return;
  }
  let at = address;
  for (let rest = list; rest !== 0; rest &= rest - 1) {
    r[31 - Math.clz32(rest & -rest)] = core.memory.load32(at);
    at += 4;
  }
}
