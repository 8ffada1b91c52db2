/** One decoded instruction as JavaScript for the fast mode: r0 to r14, nz, c, v, x, y, o are local variables there. */
import type { Timing } from '../../firmware/toolchain/native/timing.ts';
import { bitCount } from './core.ts';
import { O } from './decode.ts';

export const FLAG_NZ = 1;
export const FLAG_C = 2;
export const FLAG_V = 4;

export interface Translation {
  readonly text: string;
  readonly cycles: number;
  /** After a comparison or subtraction: its operands, for the test of the branch that follows; `nz` after others. */
  readonly compared: { a: string; b: string } | { result: string } | null;
}

const arithmetic = new Set<number>([
  O.ADDR,
  O.SUBR,
  O.ADDI3,
  O.SUBI3,
  O.ADDI,
  O.SUBI,
  O.CMPI,
  O.ADC,
  O.SBC,
  O.NEG,
  O.CMP,
  O.CMN,
  O.CMPH,
]);
const shifts = new Set<number>([O.LSLI, O.LSRI, O.ASRI, O.LSLR, O.LSRR, O.ASRR, O.ROR]);
const logic = new Set<number>([O.MOVI, O.AND, O.EOR, O.TST, O.ORR, O.MUL, O.BIC, O.MVN]);

/** Flags an instruction certainly writes. */
export function flagsWritten(w: number): number {
  const op = w & 255;
  if (arithmetic.has(op)) return FLAG_NZ | FLAG_C | FLAG_V;
  if (op === O.LSLI) return w >> 16 === 0 ? FLAG_NZ : FLAG_NZ | FLAG_C;
  if (op === O.LSRI || op === O.ASRI) return FLAG_NZ | FLAG_C;
  // A shift by a register that holds 0 leaves the carry.
  if (shifts.has(op) || logic.has(op)) return FLAG_NZ;
  return 0;
}

const conditionFlags = [1, 1, 2, 2, 1, 1, 4, 4, 3, 3, 5, 5, 5, 5];

export function flagsRead(w: number): number {
  const op = w & 255;
  if (op === O.BCC) return conditionFlags[(w >> 8) & 15]!;
  if (op === O.ADC || op === O.SBC) return FLAG_C;
  if (op === O.LSLR || op === O.LSRR || op === O.ASRR || op === O.ROR) return FLAG_C;
  return 0;
}

export function isTranslated(op: number): boolean {
  return op !== O.T32 && op !== O.IT && op !== O.BKPT && op !== O.SVC && op !== O.UDF && op !== 0;
}

/** The test of a condition: on flags, or on what set them; null when those operands do not suffice. */
export function conditionText(cond: number, compared: Translation['compared']): string;
export function conditionText(cond: number, compared: Translation['compared']): string | null {
  if (compared && 'result' in compared) {
    const tests: Record<number, string> = { 0: '=== 0', 1: '!== 0', 4: '< 0', 5: '>= 0' };
    return tests[cond] ? `${compared.result} ${tests[cond]}` : null;
  }
  if (compared) {
    const { a, b } = compared;
    const operators: Record<number, string> = { 0: '===', 1: '!==', 10: '>=', 11: '<', 12: '>', 13: '<=' };
    const unsigned: Record<number, string> = { 2: '>=', 3: '<', 8: '>', 9: '<=' };
    if (operators[cond]) return `${a} ${operators[cond]} ${b}`;
    if (unsigned[cond]) return `(${a} >>> 0) ${unsigned[cond]} (${b} >>> 0)`;
    if (cond === 4) return `((${a} - ${b}) | 0) < 0`;
    if (cond === 5) return `((${a} - ${b}) | 0) >= 0`;
    return null;
  }
  return [
    'nz === 0',
    'nz !== 0',
    'c !== 0',
    'c === 0',
    'nz < 0',
    'nz >= 0',
    'v !== 0',
    'v === 0',
    'c !== 0 && nz !== 0',
    'c === 0 || nz === 0',
    'nz < 0 === (v !== 0)',
    'nz < 0 !== (v !== 0)',
    'nz !== 0 && nz < 0 === (v !== 0)',
    'nz === 0 || nz < 0 !== (v !== 0)',
  ][cond]!;
}

