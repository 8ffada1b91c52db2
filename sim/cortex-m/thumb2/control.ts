/** Branches, special registers, barriers (ARM DDI 0403, A5.3.4). A Cortex-M0+ has BL, MSR, MRS, DMB, DSB and ISB. */
import type { Core } from '../core.ts';
import { branchLinkOffset } from '../decode.ts';
import { conditionHolds } from '../flags.ts';
import { Fault } from '../memory.ts';
import { readSpecial, writeSpecial } from '../special.ts';

export function branchesAndControl(core: Core, r: Int32Array, pc: number, h: number, g: number): number {
  const { timing, isV7 } = core;
  if ((g & 0x4000) !== 0 && (g & 0x1000) !== 0) {
    core.cycles += timing.branchLink;
    r[14] = (pc + 4) | 1;
    return (pc + 4 + branchLinkOffset(h, g)) >>> 0;
  }
  if ((g & 0x4000) !== 0) throw new Fault('undefined', pc, pc);
  if ((g & 0x1000) !== 0) {
    if (!isV7) throw new Fault('undefined', pc, pc);
    core.cycles += timing.branchTaken;
    return (pc + 4 + branchLinkOffset(h, g)) >>> 0;
  }
  const op = (h >> 4) & 0x7f;
  if ((op & 0x38) !== 0x38) {
    if (!isV7) throw new Fault('undefined', pc, pc);
    const taken = conditionHolds((h >> 6) & 15, core.nz, core.c, core.v);
    core.cycles += taken ? timing.branchTaken : timing.branchNotTaken;
    return taken ? (pc + 4 + conditionalOffset(h, g)) >>> 0 : pc + 4;
  }
  core.cycles += timing.special;
  switch (op) {
    case 0x38:
    case 0x39:
      writeSpecial(core, r, g & 255, r[h & 15]!, (g >> 10) & 3);
      return pc + 4;
    case 0x3a:
      // NOP.W and the other hints.
      if (!isV7) break;
      core.cycles += timing.alu - timing.special;
      return pc + 4;
    case 0x3b: {
      // CLREX, DSB, DMB, ISB: memory is in order here.
      const kind = (g >> 4) & 15;
      if (kind === 2 && isV7) core.exclusiveAddress = null;
      else if (kind < 4 || kind > 6) break;
      return pc + 4;
    }
    case 0x3e:
    case 0x3f:
      r[(g >> 8) & 15] = readSpecial(core, r, g & 255);
      return pc + 4;
  }
  throw new Fault('undefined', pc, pc);
}

/** s:j2:j1:imm6:imm11:0, from the end of the instruction. */
function conditionalOffset(h: number, g: number): number {
  const s = (h >> 10) & 1;
  const j1 = (g >> 13) & 1;
  const j2 = (g >> 11) & 1;
  return (((s << 20) | (j2 << 19) | (j1 << 18) | ((h & 0x3f) << 12) | ((g & 0x7ff) << 1)) << 11) >> 11;
}
