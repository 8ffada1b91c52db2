// Native code against JavaScript: after every operation of every trace the results and the whole arena are equal, for
// every policy on both processors. Without the shared traces it runs over the project's own.
// HEAPGLASS_NATIVE_ALL=1 takes every policy on every trace; the default is every policy on the short traces, and the
// fast ones on some long ones.
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { bindArena } from '../../firmware/src/arena.ts';
import { policies, policyNames } from '../../firmware/src/policies/index.ts';
import { type Cpu, cpus } from '../../firmware/toolchain/native/compile.ts';
import { compilePolicy } from '../../firmware/toolchain/native/policy.ts';
import { ampleArenaBytes } from '../../host/bench/cycles.ts';
import { OP_FREE, readTrace, type Trace } from '../../host/trace/trace.ts';
import { NativeHeap } from '../../sim/cortex-m/native-heap.ts';

const all = process.env.HEAPGLASS_NATIVE_ALL === '1';
const own = `${packageRoot}/test/fixtures/traces`;
const shared = `${packageRoot}/../shared/traces`;

function traces(directory: string): Trace[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.trace'))
      .map((name) => readTrace(`${directory}/${name}`));
  } catch {
    console.warn(`native policies: no traces in ${directory}, skipped`);
    return [];
  }
}

/** Replays a trace in both; throws at the first operation after which they differ. */
function compare(
  name: (typeof policyNames)[number],
  cpu: Cpu,
  trace: Trace,
  arenaBytes: number,
  checks = false,
): number {
  const policy = policies[name];
  const heap = new NativeHeap(compilePolicy(name, cpu, checks), arenaBytes);
  const buffer = new ArrayBuffer(arenaBytes);
  const image = Buffer.from(buffer);
  const native = Buffer.from(heap.arena.buffer);
  bindArena(buffer);
  const agree = (step: string, js: number, machine: number): void => {
    if (js !== machine) throw new Error(`${name} ${cpu} ${trace.name} ${step}: JavaScript ${js}, native ${machine}`);
    if (image.equals(native)) return;
    let at = 0;
    while (image[at] === native[at]) at++;
    throw new Error(`${name} ${cpu} ${trace.name} ${step}: the arena differs at offset ${at}`);
  };
  const room = policy.init(arenaBytes);
  agree('init', room, heap.call('init', arenaBytes));
  // `compact` serves at most 256 KB; what it refused is not called.
  if (room === 0) return 0;
  const offsets = new Int32Array(trace.idCount);
  for (let i = 0; i < trace.kinds.length; i++) {
    const id = trace.ids[i]!;
    const size = trace.sizes[i]!;
    const offset = offsets[id]!;
    if (trace.kinds[i] === OP_FREE) {
      agree(`operation ${i}, free`, policy.free(offset), heap.call('free', offset));
      // A second free is misuse, and the same misuse.
      if (i % 16 === 0) agree(`operation ${i}, double free`, policy.free(offset), heap.call('free', offset));
      offsets[id] = 0;
    } else if (offset === 0) {
      offsets[id] = policy.malloc(size);
      agree(`operation ${i}, malloc(${size})`, offsets[id]!, heap.call('malloc', size));
    } else {
      const moved = policy.realloc(offset, size);
      agree(`operation ${i}, realloc(${offset}, ${size})`, moved, heap.call('realloc', offset, size));
      if (moved !== 0) offsets[id] = moved;
    }
  }
  return trace.kinds.length;
}

describe.each(cpus)('%s', (cpu) => {
  test.each(policyNames)(
    '%s: every result and the whole arena equal the JavaScript run',
    (name) => {
      const list = [...traces(own), ...(all ? traces(shared) : [])];
      let operations = 0;
      for (const trace of list) {
        operations += compare(name, cpu, trace, ampleArenaBytes(trace));
        // Too small an arena: failures, last resorts and joining are compared too.
        if (trace.kinds.length < 10_000) compare(name, cpu, trace, (trace.peakLiveBytes >> 1) & ~7);
      }
      expect(operations).toBeGreaterThan(5000);
    },
    600_000,
  );
});

test('tlsf with its checks gives the same, too', () => {
  for (const cpu of cpus) {
    for (const trace of traces(own)) {
      expect(compare('tlsf', cpu, trace, ampleArenaBytes(trace), true)).toBe(trace.kinds.length);
      compare('tlsf', cpu, trace, (trace.peakLiveBytes >> 1) & ~7, true);
    }
  }
}, 600_000);

test('odd requests and misuse give the same answers', () => {
  for (const cpu of cpus) {
    for (const name of policyNames) {
      const policy = policies[name];
      const buffer = new ArrayBuffer(4096);
      bindArena(buffer);
      const heap = new NativeHeap(compilePolicy(name, cpu), 4096);
      expect(heap.call('init', 4096)).toBe(policy.init(4096));
      for (const size of [0, 1, 7, 100, 5000, 0x7ffffff, 0x7fffffff, -1, -8]) {
        expect([name, size, heap.call('malloc', size)]).toEqual([name, size, policy.malloc(size)]);
      }
      for (const [alignment, size] of [
        [16, 40],
        [64, 1],
        [256, 100],
        [3, 8],
        [0, 8],
      ] as const) {
        expect([name, heap.call('memalign', alignment, size)]).toEqual([name, policy.memalign(alignment, size)]);
      }
      for (const offset of [-8, 4, 1 << 20, 4096, 4088]) {
        expect([name, offset, heap.call('free', offset)]).toEqual([name, offset, policy.free(offset)]);
        expect(heap.call('usableSize', offset)).toBe(policy.usableSize(offset));
      }
      expect(Buffer.from(heap.arena).equals(Buffer.from(buffer))).toBe(true);
    }
  }
});
