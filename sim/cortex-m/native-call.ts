/**
 * `E.nativeCall` on a virtual Espruino: machine code from a flat string, called with up to four words, on the counting
 * core and against the program's own buffers. The code is not writable; memory that is not one of the program's buffers
 * is not mapped, so code that leaves its bounds faults, and the program sees an error with the address.
 */
import { cortexM0Plus, cortexM4 } from '../../firmware/toolchain/native/timing.ts';
import { Core } from './core.ts';
import { Fault, Memory, type Region } from './memory.ts';

const CODE_BASE = 0x08000000;
const STACK_BASE = 0x2f000000;
const STACK_BYTES = 2048;
/** What E.nativeCall itself takes from JavaScript and back: ARM instructions of a null call, measured on Espruino 2v29. */
export const NATIVE_CALL_INSTRUCTIONS = 6025;

/**
 * Of those, what the engine's price for a call of a host function (4,022 with two arguments) leaves out, so that a pair of
 * malloc and free by native code comes to the 11,257 instructions that it was measured to take.
 */
export const UNPRICED_CALL_INSTRUCTIONS = 1470;

export interface NativeBuffer {
  readonly address: number;
  readonly bytes: Uint8Array;
}

export interface NativeTarget {
  /** `cortex-m0plus` and `cortex-m0` have ARMv6-M; others are taken for ARMv7E-M. */
  readonly cpu: string;
  /** The processor is busy for this many cycles. */
  spendCycles(cycles: number): void;
}

export type NativeFunction = (...args: number[]) => number | undefined;

/**
 * The function that E.nativeCall gives: `offset` (bit 0 set: Thumb) into `code`, a signature such as `int(int,int)`,
 * and the buffers that the program can name an address of, looked up at each call.
 */
export function nativeFunction(
  target: NativeTarget,
  offset: number,
  signature: string,
  code: Uint8Array,
  buffers: () => readonly NativeBuffer[],
): NativeFunction {
  const match = /^(void|bool|int|Pin)\s*\(([a-zA-Z, ]*)\)$/.exec(signature.trim());
  if (!match) throw new Error(`E.nativeCall cannot call ${signature} here: only void, bool, int and Pin`);
  if ((offset & 1) === 0) throw new Error('E.nativeCall: the offset has bit 0 clear, but the code is Thumb');
  if (offset >= code.length)
    throw new Error(`E.nativeCall: offset ${offset} lies behind the code's ${code.length} bytes`);
  const image = new Uint8Array((code.length + 3) & ~3);
  image.set(code);
  const stack = new Uint8Array(STACK_BYTES);
  return (...args) => {
    const regions: Region[] = buffers().map(({ address, bytes }, i) => ({
      name: `buffer ${i}`,
      base: address,
      bytes: bytes.subarray(0, bytes.length & ~3),
      writable: true,
    }));
    regions.push({ name: 'stack', base: STACK_BASE, bytes: stack, writable: true });
    regions.push({ name: 'code', base: CODE_BASE, bytes: image, writable: false });
    const isM0 = /^cortex-m0/.test(target.cpu);
    const core = new Core({ memory: new Memory(regions), timing: isM0 ? cortexM0Plus() : cortexM4() });
    core.r[13] = STACK_BASE + STACK_BYTES;
    try {
      const result = core.call(
        CODE_BASE + offset,
        args.slice(0, 4).map((arg) => Number(arg) | 0),
      );
      return match[1] === 'void' ? undefined : match[1] === 'bool' ? result & 1 : result;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      throw new Error(`HARD FAULT: ${error.message}, code offset ${error.pc - CODE_BASE}`, { cause: error });
    } finally {
      target.spendCycles(core.cycles);
    }
  };
}
