/** Saturation to a width, which sets the sticky Q flag (ARM DDI 0403, A2.2.1). */
import type { Core } from '../core.ts';

/** `x` as a signed number of `bits` bits, 1 to 32. */
export function saturateSigned(core: Core, x: number, bits: number): number {
  const most = 2 ** (bits - 1) - 1;
  const least = -(2 ** (bits - 1));
  if (x > most || x < least) core.q = true;
  return Math.min(Math.max(x, least), most);
}

/** `x` as an unsigned number of `bits` bits, 0 to 31. */
export function saturateUnsigned(core: Core, x: number, bits: number): number {
  const most = 2 ** bits - 1;
  if (x > most || x < 0) core.q = true;
  return Math.min(Math.max(x, 0), most);
}
