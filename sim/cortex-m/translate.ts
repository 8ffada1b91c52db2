/**
 * One decoded instruction as JavaScript for the fast mode: r0 to r14, nz, c, v, x, y, o are local variables there, and
 * the flags are kept as flags.ts says. Flags that nobody reads are not computed.
 */
import type { Timing } from '../../firmware/toolchain/native/timing.ts';
import { ASR, LSL, LSR } from './flags.ts';
import { bitCount } from './multiple.ts';
import { branchOf, conditionOf, dOf, immOf, isConditional, mOf, nOf, O, SCRAP, upperOf, ZERO } from './operations.ts';

const FLAG_NZ = 1;
const FLAG_C = 2;
const FLAG_V = 4;

export interface Translation {
  readonly text: string;
  readonly cycles: number;
  /** What the branch that follows may test instead of flags: the operands of a comparison, or a result. */
  readonly compared: { a: string; b: string } | { result: string } | null;
}

const PC_BIT = 0x8000;

const arithmetic = new Set<number>([O.ADD, O.SUB, O.ADC, O.SBC]);
const logic = new Set<number>([O.MOVI, O.AND, O.EOR, O.ORR, O.BIC, O.MVN, O.MUL]);

/** Flags an instruction certainly writes. */
export function flagsWritten(w: number): number {
  const op = w & 63;
  if (arithmetic.has(op)) return FLAG_NZ | FLAG_C | FLAG_V;
  if (op === O.LSLI || op === O.LSRI || op === O.ASRI) return FLAG_NZ | FLAG_C;
  // A shift by a register that holds 0 leaves the carry.
  return op === O.SHIFT || logic.has(op) ? FLAG_NZ : 0;
}

const conditionFlags = [1, 1, 2, 2, 1, 1, 4, 4, 3, 3, 5, 5, 5, 5];

export function flagsRead(w: number): number {
  const op = w & 63;
  if (isConditional(op)) return conditionFlags[conditionOf(op)]!;
  return op === O.ADC || op === O.SBC || op === O.SHIFT ? FLAG_C : 0;
}

export const isTranslated = (op: number): boolean => op !== O.UNDECODED && op !== O.RARE && op !== O.IT;

/** Where a branch of known target goes. */
export const targetOf = (w: number, pc: number): number =>
  (pc + 2 * ((w & 63) === O.CBZ || (w & 63) === O.CBNZ ? upperOf(w) : branchOf(w))) >>> 0;

/** BX, BLX and POP with PC: the target is in `x` after their text. */
export const isDynamic = (w: number): boolean =>
  (w & 63) === O.BX || (w & 63) === O.BLX || ((w & 63) === O.POP && (upperOf(w) & PC_BIT) !== 0);

/** After these, where to go on is known or in `x`. */
export const endsBlock = (w: number): boolean => isConditional(w & 63) || isDynamic(w) || branches.has(w & 63);

const branches = new Set<number>([O.B, O.BL, O.CBZ, O.CBNZ]);

const flagTests = [
  ...['nz === 0', 'nz !== 0', 'c < 0', 'c >= 0', 'nz < 0', 'nz >= 0', 'v < 0', 'v >= 0'],
  ...['c < 0 && nz !== 0', 'c >= 0 || nz === 0', '(nz ^ v) >= 0', '(nz ^ v) < 0'],
  ...['nz !== 0 && (nz ^ v) >= 0', 'nz === 0 || (nz ^ v) < 0'],
];
const resultTests: Record<number, string> = { 0: '=== 0', 1: '!== 0', 4: '< 0', 5: '>= 0' };
const signedTests: Record<number, string> = { 0: '===', 1: '!==', 10: '>=', 11: '<', 12: '>', 13: '<=' };
const unsignedTests: Record<number, string> = { 2: '>=', 3: '<', 8: '>', 9: '<=' };

