/** The meter for `bench --native CPU`: a policy's machine code over a trace on the counting core. */
import { exitCodes, Problem } from '../../boards/problem.ts';
import { type Cpu, cpus } from '../../firmware/toolchain/native/compile.ts';
import { compilePolicy, coreCodeBytes } from '../../firmware/toolchain/native/policy.ts';
import { NativeHeap } from '../../sim/cortex-m/native-heap.ts';
import { OP_FREE } from '../trace/trace.ts';
import { type CycleMeter, cycleStats } from './cycles.ts';

export async function nativeMeter(target: string): Promise<CycleMeter> {
  const cpu = cpus.find((known): known is Cpu => known === target);
  if (!cpu) {
    throw new Problem(
      exitCodes.usage,
      `there is no native target "${target}"`,
      [`the targets are ${cpus.join(', ')}`],
      'Name one of them after --native.',
    );
  }
  return async (policy, trace, arenaBytes) => {
    const compiled = compilePolicy(policy, cpu);
    const heap = new NativeHeap(compiled, arenaBytes);
    heap.call('init', arenaBytes);
    const offsets = new Int32Array(trace.idCount);
    const samples = { malloc: [] as number[], free: [] as number[], realloc: [] as number[] };
    for (let i = 0; i < trace.kinds.length; i++) {
      const id = trace.ids[i]!;
      const offset = offsets[id]!;
      if (trace.kinds[i] === OP_FREE) {
        heap.call('free', offset);
        samples.free.push(heap.lastCycles);
        offsets[id] = 0;
        continue;
      }
      const kind = offset === 0 ? 'malloc' : 'realloc';
      const size = trace.sizes[i]!;
      const result = offset === 0 ? heap.call('malloc', size) : heap.call('realloc', offset, size);
      samples[kind].push(heap.lastCycles);
      if (result === 0) return null;
      offsets[id] = result;
    }
    const none = { mean: 0, p99: 0, max: 0 };
    return {
      cycles: {
        target: cpu,
        malloc: cycleStats(samples.malloc) ?? none,
        free: cycleStats(samples.free) ?? none,
        realloc: cycleStats(samples.realloc),
      },
      codeBytes: coreCodeBytes(policy, cpu),
    };
  };
}