/** d = a + b (+ carry) with the flags that are needed; `d` empty for a comparison. */
function sum(d: string, a: string, b: string, carry: string, flags: number): string {
  const result = `(x + y${carry === '0' ? '' : ` + ${carry}`}) | 0`;
  if (flags === 0) return d === '' ? '' : `x = ${a}; y = ${b}; ${d} = ${result};`;
  let text = `x = ${a}; y = ${b}; o = ${result};`;
  if ((flags & FLAG_C) !== 0)
    text += ` c = (x >>> 0) + (y >>> 0)${carry === '0' ? '' : ` + ${carry}`} > 4294967295 ? 1 : 0;`;
  if ((flags & FLAG_V) !== 0) text += ' v = ((x ^ o) & (y ^ o)) < 0 ? 1 : 0;';
  if ((flags & FLAG_NZ) !== 0) text += ' nz = o;';
  return d === '' ? text : `${text} ${d} = o;`;
}

function difference(d: string, a: string, b: string, flags: number): Translation {
  const compared = { a: 'x', b: 'y' };
  let text = `x = ${a}; y = ${b};`;
  if (flags !== 0 || d !== '') text += ' o = (x - y) | 0;';
  if ((flags & FLAG_C) !== 0) text += ' c = x >>> 0 >= y >>> 0 ? 1 : 0;';
  if ((flags & FLAG_V) !== 0) text += ' v = ((x ^ y) & (x ^ o)) < 0 ? 1 : 0;';
  if ((flags & FLAG_NZ) !== 0) text += ' nz = o;';
  if (d !== '') text += ` ${d} = o;`;
  return { text, cycles: 1, compared };
}

