// What the race runs is what was measured elsewhere: the same operations, the same answers.
import { expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { bindArena } from '../../firmware/src/arena.ts';
import { policies, policyNames } from '../../firmware/src/policies/index.ts';
import { hostPolicy } from '../../host/bench/host-policy.ts';
import { ASSEMBLYSCRIPT, callsOf, DLMALLOC } from '../../host/bench/race.ts';
import { raceTable } from '../../host/bench/race-table.ts';
import { OP_FREE, parseTrace, readTrace } from '../../host/trace/trace.ts';

const ARENA_BYTES = 65536;
const trace = readTrace(`${packageRoot}/test/fixtures/traces/lua-queens.trace`);

test('the calls of a trace are its operations, and a free for each block that is live at its end', () => {
  const { codes, sizes, slotCount } = callsOf(trace);
  const mallocs = codes.filter((code) => (code & 3) === 0).length;
  const frees = codes.filter((code) => (code & 3) === 1).length;
  expect(frees).toBe(mallocs);
  const requested = (numbers: Int32Array): number => numbers.reduce((sum, size) => sum + size, 0);
  expect(requested(sizes)).toBe(requested(trace.sizes.filter((_, i) => trace.kinds[i] !== OP_FREE)));
  expect(slotCount).toBeLessThanOrEqual(trace.idCount);
});

test('resizes and slots that are used again', () => {
  const lines = ['{"name":"t"}', 'a 7 10', 'r 7 20', 'f 7', 'r 9 5', 'a 8 6', ''];
  const { codes, sizes, slotCount } = callsOf(parseTrace(lines.join('\n'), 't'));
  // slot << 2 | call: malloc 0, free 1, realloc 2
  expect([...codes]).toEqual([0, 2, 1, 0, 4, 1, 5]);
  expect([...sizes]).toEqual([10, 20, 0, 5, 6, 0, 0]);
  expect(slotCount).toBe(2);
});

test.each(policyNames)('%s as it is bundled for the race gives what the module gives', async (name) => {
  const policy = policies[name];
  const bundled = await hostPolicy(name, ARENA_BYTES);
  bindArena(new ArrayBuffer(ARENA_BYTES));
  expect(bundled.init(ARENA_BYTES)).toBe(policy.init(ARENA_BYTES));
  const { codes, sizes, slotCount } = callsOf(trace);
  const offsets = new Int32Array(slotCount);
  for (const [i, code] of codes.entries()) {
    const slot = code >> 2;
    const held = offsets[slot]!;
    const size = sizes[i]!;
    if ((code & 3) === 1) {
      expect(bundled.free(held)).toBe(policy.free(held));
      offsets[slot] = 0;
    } else if ((code & 3) === 0) {
      offsets[slot] = policy.malloc(size);
      expect(bundled.malloc(size)).toBe(offsets[slot]);
    } else {
      offsets[slot] = policy.realloc(held, size);
      expect(bundled.realloc(held, size)).toBe(offsets[slot]);
    }
  }
});

test('the table of a race holds each rate against the two allocators in WebAssembly', () => {
  const results = [
    { name: 'segregated', megaOperations: 90 },
    { name: DLMALLOC, megaOperations: 45 },
    { name: ASSEMBLYSCRIPT, megaOperations: 20 },
  ];
  expect(raceTable(results).split('\n')).toEqual([
    'operations a second         millions  of AssemblyScript TLSF (wasm)  of dlmalloc (wasm)',
    'segregated                      90.0                           4.50                2.00',
    'dlmalloc (wasm)                 45.0                           2.25                1.00',
    'AssemblyScript TLSF (wasm)      20.0                           1.00                0.44',
    '',
  ]);
});
