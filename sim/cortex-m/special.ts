/** The special registers that MRS and MSR reach (ARM DDI 0419, B5.2; DDI 0403, B5.2), and the two stack pointers. */
import type { Core } from './core.ts';
import { packFlags, unpackFlags } from './flags.ts';

const CONTROL_USES_PSP = 2;

/** The program status register's flag bits. */
export function readApsr(core: Core): number {
  return packFlags(core) | (core.q ? 1 << 27 : 0) | (core.isV7 ? core.ge << 16 : 0);
}

export function writeApsr(core: Core, value: number): void {
  unpackFlags(core, value);
  if (core.isV7) core.q = (value & (1 << 27)) !== 0;
}

/** `which` is SYSm. Registers that are not there read as 0. */
export function readSpecial(core: Core, r: Int32Array, which: number): number {
  // APSR, IAPSR, EAPSR, XPSR, -, IPSR, EPSR, IEPSR: bit 0 adds IPSR, bit 2 leaves out APSR; EPSR reads as 0.
  if (which < 8) return ((which & 4) === 0 ? readApsr(core) : 0) | ((which & 1) !== 0 ? core.ipsr : 0);
  switch (which) {
    case 8:
      return usesPsp(core) ? core.otherSp : r[13]!;
    case 9:
      return usesPsp(core) ? r[13]! : core.otherSp;
    case 16:
      return core.primask;
    case 17:
    case 18:
      return core.basepri;
    case 19:
      return core.faultmask;
    case 20:
      return core.control;
    default:
      return 0;
  }
}

/** `mask` says which parts of APSR: bit 1 the flags, bit 0 GE. */
export function writeSpecial(core: Core, r: Int32Array, which: number, value: number, mask: number): void {
  if (which < 4) {
    if ((mask & 2) !== 0) writeApsr(core, value);
    if ((mask & 1) !== 0 && core.isV7) core.ge = (value >> 16) & 15;
    return;
  }
  switch (which) {
    case 8:
    case 9:
      if ((which === 9) === usesPsp(core)) r[13] = value & ~3;
      else core.otherSp = value & ~3;
      return;
    case 16:
      core.primask = value & 1;
      return;
    case 17:
      if (core.isV7) core.basepri = value & 255;
      return;
    case 18:
      // BASEPRI_MAX only raises the priority.
      if (core.isV7 && (value & 255) !== 0 && (core.basepri === 0 || (value & 255) < core.basepri)) {
        core.basepri = value & 255;
      }
      return;
    case 19:
      if (core.isV7) core.faultmask = value & 1;
      return;
    case 20:
      // The stack pointer is chosen in thread mode only; there are no unprivileged accesses here.
      selectStack(core, r, core.ipsr === 0 && (value & CONTROL_USES_PSP) !== 0);
      core.control = (core.control & CONTROL_USES_PSP) | (value & 1);
  }
}

function usesPsp(core: Core): boolean {
  return (core.control & CONTROL_USES_PSP) !== 0;
}

/** Makes the process or the main stack pointer r13. */
export function selectStack(core: Core, r: Int32Array, process: boolean): void {
  if (process === usesPsp(core)) return;
  core.control ^= CONTROL_USES_PSP;
  const sp = r[13]!;
  r[13] = core.otherSp;
  core.otherSp = sp;
}
