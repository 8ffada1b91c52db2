/**
 * 32-bit Thumb instructions, by the encoding groups of ARM DDI 0403, "ARMv7-M Architecture Reference Manual", A5.3. A
 * Cortex-M0+ has only BL (decoded as a 16-bit one is), MSR, MRS and the barriers.
 *
 * Every executor gets both halfwords, changes registers, flags, memory and cycles, and returns the address that follows.
 */
import type { Core } from '../core.ts';
import { Fault } from '../memory.ts';
import { branchesAndControl } from './control.ts';
import { modifiedImmediate, plainImmediate, shiftedRegister } from './data-processing.ts';
import { dualAndExclusive, loadStoreMultiple, loadStoreSingle } from './load-store.ts';
import { longMultiply, multiply } from './multiply.ts';
import { dataProcessingRegister } from './register.ts';

export function executeThumb2(core: Core, r: Int32Array, pc: number): number {
  const h = core.memory.load16(pc);
  const g = core.memory.load16(pc + 2);
  const group = (h >> 11) & 3;
  if (group === 2 && g >= 0x8000) return branchesAndControl(core, r, pc, h, g);
  if (!core.isV7) throw new Fault('undefined', pc, pc);
  if (group === 2) return (h & 0x200) === 0 ? modifiedImmediate(core, r, pc, h, g) : plainImmediate(core, r, pc, h, g);
  const op = (h >> 4) & 0x7f;
  if (group === 1) {
    if (op >= 0x40) throw new Fault('undefined', pc, pc);
    if (op >= 0x20) return shiftedRegister(core, r, pc, h, g);
    return (op & 4) === 0 ? loadStoreMultiple(core, r, pc, h, g) : dualAndExclusive(core, r, pc, h, g);
  }
  if (op < 0x20) return loadStoreSingle(core, r, pc, h, g);
  if (op < 0x30) return dataProcessingRegister(core, r, pc, h, g);
  if (op < 0x38) return multiply(core, r, pc, h, g);
  if (op < 0x40) return longMultiply(core, r, pc, h, g);
  throw new Fault('undefined', pc, pc);
}