/** The test of a condition: on flags, or on what set them; null when that does not suffice. */
export function conditionText(cond: number, compared: null): string;
export function conditionText(cond: number, compared: Translation['compared']): string | null;
export function conditionText(cond: number, compared: Translation['compared']): string | null {
  if (!compared) return flagTests[cond]!;
  if ('result' in compared) return resultTests[cond] ? `${compared.result} ${resultTests[cond]}` : null;
  const { a, b } = compared;
  if (signedTests[cond]) return `${a} ${signedTests[cond]} ${b}`;
  if (unsignedTests[cond]) return `(${a} >>> 0) ${unsignedTests[cond]} (${b} >>> 0)`;
  if (cond === 4 || cond === 5) return `((${a} - ${b}) | 0) ${cond === 4 ? '<' : '>='} 0`;
  return null;
}

/** r[m] + imm as text; a register or a number in most instructions. */
function operandText(w: number): string {
  const [m, imm] = [mOf(w), immOf(w)];
  if (m === ZERO) return `${imm}`;
  return imm === 0 ? `r${m}` : `((r${m} + ${imm}) | 0)`;
}

/** r[n] + r[m] + imm as an address. */
function addressText(w: number): string {
  return nOf(w) === ZERO ? operandText(w) : `(r${nOf(w)} + ${operandText(w)}) | 0`;
}

const readText = (register: number): string => (register === ZERO ? '0' : `r${register}`);

export function translate(w: number, pc: number, flags: number, t: Timing, isSelf: boolean): Translation {
  const op = w & 63;
  const d = dOf(w);
  const n = readText(nOf(w));
  const m = readText(mOf(w));
  const set = (text: string, cycles = t.alu): Translation => ({ text: `r${d} = ${text};`, cycles, compared: null });
  switch (op) {
    case O.LSLI:
    case O.LSRI:
    case O.ASRI:
      return shifted(w, flags, t);
    case O.ADD:
      return sum(d, n, operandText(w), '0', flags, t);
    case O.SUB:
      return difference(d, n, operandText(w), flags, t);
    case O.ADC:
      return sum(d, n, m, '(c >>> 31)', flags, t);
    case O.SBC:
      return sum(d, n, `~${m}`, '(c >>> 31)', flags, t);
    case O.MOVI:
      return logical(d, `${immOf(w)}`, flags, t.alu);
    case O.AND:
      return logical(d, `${n} & ${m}`, flags, t.alu);
    case O.EOR:
      return logical(d, `${n} ^ ${m}`, flags, t.alu);
    case O.ORR:
      return logical(d, `${n} | ${m}`, flags, t.alu);
    case O.BIC:
      return logical(d, `${n} & ~${m}`, flags, t.alu);
    case O.MVN:
      return logical(d, `~${m}`, flags, t.alu);
    case O.MUL:
      return logical(d, `Math.imul(${n}, ${m})`, flags, t.multiply);
    case O.SHIFT:
      return shiftedByRegister(w, flags, t);
    case O.MOVE:
      return set(addressText(w));
    case O.SXTH:
      return set(`(${m} << 16) >> 16`);
    case O.SXTB:
      return set(`(${m} << 24) >> 24`);
    case O.UXTH:
      return set(`${m} & 65535`);
    case O.UXTB:
      return set(`${m} & 255`);
    case O.REV:
      return set(`(${m} << 24) | ((${m} & 65280) << 8) | ((${m} >> 8) & 65280) | (${m} >>> 24)`);
    case O.REV16:
      return set(`((${m} & 16711935) << 8) | ((${m} >>> 8) & 16711935)`);
    case O.REVSH:
      return set(`((${m} << 24) >> 16) | ((${m} >> 8) & 255)`);
    case O.LDR:
      return loaded(d, 4, addressText(w), pc, t, '');
    case O.LDRH:
      return loaded(d, 2, addressText(w), pc, t, '');
    case O.LDRB:
      return loaded(d, 1, addressText(w), pc, t, '');
    case O.LDRSH:
      return loaded(d, 2, addressText(w), pc, t, '16');
    case O.LDRSB:
      return loaded(d, 1, addressText(w), pc, t, '24');
    case O.LITERAL:
      return loaded(d, 4, `${(pc + upperOf(w)) | 0}`, pc, t, '');
    case O.STR:
      return { text: storeText(4, addressText(w), `r${d}`, pc, isSelf), cycles: t.store, compared: null };
    case O.STRH:
      return { text: storeText(2, addressText(w), `r${d}`, pc, isSelf), cycles: t.store, compared: null };
    case O.STRB:
      return { text: storeText(1, addressText(w), `r${d}`, pc, isSelf), cycles: t.store, compared: null };
    case O.ADR:
      return set(`${(pc + upperOf(w)) | 0}`);
    case O.BX:
    case O.BLX: {
      const link = op === O.BLX ? ` r14 = ${(pc + 2) | 1};` : '';
      return { text: `at = ${pc}; x = core.exchange(${m}, ${pc});${link}`, cycles: t.branchExchange, compared: null };
    }
    case O.NOP:
      return { text: '', cycles: t.alu, compared: null };
    default:
      return multiple(op, w, pc, t, isSelf);
  }
}

