// Random programs of the native subset, from a seed: what the compiler is fuzzed with. Every sum, difference and product
// is brought back to 32 bits with `| 0`, loads too, shift counts are masked and indices are masked into the arena, so
// that JavaScript and the machine must agree bit by bit. Loops count down a variable that nothing else writes.

export const ARENA_WORDS = 64;

/** xorshift32, so that a seed gives the same program everywhere. */
export function random(seed: number): (below: number) => number {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const interesting = [
  0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 127, 128, 255, 256, 257, 511, 1000, 65535, 65536, 0x7fffffff, -1, -2, -7, -8,
  -128, -256, -65536, -0x7fffffff,
];

export function randomProgram(seed: number): string {
  const below = random(seed);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  let names = 0;
  let functions: { name: string; parameters: number }[] = [];
  const call = (argument: () => string): string => {
    const { name, parameters } = pick(functions);
    return `${name}(${Array.from({ length: parameters }, argument).join(', ')})`;
  };

  const number = (): string => `${below(3) === 0 ? (below(0x7fffffff) * (below(2) ? 1 : -1)) | 0 : pick(interesting)}`;

  const expression = (scope: readonly string[], depth: number): string => {
    const leaf = (): string => (scope.length > 0 && below(4) !== 0 ? pick(scope) : `(${number()})`);
    if (depth <= 0) return leaf();
    const sub = (): string => expression(scope, depth - 1);
    switch (below(16)) {
      case 0:
      case 1:
        return `((${sub()} + ${sub()}) | 0)`;
      case 2:
        return `((${sub()} - ${sub()}) | 0)`;
      case 3:
        return `(Math.imul(${sub()}, ${sub()}) | 0)`;
      case 4:
        return `(${sub()} ${pick(['&', '|', '^'])} ${sub()})`;
      case 5:
        return `(${sub()} ${pick(['<<', '>>'])} ${below(32)})`;
      case 6:
        return `((${sub()} >>> ${below(31) + 1}) | 0)`;
      case 7:
        return `(${sub()} ${pick(['<<', '>>'])} (${sub()} & 31))`;
      case 8:
        return `(~${sub()})`;
      case 9:
        return `((-${sub()}) | 0)`;
      case 10:
        return load(scope, depth - 1);
      case 11:
        return `(${condition(scope, depth - 1)} ? ${sub()} : ${sub()})`;
      case 12:
        return functions.length > 0 ? call(sub) : leaf();
      case 13:
        return below(2)
          ? `highestBit((${sub()} & 0x7fffffff) | 1)`
          : `lowestBit((${sub()} & 0x7fffffff) | ${1 << below(31)})`;
      case 14:
        return `(${sub()} & ${pick(['1', '3', '7', '15', '255', '65535', '-2', '-4', '-8', '-16', '-256', '0x7fffff8'])})`;
      default:
        return leaf();
    }
  };

  /**
   * An element of the arena. Word elements come as masked indices and as byte offsets with small displacements; records of
   * 8 bytes behind a header, and the ones before them, as tables have them.
   */
  const element = (scope: readonly string[], depth: number): string => {
    const index = expression(scope, depth);
    const record = scope.length > 0 && below(3) !== 0 ? pick(scope) : index;
    switch (below(8)) {
      case 6:
        return `u16[(${136 + 2 * below(4)} + (((${record} & 7) - ${below(3)}) << 3)) >> 1]`;
      case 7:
        return `u8[${140 + below(8)} + (((${record} & 7) + ${below(3)}) << 3)]`;
      case 0:
        return `u8[${index} & ${ARENA_WORDS * 4 - 1}]`;
      case 1:
        return `u16[${index} & ${ARENA_WORDS * 2 - 1}]`;
      case 2:
        return `u32[((${index} & ${ARENA_WORDS * 2 - 4}) + ${4 * below(20)}) >> 2]`;
      case 3:
        return `u32[(((${index} & ${ARENA_WORDS * 2 - 4}) + 64) >> 2) - ${below(16)}]`;
      case 4:
        return `u32[${below(ARENA_WORDS)}]`;
      default:
        return `u32[${index} & ${ARENA_WORDS - 1}]`;
    }
  };
  const load = (scope: readonly string[], depth: number): string => `(${element(scope, depth)} | 0)`;

  const condition = (scope: readonly string[], depth: number): string => {
    const sub = (): string => expression(scope, depth - 1);
    switch (below(8)) {
      case 0:
        return `((${sub()} & ${1 << below(31)}) ${pick(['===', '!=='])} 0)`;
      case 1:
        return `(${sub()} >>> 0 ${pick(['<', '<=', '>', '>='])} ${sub()} >>> 0)`;
      case 2:
        return depth > 0
          ? `(${condition(scope, depth - 1)} ${pick(['&&', '||'])} ${condition(scope, depth - 1)})`
          : '(1 === 1)';
      case 3:
        return depth > 0 ? `!${condition(scope, depth - 1)}` : '(0 === 1)';
      default:
        return `(${sub()} ${pick(['===', '!==', '<', '<=', '>', '>='])} ${sub()})`;
    }
  };

  const block = (
    scope: readonly string[],
    fixed: readonly string[],
    depth: number,
    inLoop: boolean,
    indent: string,
  ): string => {
    const inner = [...scope];
    let text = '';
    for (let n = 1 + below(4); n > 0; n--) text += statement(inner, fixed, depth, inLoop, indent);
    return text;
  };

  const statement = (
    scope: string[],
    fixed: readonly string[],
    depth: number,
    inLoop: boolean,
    indent: string,
  ): string => {
    const writable = scope.filter((name) => !fixed.includes(name));
    switch (below(depth > 0 ? 11 : 6)) {
      case 0:
      case 1: {
        const name = `v${names++}`;
        const text = `${indent}let ${name} = ${expression(scope, 2)};\n`;
        scope.push(name);
        return text;
      }
      case 2:
      case 3:
        if (writable.length > 0) return `${indent}${pick(writable)} = ${expression(scope, 3)};\n`;
        return '';
      case 4:
        return `${indent}${element(scope, 1)} = ${expression(scope, 2)};\n`;
      case 5:
        if (inLoop && below(3) === 0) return `${indent}if (${condition(scope, 1)}) ${pick(['break', 'continue'])};\n`;
        if (functions.length > 0 && below(6) === 0) {
          return `${indent}if (${condition(scope, 1)}) return ${call(() => expression(scope, 1))};\n`;
        }
        if (below(4) === 0) return `${indent}if (${condition(scope, 1)}) return ${expression(scope, 1)};\n`;
        return `${indent}${element(scope, 1)} = ${expression(scope, 1)};\n`;
      case 6:
      case 7:
        return `${indent}if (${condition(scope, 2)}) {\n${block(scope, fixed, depth - 1, inLoop, `${indent}  `)}${indent}}\n`;
      case 8:
        return `${indent}if (${condition(scope, 2)}) {\n${block(scope, fixed, depth - 1, inLoop, `${indent}  `)}${indent}} else {\n${block(scope, fixed, depth - 1, inLoop, `${indent}  `)}${indent}}\n`;
      case 9: {
        const name = `i${names++}`;
        const body = block([...scope, name], [...fixed, name], depth - 1, true, `${indent}  `);
        return `${indent}for (let ${name} = 0; ${name} < ${1 + below(6)}; ${name}++) {\n${body}${indent}}\n`;
      }
      default: {
        const name = `n${names++}`;
        const body = block([...scope, name], [...fixed, name], depth - 1, true, `${indent}  `);
        return `${indent}let ${name} = ${1 + below(5)};\n${indent}while (${name} > 0) {\n${indent}  ${name} = ${name} - 1;\n${body}${indent}}\n`;
      }
    }
  };

  let text = '';
  for (let n = below(3); n > 0; n--) {
    const name = `f${names++}`;
    const parameters = Array.from({ length: 1 + below(4) }, (_, i) => `p${names}_${i}`);
    const body = block(parameters, [], 1, false, '  ');
    const routine = pick(['', '/** @routine */\n', '/** @routine */\n', 'export ']);
    text += `${routine}function ${name}(${parameters.join(', ')}) {\n${body}  return ${expression(parameters, 2)};\n}\n`;
    functions = [...functions, { name, parameters: parameters.length }];
  }
  const parameters = ['a', 'b', 'c'].slice(0, 1 + below(3));
  const body = Array.from({ length: 1 + below(3) }, () => block(parameters, [], 2, false, '  ')).join('');
  return `import { u8, u16, u32 } from './arena.ts';\nimport { highestBit, lowestBit } from './bits.ts';\n${text}export function main(${parameters.join(', ')}) {\n${body}  return ${expression(parameters, 3)};\n}\n`;
}
