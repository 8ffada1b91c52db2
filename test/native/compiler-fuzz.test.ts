// Differential fuzzing of the compiler: random programs give the same result and leave the same arena in JavaScript and
// as machine code on both processors. HEAPGLASS_PROGRAMS: how many (default 400); HEAPGLASS_SEED: the first seed.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { highestBit, lowestBit } from '../../firmware/src/bits.ts';
import { compile, cpus } from '../../firmware/toolchain/native/compile.ts';
import { parseSource } from '../../firmware/toolchain/native/source.ts';
import { NativeHeap } from '../../sim/cortex-m/native-heap.ts';
import { ARENA_WORDS, random, randomProgram } from './programs.ts';

const programs = Number(process.env.HEAPGLASS_PROGRAMS ?? 400);
const firstSeed = Number(process.env.HEAPGLASS_SEED ?? 1);

/** Runs a program's `main` both ways; null when all agree, else what differs. */
function differs(text: string, seed: number): string | null {
  const source = parseSource(text);
  const body = text.replace(/^import .*$/gm, '').replaceAll('export function', 'function');
  const script = new Function('u8', 'u16', 'u32', 'highestBit', 'lowestBit', `${body}\nreturn main;`);
  const parameters = /main\(([^)]*)\)/.exec(text)![1]!.split(', ').length;
  const entries = [...text.matchAll(/^export function (\w+)/gm)].map(([, name]) => name!);
  for (const cpu of cpus) {
    const compiled = compile(source, { cpu, entries });
    const heap = new NativeHeap(compiled, ARENA_WORDS * 4);
    const below = random(seed + 77);
    for (let round = 0; round < 3; round++) {
      const words = Uint32Array.from({ length: ARENA_WORDS }, () => (below(3) === 0 ? below(300) : below(0xffffffff)));
      const args = Array.from({ length: parameters }, () =>
        below(2) === 0 ? below(600) - 300 : below(0xffffffff) | 0,
      );
      heap.arena.set(new Uint8Array(words.buffer));
      const bytes = words.buffer;
      const main = script(new Uint8Array(bytes), new Uint16Array(bytes), words, highestBit, lowestBit);
      const want = main(...args) | 0;
      const got = heap.call('main', ...args);
      if (got !== want) return `${cpu}: main(${args}) is ${want} in JavaScript, ${got} in machine code`;
      const at = heap.arena.findIndex((byte, i) => byte !== new Uint8Array(bytes)[i]);
      if (at >= 0) return `${cpu}: main(${args}) leaves another byte at ${at}`;
    }
  }
  return null;
}

test(`${programs} random programs from seed ${firstSeed}`, () => {
  for (let seed = firstSeed; seed < firstSeed + programs; seed++) {
    const text = randomProgram(seed);
    let wrong: string | null;
    try {
      wrong = differs(text, seed);
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}\n${text}`, { cause: error });
    }
    if (wrong) throw new Error(`seed ${seed}: ${wrong}\n${text}`);
  }
  expect(programs).toBeGreaterThan(0);
}, 86_400_000);

const kept = `${packageRoot}/test/native/counterexamples`;
test.each(readdirSync(kept))('counterexample %s', (name) => {
  expect(differs(readFileSync(`${kept}/${name}`, 'utf8'), 1)).toBeNull();
});