export function translate(w: number, pc: number, flags: number, t: Timing, isSelf: boolean): Translation {
  const op = w & 255;
  const d = `r${(w >> 8) & 15}`;
  const n = `r${(w >> 12) & 15}`;
  const imm = w >> 16;
  const m = `r${imm & 15}`;
  const alu = (text: string): Translation => ({ text, cycles: t.alu, compared: null });
  const logical = (expression: string, writes = true): Translation => {
    const target = writes ? `${d} = ` : '';
    if (!writes || (flags & FLAG_NZ) === 0) {
      return { text: `${writes ? d : 'x'} = ${expression};`, cycles: t.alu, compared: { result: writes ? d : 'x' } };
    }
    return { text: `${target}nz = ${expression};`, cycles: t.alu, compared: { result: d } };
  };
  const withFlags = (translation: Translation, result: string): Translation =>
    (flags & FLAG_NZ) !== 0 ? { ...translation, text: `${translation.text} nz = ${result};` } : translation;
  const high = (k: number): string => (k === 15 ? `${(pc + 4) | 0}` : `r${k}`);
  const load = (width: 1 | 2 | 4, address: string, sign = 0): Translation => {
    const view = width === 4 ? 'i32[o >> 2]' : width === 2 ? 'u16[o >> 1]' : 'u8[o]';
    const aligned = width === 1 ? '' : ` && (o & ${width - 1}) === 0`;
    const value = `o < main.size${aligned} ? ${view} : (at = ${pc}, core.memory.load${width * 8}(x))`;
    const extended = sign > 0 ? `((${value}) << ${sign}) >> ${sign}` : value;
    return { text: `x = ${address}; o = (x - main.base) >>> 0; ${d} = ${extended};`, cycles: t.load, compared: null };
  };
  const store = (width: 1 | 2 | 4, address: string): Translation => ({
    text: storeText(width, address, d, pc, isSelf),
    cycles: t.store,
    compared: null,
  });
  switch (op) {
    case O.LSLI: {
      const carry = imm !== 0 && (flags & FLAG_C) !== 0 ? `c = (${n} >>> ${32 - imm}) & 1; ` : '';
      const shifted = logical(imm === 0 ? n : `${n} << ${imm}`);
      return { ...shifted, text: carry + shifted.text };
    }
    case O.LSRI:
    case O.ASRI: {
      const arrow = op === O.LSRI ? '>>>' : '>>';
      const carry = (flags & FLAG_C) !== 0 ? `c = (${n} ${arrow} ${imm - 1}) & 1; ` : '';
      const full = op === O.LSRI ? '0' : `${n} >> 31`;
      const shifted = logical(imm === 32 ? full : op === O.LSRI ? `(${n} >>> ${imm}) | 0` : `${n} >> ${imm}`);
      return { ...shifted, text: carry + shifted.text };
    }
    case O.ADDR:
      return alu(sum(d, n, m, '0', flags));
    case O.ADDI3:
    case O.ADDI:
      if (flags === 0) return { text: `${d} = (${n} + ${imm}) | 0;`, cycles: t.alu, compared: { result: d } };
      return { ...alu(sum(d, n, `${imm}`, '0', flags)), compared: { result: 'o' } };
    case O.SUBR:
      return difference(d, n, m, flags);
    case O.SUBI3:
    case O.SUBI:
      return difference(d, n, `${imm}`, flags);
    case O.CMPI:
      return difference('', n, `${imm}`, flags);
    case O.CMP:
      return difference('', d, m, flags);
    case O.CMPH:
      return difference('', high((w >> 8) & 15), high(imm), flags);
    case O.NEG:
      return difference(d, '0', m, flags);
    case O.CMN:
      return alu(sum('', d, m, '0', flags));
    case O.ADC:
      return alu(sum(d, d, m, 'c', flags));
    case O.SBC:
      return alu(sum(d, d, `~${m}`, 'c', flags));
    case O.MOVI:
      return logical(`${imm}`);
    case O.AND:
      return logical(`${d} & ${m}`);
    case O.EOR:
      return logical(`${d} ^ ${m}`);
    case O.ORR:
      return logical(`${d} | ${m}`);
    case O.BIC:
      return logical(`${d} & ~${m}`);
    case O.MVN:
      return logical(`~${m}`);
    case O.TST:
      return withFlags(logical(`${d} & ${m}`, false), 'x');
    case O.MUL:
      return { ...logical(`Math.imul(${d}, ${m})`), cycles: t.multiply };
    case O.LSLR:
    case O.LSRR:
    case O.ASRR:
    case O.ROR: {
      const name =
        op === O.LSLR ? 'shiftLeft' : op === O.LSRR ? 'shiftRight' : op === O.ASRR ? 'shiftArithmetic' : 'rotate';
      if ((flags & FLAG_C) === 0 && op !== O.ROR) {
        const arrow = op === O.LSLR ? '<<' : op === O.LSRR ? '>>>' : '>>';
        const full = op === O.ASRR ? `${d} >> 31` : '0';
        return logical(`(y = ${m} & 255, y < 32 ? (${d} ${arrow} y) | 0 : ${full})`);
      }
      const text = `core.c = c; ${d} = core.${name}(${d}, ${m} & 255); c = core.c; nz = core.nz;`;
      return { text, cycles: t.alu, compared: { result: d } };
    }
    case O.ADDH: {
      const value = `(${d} + ${high(imm)}) | 0`;
      return alu(`${d} = ${d === 'r13' ? `(${value}) & ~3` : value};`);
    }
    case O.MOVH:
      return alu(`${d} = ${d === 'r13' ? `${high(imm)} & ~3` : high(imm)};`);
    case O.ADDPC:
      return { text: `x = (${pc + 4} + ${high(imm)}) & ~1;`, cycles: t.movePc, compared: null };
    case O.MOVPC:
      return { text: `x = ${high(imm)} & ~1;`, cycles: t.movePc, compared: null };
    case O.BX:
      return { text: `at = ${pc}; x = core.exchange(${m}, ${pc});`, cycles: t.branchExchange, compared: null };
    case O.BLX:
      return {
        text: `at = ${pc}; x = core.exchange(${m}, ${pc}); r14 = ${(pc + 2) | 1};`,
        cycles: t.branchExchange,
        compared: null,
      };
    case O.LDRPC:
      return load(4, `${(((pc + 4) & ~3) >>> 0) + imm}`);
    case O.LDRR:
      return load(4, `(${n} + ${m}) | 0`);
    case O.LDRI:
      return load(4, `(${n} + ${imm}) | 0`);
    case O.LDRHR:
      return load(2, `(${n} + ${m}) | 0`);
    case O.LDRHI:
      return load(2, `(${n} + ${imm}) | 0`);
    case O.LDRBR:
      return load(1, `(${n} + ${m}) | 0`);
    case O.LDRBI:
      return load(1, `(${n} + ${imm}) | 0`);
    case O.LDRSBR:
      return load(1, `(${n} + ${m}) | 0`, 24);
    case O.LDRSHR:
      return load(2, `(${n} + ${m}) | 0`, 16);
    case O.STRR:
      return store(4, `(${n} + ${m}) | 0`);
    case O.STRI:
      return store(4, `(${n} + ${imm}) | 0`);
    case O.STRHR:
      return store(2, `(${n} + ${m}) | 0`);
    case O.STRHI:
      return store(2, `(${n} + ${imm}) | 0`);
    case O.STRBR:
      return store(1, `(${n} + ${m}) | 0`);
    case O.STRBI:
      return store(1, `(${n} + ${imm}) | 0`);
    case O.ADR:
      return alu(`${d} = ${(((pc + 4) & ~3) + imm) | 0};`);
    case O.ADDSPI:
    case O.ADDSP:
      return alu(`${d} = (r13 + ${imm}) | 0;`);
    case O.SXTH:
      return alu(`${d} = (${m} << 16) >> 16;`);
    case O.SXTB:
      return alu(`${d} = (${m} << 24) >> 24;`);
    case O.UXTH:
      return alu(`${d} = ${m} & 65535;`);
    case O.UXTB:
      return alu(`${d} = ${m} & 255;`);
    case O.REV:
      return alu(`x = ${m}; ${d} = (x << 24) | ((x & 65280) << 8) | ((x >> 8) & 65280) | (x >>> 24);`);
    case O.REV16:
      return alu(`x = ${m}; ${d} = ((x & 16711935) << 8) | ((x >>> 8) & 16711935);`);
    case O.REVSH:
      return alu(`x = ${m}; ${d} = ((((x & 255) << 8) | ((x >> 8) & 255)) << 16) >> 16;`);
    case O.CPS:
      return alu(`core.primask = ${imm};`);
    case O.NOP:
      return alu('');
    default:
      return multiple(op, w, pc, t, isSelf);
  }
}

