// The bound from the machine code holds for every call that was measured, and is close where there are no loops.
import { expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { policies } from '../../firmware/src/policies/index.ts';
import { compile } from '../../firmware/toolchain/native/compile.ts';
import { compilePolicy } from '../../firmware/toolchain/native/policy.ts';
import { parseSource } from '../../firmware/toolchain/native/source.ts';
import { cortexM0Plus } from '../../firmware/toolchain/native/timing.ts';
import { worstCases } from '../../firmware/toolchain/native/wcet.ts';
import { ampleArenaBytes } from '../../host/bench/cycles.ts';
import { nativeMeter } from '../../host/bench/native.ts';
import { readTrace } from '../../host/trace/trace.ts';
import { NativeHeap } from '../../sim/cortex-m/native-heap.ts';

const traces = ['lua-queens', 'expat-config', 'mqtt-sub'].map((name) =>
  readTrace(`${packageRoot}/test/fixtures/traces/${name}.trace`),
);

test('tlsf: malloc and free are bounded without a count, and the bound is within 20 % of the most measured', async () => {
  const bounds = worstCases(compilePolicy('tlsf', 'cortex-m0plus'), cortexM0Plus(), {});
  const meter = await nativeMeter('cortex-m0plus');
  for (const call of ['malloc', 'free'] as const) {
    const bound = bounds.get(call)!;
    if (!('cycles' in bound)) throw new Error(bound.unbounded);
    let most = 0;
    for (const trace of traces) {
      const { cycles } = (await meter('tlsf', trace, ampleArenaBytes(trace)))!;
      most = Math.max(most, cycles[call].max);
    }
    expect(bound.cycles).toBeGreaterThanOrEqual(most);
    expect(bound.cycles).toBeLessThanOrEqual(most * 1.2);
  }
  expect(bounds.get('realloc')).toEqual({
    unbounded: expect.stringMatching(/tlsf\.ts:\d+ runs at most "words" times/),
  });
});

test('annotated loops: every measured call of segregated stays below the bound for its heap', () => {
  const policy = policies.segregated;
  expect(policy).toBeDefined();
  const compiled = compilePolicy('segregated', 'cortex-m0plus');
  const arenaBytes = 2048;
  const heap = new NativeHeap(compiled, arenaBytes);
  heap.call('init', arenaBytes);
  const first = new DataView(heap.arena.buffer).getUint32(8, true);
  const counts = { blocks: (arenaBytes - first) / 8, lists: first / 4, words: arenaBytes / 4, batch: 1 };
  const bounds = worstCases(compiled, cortexM0Plus(), counts);
  const bound = (name: string): number => {
    const result = bounds.get(name)!;
    if (!('cycles' in result)) throw new Error(result.unbounded);
    return result.cycles;
  };
  const live: number[] = [];
  let seed = 5;
  for (let n = 0; n < 3000; n++) {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    if (live.length > 0 && seed % 5 < 2) {
      heap.call('free', live.splice(seed % live.length, 1)[0]!);
      expect(heap.lastCycles).toBeLessThanOrEqual(bound('free'));
    } else {
      const offset = heap.call('malloc', (seed >> 8) % (n % 50 === 0 ? 600 : 60));
      expect(heap.lastCycles).toBeLessThanOrEqual(bound('malloc'));
      if (offset !== 0) live.push(offset);
    }
  }
});

test('a loop without a bound is named with its place', () => {
  const text =
    "import { u32 } from './arena.ts';\nexport function main(a) {\n  while (a > 0) a = u32[a];\n  return a;\n}";
  const compiled = compile(parseSource(text), { cpu: 'cortex-m0plus', entries: ['main'] });
  const result = worstCases(compiled, cortexM0Plus(), {}).get('main');
  expect(result).toEqual({ unbounded: expect.stringMatching(/^the loop at text\.js:3 has no bound$/) });
});

test('nested loops multiply', () => {
  const text = `import { u32 } from './arena.ts';
export function main(a) {
  // loop: at most 10
  for (let i = 0; i < 10; i++) {
    // loop: at most n
    for (let k = 0; k < a; k++) u32[k] = i;
  }
  return 0;
}`;
  const compiled = compile(parseSource(text), { cpu: 'cortex-m0plus', entries: ['main'] });
  const heap = new NativeHeap(compiled, 256);
  heap.call('main', 20);
  const result = worstCases(compiled, cortexM0Plus(), { n: 20 }).get('main')!;
  if (!('cycles' in result)) throw new Error(result.unbounded);
  expect(result.cycles).toBeGreaterThanOrEqual(heap.lastCycles);
  expect(result.cycles).toBeLessThan(heap.lastCycles * 1.4);
});
