/** Sums and differences of the halves or bytes of two words at once (ARM DDI 0403, A5.3.13, A5.3.14). */
import type { Core } from '../core.ts';
import { Fault } from '../memory.ts';

/** Where a lane's operands come from: lane numbers of the first and second word, and whether it subtracts. */
type Lane = readonly [x: number, y: number, subtracts: boolean];

const HALVES: Readonly<Record<number, readonly Lane[]>> = {
  1: [[0, 0, false], [1, 1, false]], // ADD16
  2: [[0, 1, true], [1, 0, false]], // ASX
  6: [[0, 1, false], [1, 0, true]], // SAX
  5: [[0, 0, true], [1, 1, true]], // SUB16
}; // biome-ignore format: a row an operation
const bytes = (subtracts: boolean): Lane[] => [0, 1, 2, 3].map((lane) => [lane, lane, subtracts] as const);
const BYTES: Readonly<Record<number, readonly Lane[]>> = { 0: bytes(false), 4: bytes(true) };

const WRAPS = 0;
const SATURATES = 1;
const HALVES_RESULT = 2;

/** `op`: h[6:4]; `second`: g[6:4], whose bit 2 is "unsigned" and whose lower bits say what becomes of the result. */
export function parallel(core: Core, pc: number, op: number, second: number, x: number, y: number): number {
  const lanes = HALVES[op] ?? BYTES[op];
  const mode = second & 3;
  if (!lanes || mode === 3) throw new Fault('undefined', pc, pc);
  const isUnsigned = (second & 4) !== 0;
  const bits = 32 / lanes.length;
  const most = 2 ** bits;
  const lane = (word: number, k: number): number => {
    const value = (word >>> (k * bits)) & (most - 1);
    return isUnsigned || value < most / 2 ? value : value - most;
  };
  let result = 0;
  let ge = 0;
  lanes.forEach(([a, b, subtracts], k) => {
    const sum = subtracts ? lane(x, a) - lane(y, b) : lane(x, a) + lane(y, b);
    const flag = isUnsigned && !subtracts ? sum >= most : sum >= 0;
    if (flag) ge |= (bits === 8 ? 1 : 3) << ((k * bits) / 8);
    let value = sum;
    if (mode === HALVES_RESULT) value = sum >> 1;
    else if (mode === SATURATES) {
      const [low, high] = isUnsigned ? [0, most - 1] : [-most / 2, most / 2 - 1];
      value = Math.min(Math.max(sum, low), high);
    }
    result |= (value & (most - 1)) << (k * bits);
  });
  if (mode === WRAPS) core.ge = ge;
  return result;
}
