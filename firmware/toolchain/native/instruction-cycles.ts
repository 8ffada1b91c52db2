/** What one instruction of compiled code costs by the timing table, read from its halfword. */
import type { Timing } from './timing.ts';

export interface CycleRange {
  /** A branch that is not taken. */
  readonly least: number;
  readonly most: number;
}

function registersIn(list: number): number {
  let count = 0;
  for (let rest = list; rest !== 0; rest &= rest - 1) count++;
  return count;
}

export function instructionCycles(h: number, t: Timing): CycleRange {
  const same = (cycles: number): CycleRange => ({ least: cycles, most: cycles });
  const group = h >> 11;
  if (h >> 12 === 0xd) return { least: t.branchNotTaken, most: t.branchTaken };
  if (group === 28) return same(t.branchTaken);
  if (h >> 11 === 30 && (h & 0xfff0) !== 0xfab0 && (h & 0xfff0) !== 0xfa90) return same(t.branchLink);
  if (h >> 7 === 0x8e) return same(t.branchExchange);
  if ((h & 0xfe00) === 0xb400) return same(t.multipleBase + registersIn(h & 0x1ff));
  if ((h & 0xfe00) === 0xbc00) {
    return same(((h & 0x100) !== 0 ? t.popPcBase : t.multipleBase) + registersIn(h & 0x1ff));
  }
  if (group >= 9 && group < 20) {
    const isLoad = group === 9 || (group < 12 ? ((h >> 9) & 7) >= 3 : (group & 1) === 1);
    return same(isLoad ? t.load : t.store);
  }
  if ((h & 0xffc0) === 0x4340) return same(t.multiply);
  return same(t.alu);
}
