/** 32-bit Thumb instructions. */
import type { Core } from './core.ts';
import { Fault } from './memory.ts';

export function executeThumb2(core: Core, pc: number): number {
  const r = core.r;
  const h = core.memory.load16(pc);
  const g = core.memory.load16(pc + 2);
  if (core.isV7 && (h & 0xfff0) === 0xfab0) {
    r[(g >> 8) & 15] = Math.clz32(r[g & 15]!);
    core.cycles += 1;
    return pc + 4;
  }
  if (core.isV7 && (h & 0xfff0) === 0xfa90) {
    let x = r[g & 15]!;
    let y = 0;
    for (let i = 0; i < 32; i++) {
      y = (y << 1) | (x & 1);
      x >>>= 1;
    }
    r[(g >> 8) & 15] = y;
    core.cycles += 1;
    return pc + 4;
  }
  throw new Fault('undefined', pc, pc);
}
