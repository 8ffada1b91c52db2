/**
 * Thumb machine code to text in ARM's unified syntax: the 16-bit instructions, BL, and the two 32-bit ones that the
 * compiler emits. Reads the bytes only, so that a listing shows what is really there.
 */

const conditions = ['eq', 'ne', 'hs', 'lo', 'mi', 'pl', 'vs', 'vc', 'hi', 'ls', 'ge', 'lt', 'gt', 'le'] as const;
const dataProcessing = [
  ...['ands', 'eors', 'lsls', 'lsrs', 'asrs', 'adcs', 'sbcs', 'rors'],
  ...['tst', 'rsbs', 'cmp', 'cmn', 'orrs', 'muls', 'bics', 'mvns'],
];
const registerOffset = ['str', 'strh', 'strb', 'ldrsb', 'ldr', 'ldrh', 'ldrb', 'ldrsh'] as const;
const immediateOffset = ['str', 'ldr', 'strb', 'ldrb', 'strh', 'ldrh'] as const;
const registerNames = ['r8', 'r9', 'r10', 'r11', 'r12', 'sp', 'lr', 'pc'] as const;

const reg = (n: number): string => (n < 8 ? `r${n}` : registerNames[n - 8]!);

function registerList(list: number, last: string | null): string {
  const names = [0, 1, 2, 3, 4, 5, 6, 7].filter((k) => (list & (1 << k)) !== 0).map(reg);
  if (last) names.push(last);
  return `{${names.join(', ')}}`;
}

export interface Disassembled {
  readonly text: string;
  readonly sizeBytes: 2 | 4;
  /** Address that a branch or literal load refers to. */
  readonly target: number | null;
}

export function disassemble(code: Uint8Array, address: number): Disassembled {
  const halfword = (at: number): number => (code[at] ?? 0) | ((code[at + 1] ?? 0) << 8);
  const h = halfword(address);
  const one = (text: string, target: number | null = null): Disassembled => ({ text, sizeBytes: 2, target });
  const d = reg(h & 7);
  const n = reg((h >> 3) & 7);
  const m = reg((h >> 6) & 7);
  const imm5 = (h >> 6) & 31;
  const imm8 = h & 255;
  const d8 = reg((h >> 8) & 7);
  const group = h >> 11;
  if (group < 3) {
    if (h < 0x40) return one(`movs ${d}, ${n}`);
    return one(`${['lsls', 'lsrs', 'asrs'][group]} ${d}, ${n}, #${group > 0 && imm5 === 0 ? 32 : imm5}`);
  }
  if (group === 3) {
    const op = (h & 0x200) === 0 ? 'adds' : 'subs';
    return one(`${op} ${d}, ${n}, ${(h & 0x400) === 0 ? m : `#${(h >> 6) & 7}`}`);
  }
  if (group < 8) return one(`${['movs', 'cmp', 'adds', 'subs'][group - 4]} ${d8}, #${imm8}`);
  if (group === 8) {
    if ((h & 0x400) === 0) {
      const op = dataProcessing[(h >> 6) & 15]!;
      return one(op === 'rsbs' ? `rsbs ${d}, ${n}, #0` : `${op} ${d}, ${n}`);
    }
    const high = reg(((h >> 4) & 8) | (h & 7));
    const source = reg((h >> 3) & 15);
    const op = (h >> 8) & 3;
    if (op === 3) return one(`${(h & 0x80) !== 0 ? 'blx' : 'bx'} ${source}`);
    return one(`${['add', 'cmp', 'mov'][op]} ${high}, ${source}`);
  }
  if (group === 9) {
    const target = ((address + 4) & ~3) + imm8 * 4;
    return one(`ldr ${d8}, [pc, #${imm8 * 4}]`, target);
  }
  if (group < 12) return one(`${registerOffset[(h >> 9) & 7]} ${d}, [${n}, ${m}]`);
  if (group < 18) {
    const width = group < 14 ? 4 : group < 16 ? 1 : 2;
    return one(`${immediateOffset[group - 12]} ${d}, [${n}, #${imm5 * width}]`);
  }
  if (group < 20) return one(`${group === 18 ? 'str' : 'ldr'} ${d8}, [sp, #${imm8 * 4}]`);
  if (group === 20) return one(`adr ${d8}, #${imm8 * 4}`, ((address + 4) & ~3) + imm8 * 4);
  if (group === 21) return one(`add ${d8}, sp, #${imm8 * 4}`);
  if (group < 24) return one(miscellaneous(h));
  if (group < 26) return one(`${group === 24 ? 'stm' : 'ldm'} ${d8}!, ${registerList(imm8, null)}`);
  if (group < 28) {
    const cond = (h >> 8) & 15;
    if (cond > 13) return one(`${cond === 14 ? 'udf' : 'svc'} #${imm8}`);
    return branch(`b${conditions[cond]}`, address + 4 + ((imm8 << 24) >> 23), 2);
  }
  if (group === 28) return branch('b', address + 4 + (((h & 0x7ff) << 21) >> 20), 2);
  const g = halfword(address + 2);
  if ((h & 0xf800) === 0xf000 && (g & 0xd000) === 0xd000) {
    const s = (h >> 10) & 1;
    const i1 = ((g >> 13) & 1) ^ s ^ 1;
    const i2 = ((g >> 11) & 1) ^ s ^ 1;
    const offset = (((s << 24) | (i1 << 23) | (i2 << 22) | ((h & 0x3ff) << 12) | ((g & 0x7ff) << 1)) << 7) >> 7;
    return branch('bl', address + 4 + offset, 4);
  }
  const name = (h & 0xfff0) === 0xfab0 ? 'clz' : (h & 0xfff0) === 0xfa90 ? 'rbit' : '';
  if (name !== '') return { text: `${name} ${reg((g >> 8) & 15)}, ${reg(g & 15)}`, sizeBytes: 4, target: null };
  return { text: `.word 0x${((g << 16) | h).toString(16)}`, sizeBytes: 4, target: null };
}

function branch(op: string, target: number, sizeBytes: 2 | 4): Disassembled {
  return { text: `${op} 0x${(target >>> 0).toString(16)}`, sizeBytes, target };
}

function miscellaneous(h: number): string {
  const d = reg(h & 7);
  const n = reg((h >> 3) & 7);
  switch ((h >> 8) & 15) {
    case 0:
      return `${(h & 0x80) === 0 ? 'add' : 'sub'} sp, #${(h & 127) * 4}`;
    case 2:
      return `${['sxth', 'sxtb', 'uxth', 'uxtb'][(h >> 6) & 3]} ${d}, ${n}`;
    case 4:
    case 5:
      return `push ${registerList(h & 255, (h & 0x100) !== 0 ? 'lr' : null)}`;
    case 10:
      return `${['rev', 'rev16', 'udf', 'revsh'][(h >> 6) & 3]} ${d}, ${n}`;
    case 12:
    case 13:
      return `pop ${registerList(h & 255, (h & 0x100) !== 0 ? 'pc' : null)}`;
    case 14:
      return `bkpt #${h & 255}`;
    case 15:
      return h === 0xbf00 ? 'nop' : `hint #${(h >> 4) & 15}`;
    default:
      return `.short 0x${h.toString(16)}`;
  }
}