/** Writes a result of logic, and N and Z; SCRAP as a destination is a test. */
function logical(d: number, expression: string, flags: number, cycles: number): Translation {
  const target = d === SCRAP ? 'x' : `r${d}`;
  const nz = (flags & FLAG_NZ) !== 0 ? 'nz = ' : '';
  return { text: `${target} = ${nz}${expression};`, cycles, compared: { result: target } };
}

function shifted(w: number, flags: number, t: Timing): Translation {
  const m = `r${mOf(w)}`;
  const count = immOf(w);
  const isLeft = (w & 63) === O.LSLI;
  const carry = (flags & FLAG_C) !== 0 ? `c = ${m} << ${isLeft ? count - 1 : 32 - count}; ` : '';
  const arrow = (w & 63) === O.ASRI ? '>>' : '>>>';
  const right = count === 32 ? (arrow === '>>' ? `${m} >> 31` : '0') : `(${m} ${arrow} ${count}) | 0`;
  const result = logical(dOf(w), isLeft ? `${m} << ${count}` : right, flags, t.alu);
  return { ...result, text: carry + result.text };
}

function shiftedByRegister(w: number, flags: number, t: Timing): Translation {
  const [n, m, kind] = [`r${nOf(w)}`, `r${mOf(w)}`, immOf(w)];
  if ((flags & FLAG_C) === 0 && (kind === LSL || kind === LSR || kind === ASR)) {
    const arrow = kind === LSL ? '<<' : kind === LSR ? '>>>' : '>>';
    const far = kind === ASR ? `${n} >> 31` : '0';
    return logical(dOf(w), `(y = ${m} & 255, y < 32 ? (${n} ${arrow} y) | 0 : ${far})`, flags, t.alu);
  }
  const result = logical(dOf(w), `shiftWithCarry(core, ${kind}, ${n}, ${m} & 255)`, flags, t.alu);
  return { ...result, text: `core.c = c; ${result.text} c = core.c;` };
}

/** d = a + b (+ carry) with the flags that are needed. */
function sum(d: number, a: string, b: string, carry: string, flags: number, t: Timing): Translation {
  const total = `(x + y${carry === '0' ? '' : ` + ${carry}`}) | 0`;
  let text = `x = ${a}; y = ${b}; o = ${total};`;
  if ((flags & FLAG_C) !== 0) text += ' c = (x & y) | ((x | y) & ~o);';
  if ((flags & FLAG_V) !== 0) text += ' v = (x ^ o) & (y ^ o);';
  if ((flags & FLAG_NZ) !== 0) text += ' nz = o;';
  if (d !== SCRAP) text += ` r${d} = o;`;
  return { text, cycles: t.alu, compared: { result: 'o' } };
}