function storeText(width: 1 | 2 | 4, address: string, value: string, pc: number, isSelf: boolean): string {
  const view = width === 4 ? 'i32[o >> 2]' : width === 2 ? 'u16[o >> 1]' : 'u8[o]';
  const aligned = width === 1 ? '' : ` && (o & ${width - 1}) === 0`;
  // Code in the memory that is written: the core drops what was decoded, and this function ends at the next block.
  if (isSelf) return `at = ${pc}; core.store${width * 8}(${address}, ${value});`;
  return `x = ${address}; o = (x - main.base) >>> 0; if (o < main.size${aligned} && main.region.writable) ${view} = ${value}; else { at = ${pc}; core.store${width * 8}(x, ${value}); }`;
}

export function bitsOf(list: number): number[] {
  return [0, 1, 2, 3, 4, 5, 6, 7].filter((k) => (list & (1 << k)) !== 0);
}

/** PUSH, POP, STM, LDM. */
function multiple(op: number, w: number, pc: number, t: Timing, isSelf: boolean): Translation {
  const list = w >> 16;
  const n = `r${(w >> 12) & 15}`;
  const count = bitCount(list);
  const registers = bitsOf(list).map((k) => `r${k}`);
  const loads = (base: string, names: readonly string[]): string =>
    names
      .map((name, k) => {
        const value = `o < main.size && (o & 3) === 0 ? i32[o >> 2] : (at = ${pc}, core.memory.load32(x))`;
        return `x = (${base} + ${4 * k}) | 0; o = (x - main.base) >>> 0; ${name} = ${value};`;
      })
      .join(' ');
  if (op === O.PUSH) {
    const stored = (list & 0x100) !== 0 ? [...registers, 'r14'] : registers;
    const stores = stored.map((name, k) => storeText(4, `(r13 + ${4 * k}) | 0`, name, pc, isSelf)).join(' ');
    return { text: `r13 = (r13 - ${4 * count}) | 0; ${stores}`, cycles: t.multipleBase + count, compared: null };
  }
  if (op === O.POP) {
    const toPc = (list & 0x100) !== 0;
    const text = `${loads('r13', toPc ? [...registers, 'y'] : registers)} ${toPc ? `at = ${pc}; x = core.exchange(y, ${pc});` : ''} r13 = (r13 + ${4 * count}) | 0;`;
    return { text, cycles: (toPc ? t.popPcBase : t.multipleBase) + count, compared: null };
  }
  const cycles = t.multipleBase + count;
  if (op === O.STM) {
    const stores = registers.map((name, k) => storeText(4, `(y + ${4 * k}) | 0`, name, pc, isSelf)).join(' ');
    return { text: `y = ${n}; ${stores} ${n} = (y + ${4 * count}) | 0;`, cycles, compared: null };
  }
  const writeBack = registers.includes(n) ? '' : `${n} = (y + ${4 * count}) | 0;`;
  return { text: `y = ${n}; ${loads('y', registers)} ${writeBack}`, cycles, compared: null };
}
