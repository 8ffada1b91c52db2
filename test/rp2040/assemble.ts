/**
 * A little assembler for the test image: the ARMv6-M instructions that it uses, labels, `ldr rN, =VALUE` with a literal
 * pool at the end, `.word`, `.byte`. Reference: ARMv6-M Architecture Reference Manual (DDI 0419), A6.7.
 */
const conditions: Readonly<Record<string, number>> = { eq: 0, ne: 1, cs: 2, cc: 3, mi: 4, pl: 5, hi: 8, ls: 9 };

type Encode = (operands: number[], at: number) => number[];

const r = (text: string): RegExp => new RegExp(`^${text.replaceAll('R', 'r([0-7])').replaceAll('N', '#([-\\w]+)')}$`);

const forms: readonly (readonly [RegExp, Encode])[] = [
  [r('movs R, N'), ([d, n]) => [0x2000 | (d! << 8) | n!]],
  [r('mov R, R'), ([d, m]) => [0x4600 | (m! << 3) | d!]],
  [r('cmp R, R'), ([n, m]) => [0x4280 | (m! << 3) | n!]],
  [r('cmp R, N'), ([n, v]) => [0x2800 | (n! << 8) | v!]],
  [r('adds R, R, R'), ([d, n, m]) => [0x1800 | (m! << 6) | (n! << 3) | d!]],
  [r('adds R, N'), ([d, v]) => [0x3000 | (d! << 8) | v!]],
  [r('subs R, N'), ([d, v]) => [0x3800 | (d! << 8) | v!]],
  [r('lsls R, R, N'), ([d, m, n]) => [(n! << 6) | (m! << 3) | d!]],
  [r('lsrs R, R, N'), ([d, m, n]) => [0x0800 | (n! << 6) | (m! << 3) | d!]],
  [r('ands R, R'), ([d, m]) => [0x4000 | (m! << 3) | d!]],
  [r('orrs R, R'), ([d, m]) => [0x4300 | (m! << 3) | d!]],
  [r('tst R, R'), ([n, m]) => [0x4200 | (m! << 3) | n!]],
  [r('ldr R, \\[R, N\\]'), ([t, n, v]) => [0x6800 | ((v! >> 2) << 6) | (n! << 3) | t!]],
  [r('str R, \\[R, N\\]'), ([t, n, v]) => [0x6000 | ((v! >> 2) << 6) | (n! << 3) | t!]],
  [r('ldrh R, \\[R, N\\]'), ([t, n, v]) => [0x8800 | ((v! >> 1) << 6) | (n! << 3) | t!]],
  [r('ldrb R, \\[R, N\\]'), ([t, n, v]) => [0x7800 | (v! << 6) | (n! << 3) | t!]],
  [r('strb R, \\[R, N\\]'), ([t, n, v]) => [0x7000 | (v! << 6) | (n! << 3) | t!]],
  [r('ldrb R, \\[R, R\\]'), ([t, n, m]) => [0x5c00 | (m! << 6) | (n! << 3) | t!]],
  [r('strb R, \\[R, R\\]'), ([t, n, m]) => [0x5400 | (m! << 6) | (n! << 3) | t!]],
  [r('blx R'), ([m]) => [0x4780 | (m! << 3)]],
  [/^push \{lr\}$/, () => [0xb500]],
  [/^pop \{pc\}$/, () => [0xbd00]],
  [/^bkpt$/, () => [0xbe00]],
  [/^b (\w+)$/, ([to], at) => [0xe000 | (((to! - at - 4) >> 1) & 0x7ff)]],
  [
    /^bl (\w+)$/,
    ([to], at) => {
      const half = (to! - at - 4) >> 1;
      return [0xf000 | ((half >> 11) & 0x7ff), 0xf800 | (half & 0x7ff)];
    },
  ],
];

/** The bytes of `source`, that lie at `origin` when they run, and where its labels are. */
export function assemble(source: string, origin: number): { bytes: Uint8Array; labels: Map<string, number> } {
  const lines = source
    .split('\n')
    .map((line) => line.replace(/@.*/, '').trim())
    .filter((line) => line !== '');
  const labels = new Map<string, number>();
  let bytes: number[] = [];
  // The first pass finds the labels; branches to those that it does not know yet go nowhere.
  for (const isLast of [false, true]) {
    const literals: number[] = [];
    const loads: { at: number; register: number; literal: number }[] = [];
    const value = (text: string): number => {
      const number = labels.get(text) ?? Number(text);
      if (isLast && Number.isNaN(number)) throw new Error(`unknown: ${text}`);
      return number;
    };
    bytes = [];
    const put16 = (half: number): number => bytes.push(half & 0xff, (half >> 8) & 0xff);
    for (const line of lines) {
      const at = origin + bytes.length;
      const load = /^ldr r([0-7]), =([-\w]+)$/.exec(line);
      const condition = /^b(\w\w) (\w+)$/.exec(line);
      if (/^\w+:$/.test(line)) labels.set(line.slice(0, -1), at);
      else if (line.startsWith('.word ')) {
        const word = value(line.slice(6));
        put16(word);
        put16(word >>> 16);
      } else if (line.startsWith('.byte ')) bytes.push(...line.slice(6).split(',').map(Number));
      else if (line === '.align') while (bytes.length % 4 !== 0) bytes.push(0);
      else if (load) {
        const literal = value(load[2]!);
        if (!literals.includes(literal)) literals.push(literal);
        loads.push({ at: bytes.length, register: Number(load[1]), literal });
        put16(0);
      } else if (condition && condition[1]! in conditions) {
        const distance = (value(condition[2]!) - at - 4) >> 1;
        put16(0xd000 | (conditions[condition[1]!]! << 8) | (distance & 0xff));
      } else {
        const form = forms.find(([pattern]) => pattern.test(line));
        if (!form) throw new Error(`no such instruction here: ${line}`);
        form[1](form[0].exec(line)!.slice(1).map(value), at).forEach(put16);
      }
    }
    while (bytes.length % 4 !== 0) bytes.push(0);
    for (const { at, register, literal } of loads) {
      const slot = bytes.length + 4 * literals.indexOf(literal);
      const code = 0x4800 | (register << 8) | ((slot - ((at + 4) & ~3)) >> 2);
      bytes[at] = code & 0xff;
      bytes[at + 1] = code >> 8;
    }
    for (const literal of literals) {
      put16(literal);
      put16(literal >>> 16);
    }
  }
  return { bytes: Uint8Array.from(bytes), labels };
}
