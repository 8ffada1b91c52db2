/**
 * Instruction cases: assembler text from templates that cover the ARMv7E-M integer encodings, and the registers, flags and
 * memory that each starts with. Everything follows from a seed.
 *
 * r6 points into a scratch area, r7 is a small index, r10 is r6 again for write-back; the others hold data.
 */
import { random } from '../programs.ts';

export const SCRATCH_WORDS = 16;
/** Where r6 points, in bytes from the scratch area's start. */
const POINTER_OFFSET = 24;

export interface Case {
  readonly text: string;
  /** r0 to r12; r6 and r10 count from the scratch area's start. */
  readonly registers: readonly number[];
  /** N, Z, C, V, Q and GE bits; never N and Z together. */
  readonly apsr: number;
}

export function scratchPattern(): Uint32Array {
  return Uint32Array.from({ length: SCRATCH_WORDS }, (_, k) => (Math.imul(k + 3, 0x9e3779b1) ^ 0x8040) >>> 0);
}

const each = (names: string, template: string): string[] =>
  names.split(' ').map((name) => template.replaceAll('OP', name));

const OPERATIONS = 'and bic orr orn eor add adc sbc sub rsb';

/** %d %n %m %a: data registers; %M: an immediate of the pattern kind; %N: numbers up to N - 1 (as %5, %8, %12, %16). */
export const templates: readonly string[] = [
  ...each(`${OPERATIONS} ands bics orrs orns eors adds adcs sbcs subs rsbs`, 'OP.w %d, %n, #%M'),
  ...each(`${OPERATIONS} ands bics orrs orns eors adds adcs sbcs subs rsbs`, 'OP.w %d, %n, %m, %s'),
  ...each('tst teq cmp cmn', 'OP.w %n, #%M'),
  ...each('tst teq cmp cmn', 'OP.w %n, %m, %s'),
  ...each('mov movs mvn mvns', 'OP.w %d, #%M'),
  ...each('mvn mvns', 'OP.w %d, %n, %s'),
  ...each('lsl lsls lsr lsrs asr asrs ror rors', 'OP.w %d, %n, #%t'),
  ...each('lsl lsls lsr lsrs asr asrs ror rors', 'OP.w %d, %n, %m'),
  ...each('lsls lsrs asrs rors', 'movs r3, #%q\nOP.w %d, %n, r3'),
  ...each('rrx rrxs', 'OP %d, %n'),
  ...each('addw subw', 'OP %d, %n, #%12'),
  ...each('movw movt', 'OP %d, #%16'),
  'pkhbt %d, %n, %m, lsl #%t',
  'pkhtb %d, %n, %m, asr #%t',
  'ssat %d, #%t, %n',
  'ssat %d, #%t, %n, lsl #%t',
  'ssat %d, #%t, %n, asr #%t',
  'usat %d, #%5, %n',
  'usat %d, #%5, %n, lsl #%t',
  'usat %d, #%5, %n, asr #%t',
  'ssat16 %d, #%f, %n',
  'usat16 %d, #%4, %n',
  'sbfx %d, %n, #%4, #%f',
  'ubfx %d, %n, #%4, #%f',
  'bfi %d, %n, #%4, #%f',
  'bfc %d, #%4, #%f',
  'sbfx %d, %n, #0, #32',
  'bfi %d, %n, #0, #32',
  ...each('sxth uxth sxtb uxtb sxtb16 uxtb16', 'OP %d, %n, ror #8'),
  ...each('sxth uxth sxtb uxtb', 'OP.w %d, %n'),
  ...each('sxtah uxtah sxtab uxtab sxtab16 uxtab16', 'OP %d, %n, %m, ror #16'),
  ...each('s q sh u uq uh', 'OPadd16 %d, %n, %m'),
  ...each('s q sh u uq uh', 'OPasx %d, %n, %m'),
  ...each('s q sh u uq uh', 'OPsax %d, %n, %m'),
  ...each('s q sh u uq uh', 'OPsub16 %d, %n, %m'),
  ...each('s q sh u uq uh', 'OPadd8 %d, %n, %m'),
  ...each('s q sh u uq uh', 'OPsub8 %d, %n, %m'),
  ...each('qadd qdadd qsub qdsub sel', 'OP %d, %n, %m'),
  'sadd8 %d, %n, %m\nsel %a, %n, %m',
  ...each('rev rev16 revsh', 'OP.w %d, %n'),
  ...each('rbit clz', 'OP %d, %n'),
  ...each('mul sdiv udiv', 'OP %d, %n, %m'),
  ...each('sdiv udiv', 'movs r3, #%q\nOP %d, %n, r3'),
  'movs r3, #0\nsdiv %d, %n, r3',
  'mov r3, #-1\nmov r4, #0x80000000\nsdiv %d, r4, r3',
  ...each('mla mls smlad smladx smlsd smlsdx smmla smmlar smmls smmlsr usada8', 'OP %d, %n, %m, %a'),
  ...each('smlabb smlabt smlatb smlatt smlawb smlawt', 'OP %d, %n, %m, %a'),
  ...each('smulbb smulbt smultb smultt smulwb smulwt smuad smuadx smusd smusdx', 'OP %d, %n, %m'),
  ...each('smmul smmulr usad8', 'OP %d, %n, %m'),
  'mov r3, #0x80008000\nsmuad %d, r3, r3',
  ...each('smull umull smlal umlal umaal smlald smlaldx smlsld smlsldx', 'OP %d, %a, %n, %m'),
  ...each('smlalbb smlalbt smlaltb smlaltt', 'OP %d, %a, %n, %m'),
  ...each('ldr ldrb ldrh ldrsb ldrsh str strb strh', 'OP.w %d, [r6, #%4]'),
  ...each('ldr ldrb ldrh ldrsb ldrsh str strb strh', 'OP.w %d, [r6, #-%4]'),
  ...each('ldr ldrb ldrh ldrsb ldrsh str strb strh', 'OP %d, [r10, #%4]!'),
  ...each('ldr ldrb ldrh ldrsb ldrsh str strb strh', 'OP %d, [r10, #-%4]!'),
  ...each('ldr ldrb ldrh ldrsb ldrsh str strb strh', 'OP %d, [r10], #%4'),
  ...each('ldr ldrb ldrh ldrsb ldrsh str strb strh', 'OP %d, [r10], #-%4'),
  ...each('ldr ldrb ldrh ldrsb ldrsh str strb strh', 'OP.w %d, [r6, r7, lsl #2]'),
  ...each('ldr ldrh str strh', 'OP %d, [r6, r7]'),
  ...each('ldrt ldrbt ldrsht strt strht', 'OP %d, [r6, #%4]'),
  ...each('ldrd strd', 'OP %d, %a, [r6, #8]'),
  ...each('ldrd strd', 'OP %d, %a, [r6, #-12]'),
  ...each('ldrd strd', 'OP %d, %a, [r10, #4]!'),
  ...each('ldrd strd', 'OP %d, %a, [r10], #-8'),
  ...each('ldmia ldmdb stmia stmdb', 'OP.w r6, {r1, r3, r5, r8}'),
  ...each('ldmia ldmdb stmia stmdb', 'OP.w r10!, {r0, r2, r9, r12}'),
  'ldrex %d, [r6, #4]\nstrex r3, %n, [r6, #4]',
  'ldrex %d, [r6]\nclrex\nstrex r3, %n, [r6]',
  'ldrexb %d, [r6]\nstrexb r3, %n, [r6]',
  'ldrexh %d, [r6]\nstrexh r3, %n, [r6]',
  ...each('eq ne cs cc mi pl vs vc hi ls ge lt gt le', 'it OP\naddOP %d, %n, %m'),
  ...each('eq cs mi vs hi ge gt', 'itte OP\nmovOP %d, #1\nadcOP.w %a, %n, %m\nmvn\\INV %d, %n'),
  'ittt eq\ncmpeq %n, %m\naddeq %d, %d, #1\nsubeq.w %a, %a, #3',
  'itt ne\nlslne %d, %n, #3\nmulne %a, %n, %a',
  ...each('cbz cbnz', 'OP r5, 1f\nadds r1, r1, #1\n1: adds r2, r2, #2'),
  ...each('eq ne cs cc mi pl vs vc hi ls ge lt gt le', 'bOP.w 1f\nadds r1, r1, #1\n1: adds r2, r2, #2'),
  'b.w 1f\nadds r1, r1, #1\n1: adds r2, r2, #2',
  'and r7, r7, #1\ntbb [pc, r7]\n2: .byte (1f-2b)/2, (3f-2b)/2\n1: adds r1, r1, #1\n3: adds r2, r2, #2',
  'and r7, r7, #1\ntbh [pc, r7, lsl #1]\n2: .hword (1f-2b)/2, (3f-2b)/2\n1: adds r1, r1, #1\n3: adds r2, r2, #2',
  'bic r3, %n, #0x40000000\nmsr APSR_nzcvq, r3\nmrs %d, APSR',
  'bic r3, %n, #0x80000000\nmsr APSR_nzcvqg, r3\nmrs %d, APSR',
  'msr PRIMASK, %n\nmrs %d, PRIMASK\ncpsie i\nmrs %a, PRIMASK',
  'and r3, %n, #0xe0\nmsr BASEPRI, r3\nmrs %d, BASEPRI\nmovs r3, #0\nmsr BASEPRI, r3',
  'cpsid f\nmrs %d, FAULTMASK\ncpsie f',
  ...each('dmb dsb isb nop.w yield.w sev.w', 'OP'),
];

