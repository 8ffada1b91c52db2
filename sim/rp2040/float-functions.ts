/**
 * The boot ROM's floating-point functions, in the order of its tables, computed by the host.
 *
 * As the ROM has them: to nearest, subnormals flushed to zero, conversions to integers round towards minus infinity
 * and clamp. A not-a-number is the callers' business: the SDK's wrappers keep them away.
 * References: RP2040 datasheet 2.8.3.2 (functions and their rounding); raspberrypi/pico-sdk@95ea6aca
 * src/rp2_common/pico_bootrom/include/pico/bootrom/sf_table.h (order).
 */

/** Registers r0 to r3 before and after. */
export type Registers = Uint32Array;
export type FloatFunction = (registers: Registers) => void;

const scratch = new DataView(new ArrayBuffer(8));
const smallestDouble = 2.2250738585072014e-308;
const smallestFloat = 1.1754943508222875e-38;

interface Format {
  /** Registers that a value takes. */
  words: 1 | 2;
  read(registers: Registers, at: number): number;
  write(registers: Registers, value: number): void;
}

const double: Format = {
  words: 2,
  read: (registers, at) => {
    scratch.setUint32(0, registers[at]!, true);
    scratch.setUint32(4, registers[at + 1]!, true);
    return flushed(scratch.getFloat64(0, true), smallestDouble);
  },
  write: (registers, value) => writeDouble(registers, 0, value),
};

const float: Format = {
  words: 1,
  read: (registers, at) => {
    scratch.setUint32(0, registers[at]!, true);
    return flushed(scratch.getFloat32(0, true), smallestFloat);
  },
  write: (registers, value) => {
    scratch.setFloat32(0, flushed(Math.fround(value), smallestFloat), true);
    registers[0] = scratch.getUint32(0, true);
  },
};

function writeDouble(registers: Registers, at: number, value: number): void {
  scratch.setFloat64(0, flushed(value, smallestDouble), true);
  registers[at] = scratch.getUint32(0, true);
  registers[at + 1] = scratch.getUint32(4, true);
}

function flushed(value: number, smallest: number): number {
  return Math.abs(value) < smallest ? (value < 0 || Object.is(value, -0) ? -0 : 0) : value;
}

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most);

function toInteger(value: number, isSigned: boolean): number {
  const floor = Math.floor(value);
  return isSigned ? clamp(floor, -0x8000_0000, 0x7fff_ffff) : clamp(floor, 0, 0xffff_ffff);
}

function toInteger64(registers: Registers, value: number, isSigned: boolean): void {
  const floor = Math.floor(value);
  const [least, most] = isSigned ? [-(2 ** 63), 2 ** 63] : [0, 2 ** 64];
  let integer: bigint;
  if (!(floor > least)) integer = BigInt(least);
  else if (floor >= most) integer = BigInt(most) - 1n;
  else integer = BigInt(floor);
  scratch.setBigUint64(0, BigInt.asUintN(64, integer), true);
  registers[0] = scratch.getUint32(0, true);
  registers[1] = scratch.getUint32(4, true);
}

function fromInteger64(registers: Registers, isSigned: boolean): number {
  scratch.setUint32(0, registers[0]!, true);
  scratch.setUint32(4, registers[1]!, true);
  return Number(isSigned ? scratch.getBigInt64(0, true) : scratch.getBigUint64(0, true));
}

function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function tableOf(format: Format, other: Format): readonly FloatFunction[] {
  const { words, read, write } = format;
  const unary =
    (f: (x: number) => number): FloatFunction =>
    (r) =>
      write(r, f(read(r, 0)));
  const binary =
    (f: (x: number, y: number) => number): FloatFunction =>
    (r) =>
      write(r, f(read(r, 0), read(r, words)));
  const toInt =
    (isSigned: boolean, isFixed: boolean): FloatFunction =>
    (r) => {
      r[0] = toInteger(read(r, 0) * (isFixed ? 2 ** (r[words]! | 0) : 1), isSigned);
    };
  const toInt64 =
    (isSigned: boolean, isFixed: boolean): FloatFunction =>
    (r) =>
      toInteger64(r, read(r, 0) * (isFixed ? 2 ** (r[words]! | 0) : 1), isSigned);
  const fromInt =
    (isSigned: boolean, isFixed: boolean): FloatFunction =>
    (r) =>
      write(r, (isSigned ? r[0]! | 0 : r[0]!) / (isFixed ? 2 ** (r[1]! | 0) : 1));
  const fromInt64 =
    (isSigned: boolean, isFixed: boolean): FloatFunction =>
    (r) =>
      write(r, fromInteger64(r, isSigned) / (isFixed ? 2 ** (r[2]! | 0) : 1));
  const comparison: FloatFunction = (r) => {
    r[0] = compare(read(r, 0), read(r, words));
  };
  return [
    binary((x, y) => x + y),
    binary((x, y) => x - y),
    binary((x, y) => x * y),
    binary((x, y) => x / y),
    comparison,
    comparison,
    unary(Math.sqrt),
    toInt(true, false),
    toInt(true, true),
    toInt(false, false),
    toInt(false, true),
    fromInt(true, false),
    fromInt(true, true),
    fromInt(false, false),
    fromInt(false, true),
    unary(Math.cos),
    unary(Math.sin),
    unary(Math.tan),
    (r) => {
      const x = read(r, 0);
      write(r, Math.cos(x));
      const cosine = [r[0]!, r[1]!] as const;
      write(r, Math.sin(x));
      if (words === 2) r.set(cosine, 2);
      else r[1] = cosine[0];
    },
    unary(Math.exp),
    unary(Math.log),
    comparison,
    binary(Math.atan2),
    fromInt64(true, false),
    fromInt64(true, true),
    fromInt64(false, false),
    fromInt64(false, true),
    toInt64(true, false),
    toInt64(true, true),
    toInt64(false, false),
    toInt64(false, true),
    // From the other format into this one's, or out of it: both tables have the conversion away from themselves.
    (r) => other.write(r, read(r, 0)),
  ];
}

/** The functions of the `SF` and `SD` tables, one each four bytes of the table. */
export const floatFunctions: readonly FloatFunction[] = tableOf(float, double);
export const doubleFunctions: readonly FloatFunction[] = tableOf(double, float);
