// What a policy costs on a board: bytes of minified source, and the engine's memory for it. The golden figures are kept
// within 2 %; they change only with a reason: HEAPGLASS_UPDATE=1 npx vitest run test/toolchain/sizes.test.ts writes them anew.
//
//   coreBytes    malloc, free, realloc and the walk that stats() counts, for Espruino: the policy alone
//   heapBytes    a program with a heap that uses malloc, free, realloc and stats, without telemetry
//   eventsBytes  the same with telemetry
//   variables    of Espruino, for heapBytes flashed to a Puck.js, arenas aside (an estimate: toolchain/estimate.ts)
//   engineBytes  of JerryScript's heap, for heapBytes on a Kaluma Pico, arenas aside (an estimate)
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { packageRoot } from '../../boards/root.ts';
import { defaultPolicyName, type PolicyName, policyNames } from '../../firmware/src/policies/index.ts';
import { bundle, type TelemetryLevel } from '../../firmware/toolchain/bundle.ts';
import { estimateMemory } from '../../firmware/toolchain/estimate.ts';

const goldenPath = join(packageRoot, 'test', 'toolchain', 'sizes.golden.json');
const entry = join(tmpdir(), 'sizes.js');
const puck = loadBoard('puckjs');
const pico = loadBoard('kaluma-pico');

const program = `import { createHeap } from 'heapglass';
const heap = createHeap({ bytes: 8192 });
export const m = (n) => heap.malloc(n), f = (p) => heap.free(p), r = (p, n) => heap.realloc(p, n), s = () => heap.stats();
`;

const coreOf = (policy: PolicyName): string => {
  const names = 'malloc, free, realloc, firstBlock, nextBlock, blockKind, blockPayload, usableSize';
  return `import { ${names} } from '${packageRoot}/firmware/src/policies/${policy}.ts';\nglobal.core = [${names}];\n`;
};

interface Sizes {
  coreBytes: number;
  heapBytes: { espruino: number; kaluma: number };
  eventsBytes: { espruino: number; kaluma: number };
  variables: number;
  engineBytes: number;
}

async function sizesOf(policy: PolicyName): Promise<Sizes> {
  const built = (telemetry: TelemetryLevel, board = puck, source = program) =>
    bundle({ entry, source, board, policy, telemetry });
  const [core, offPuck, offPico, eventsPuck, eventsPico] = [
    await built('off', puck, coreOf(policy)),
    await built('off'),
    await built('off', pico),
    await built('events'),
    await built('events', pico),
  ];
  return {
    coreBytes: core.bytes,
    heapBytes: { espruino: offPuck.bytes, kaluma: offPico.bytes },
    eventsBytes: { espruino: eventsPuck.bytes, kaluma: eventsPico.bytes },
    variables: estimateMemory(offPuck, puck)!.code,
    engineBytes: estimateMemory(offPico, pico)!.code,
  };
}

/** Fifty bundles, on a machine that does other things. */
const manyBundlesMs = 600_000;

test(
  'the size of each policy is the golden one',
  async () => {
    const sizes: Partial<Record<PolicyName, Sizes>> = {};
    for (const policy of policyNames) sizes[policy] = await sizesOf(policy);
    if (process.env.HEAPGLASS_UPDATE) writeFileSync(goldenPath, `${JSON.stringify(sizes, null, 2)}\n`);
    const golden = flat(JSON.parse(readFileSync(goldenPath, 'utf8')));
    const measured = flat(sizes);
    expect(Object.keys(measured)).toEqual(Object.keys(golden));
    const drifted = Object.entries(measured).filter(([name, value]) => Math.abs(value / golden[name]! - 1) > tolerance);
    expect(drifted.map(([name, value]) => `${name}: ${value}, golden ${golden[name]}`)).toEqual([]);
  },
  manyBundlesMs,
);

const tolerance = 0.02;
/** `{ a: { b: 1 } }` as `{ 'a.b': 1 }`. */
function flat(value: object, prefix = ''): Record<string, number> {
  return Object.assign(
    {},
    ...Object.entries(value).map(([key, inner]: [string, object | number]) =>
      typeof inner === 'number' ? { [prefix + key]: inner } : flat(inner, `${prefix}${key}.`),
    ),
  );
}

// "The core of the default policy (malloc, free, realloc, stats) under 3 KB minified."
test('the core of the default policy is under 3,000 bytes', async () => {
  expect((await sizesOf(defaultPolicyName)).coreBytes).toBeLessThan(3000);
});