const INVERSE: Record<string, string> = { eq: 'ne', cs: 'cc', mi: 'pl', vs: 'vc', hi: 'ls', ge: 'lt', gt: 'le' };
const DATA = [0, 1, 2, 4, 5, 8, 9, 11, 12];

/** A case of the template; the same for the same seed. */
export function caseOf(template: string, seed: number): Case {
  const below = random(seed);
  const interesting = [0, 1, -1, 0x7fffffff, 0x80000000, 0xffff, 0x8000, 0x80, 0xff00ff, 31, 32];
  const word = (): number =>
    below(3) === 0 ? interesting[below(interesting.length)]! >>> 0 : ((below(0x10000) << 16) >>> 0) | below(0x10000);
  const registers = Array.from({ length: 13 }, () => word() >>> 0);
  registers[6] = POINTER_OFFSET;
  registers[10] = POINTER_OFFSET;
  registers[7] = below(4);
  const flags = below(16);
  const apsr = ((flags >= 12 ? flags & 7 : flags) << 28) | (below(2) << 27) | (below(16) << 16);
  const fill = pickRegisters(below);
  let text = template.replaceAll(/%[dnma]/g, (name) => fill[name]!);
  text = text.replaceAll('%M', () => modifiedImmediate(below));
  text = text.replaceAll('%s', () => `${['lsl', 'lsr', 'asr', 'ror'][below(4)]} #${1 + below(31)}`);
  text = text.replaceAll('%t', () => `${1 + below(31)}`).replaceAll('%q', () => `${below(70)}`);
  text = text.replaceAll('%f', () => `${1 + below(16)}`);
  text = text.replaceAll(/%(\d+)/g, (_, bits) => `${below(2 ** Number(bits))}`);
  const condition = /^itte (\w+)/.exec(text)?.[1];
  if (condition) text = text.replaceAll('\\INV', INVERSE[condition]!);
  return { text, registers, apsr: apsr >>> 0 };
}

/** Different registers for d and a, because no instruction may write one twice. */
function pickRegisters(below: (n: number) => number): Record<string, string> {
  const one = (): number => DATA[below(DATA.length)]!;
  const [d, n, m] = [one(), one(), one()];
  let a = one();
  while (a === d) a = one();
  return { '%d': `r${d}`, '%n': `r${n}`, '%m': `r${m}`, '%a': `r${a}` };
}

function modifiedImmediate(below: (n: number) => number): string {
  const byte = below(256);
  const value = [
    byte,
    (byte << 16) | byte,
    ((byte << 24) | (byte << 8)) >>> 0,
    ((byte << 24) | (byte << 16) | (byte << 8) | byte) >>> 0,
    ((0x80 | byte) << below(24)) >>> 0,
  ][below(5)]!;
  return `0x${value.toString(16)}`;
}