function difference(d: number, a: string, b: string, flags: number, t: Timing): Translation {
  let text = `x = ${a}; y = ${b};`;
  if (flags !== 0 || d !== SCRAP) text += ' o = (x - y) | 0;';
  if ((flags & FLAG_C) !== 0) text += ' c = (x & ~y) | ((x | ~y) & ~o);';
  if ((flags & FLAG_V) !== 0) text += ' v = (x ^ y) & (x ^ o);';
  if ((flags & FLAG_NZ) !== 0) text += ' nz = o;';
  if (d !== SCRAP) text += ` r${d} = o;`;
  return { text, cycles: t.alu, compared: { a: 'x', b: 'y' } };
}

const views = { 4: 'i32[o >> 2]', 2: 'u16[o >> 1]', 1: 'u8[o]' } as const;
const aligned = { 4: ' && (o & 3) === 0', 2: ' && (o & 1) === 0', 1: '' } as const;

/** `extend` is by how much the value is shifted up and down again, '' for not at all. */
function loaded(d: number, width: 1 | 2 | 4, address: string, pc: number, t: Timing, extend: string): Translation {
  const far = `(at = ${pc}, ${width === 1 ? 'core.memory.load8' : `core.load${width * 8}`}(x))`;
  const value = `o < size${aligned[width]} ? ${views[width]} : ${far}`;
  const text = `x = ${address}; o = (x - base) >>> 0; r${d} = `;
  const result = extend === '' ? `${value};` : `((${value}) << ${extend}) >> ${extend};`;
  return { text: text + result, cycles: t.load, compared: null };
}

function storeText(width: 1 | 2 | 4, address: string, value: string, pc: number, isSelf: boolean): string {
  // Code in the memory that is written: the core drops what was decoded, and this function ends at the next block.
  if (isSelf) return `at = ${pc}; core.store${width * 8}(${address}, ${value});`;
  const near = `if (o < storable${aligned[width]}) ${views[width]} = ${value};`;
  return `x = ${address}; o = (x - base) >>> 0; ${near} else { at = ${pc}; core.store${width * 8}(x, ${value}); }`;
}

/** PUSH, POP, STM, LDM. */
function multiple(op: number, w: number, pc: number, t: Timing, isSelf: boolean): Translation {
  const list = upperOf(w);
  const n = nOf(w);
  const count = bitCount(list);
  const registers = Array.from({ length: 15 }, (_, k) => k).filter((k) => (list & (1 << k)) !== 0);
  const toPc = (list & PC_BIT) !== 0;
  const cycles = (toPc ? t.popPcBase : t.multipleBase) + count;
  const from = op === O.PUSH ? `(r13 - ${4 * count}) | 0` : `r${n}`;
  const move = (by: number): string => `r${n} = (r${n} + ${by}) | 0;`;
  if (op === O.PUSH || op === O.STM) {
    const stores = registers.map((k, i) => storeText(4, `(y + ${4 * i}) | 0`, `r${k}`, pc, isSelf)).join(' ');
    return { text: `y = ${from}; ${stores} ${move(op === O.PUSH ? -4 * count : 4 * count)}`, cycles, compared: null };
  }
  const names = toPc ? [...registers.map((k) => `r${k}`), 'to'] : registers.map((k) => `r${k}`);
  const loads = names.map((name, i) => {
    const value = `o < size && (o & 3) === 0 ? i32[o >> 2] : (at = ${pc}, core.memory.load32(x))`;
    return `x = (y + ${4 * i}) | 0; o = (x - base) >>> 0; ${name} = ${value};`;
  });
  const writeBack = registers.includes(n) ? '' : `r${n} = (y + ${4 * count}) | 0;`;
  const jump = toPc ? ` at = ${pc}; x = core.exchange(to, ${pc});` : '';
  return { text: `y = ${from}; ${loads.join(' ')} ${writeBack}${jump}`, cycles, compared: null };
}
