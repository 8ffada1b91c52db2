/**
 * Holds a native blob to its policy before a board runs it: the header, then every operation of a workload on the
 * counting core beside the same operation in JavaScript, result and whole arena, and the entries that no workload calls. A blob that computes something else, or
 * reaches outside its memory, is refused with the place in its code and in the source.
 */
import { exitCodes, Problem } from '../../boards/problem.ts';
import { bindArena } from '../../firmware/src/arena.ts';
import { type PolicyName, policies } from '../../firmware/src/policies/index.ts';
import { blobEntries, unpackBlob } from '../../firmware/toolchain/native/blob.ts';
import type { Compiled, Cpu } from '../../firmware/toolchain/native/compile.ts';
import { compilePolicy } from '../../firmware/toolchain/native/policy.ts';
import { Fault } from '../../sim/cortex-m/memory.ts';
import { NativeHeap, placeOf } from '../../sim/cortex-m/native-heap.ts';
import { OP_FREE, type Trace } from '../trace/trace.ts';

/** Blocks in the batch after the workload. */
const BATCH = 16;

export interface Verified {
  readonly cpu: Cpu;
  readonly codeBytes: number;
  readonly operations: number;
  /** Whether the code is what this compiler makes, byte by byte. */
  readonly isOurs: boolean;
}

/** Throws a Problem that names the first thing that is wrong. `cpu` is the board's processor. */
export function verifyBlob(
  bytes: Uint8Array,
  policy: PolicyName,
  cpu: Cpu,
  trace: Trace,
  arenaBytes: number,
): Verified {
  const blob = unpackBlob(bytes, cpu);
  const ours = compilePolicy(policy, blob.cpu);
  const code = blob.code.slice();
  const routines = Object.entries(blob.entries).map(([name, offset]) => {
    const known = ours.routines.find((routine) => routine.name === name);
    return {
      name,
      offset,
      sizeBytes: known?.sizeBytes ?? 0,
      parameterCount: known?.parameterCount ?? 0,
      isEntry: true,
    };
  });
  const blobAsCompiled: Compiled = { ...ours, routines, layout: { ...ours.layout, code } };
  const differences = difference(ours, code);
  const refuse = (problem: string, ...facts: string[]): Problem =>
    new Problem(
      exitCodes.notVerified,
      `this native blob is not ${policy}: ${problem}`,
      differences === null ? facts : [...facts, differences],
      'Make it again with `heapglass compile`; with unchanged code, this is a bug of the compiler.',
    );
  for (const entry of blobEntries) {
    if (blob.entries[entry] === undefined) throw refuse(`it has no entry ${entry}`);
  }
  const operations = replay(new NativeHeap(blobAsCompiled, arenaBytes), policy, trace, arenaBytes, refuse);
  return { cpu: blob.cpu, codeBytes: code.length, operations, isOurs: differences === null };
}

/** The first instruction that is not what this compiler makes of the policy; null where all are. */
function difference(ours: Compiled, code: Uint8Array): string | null {
  const own = ours.layout.code;
  const at = own.findIndex((byte, i) => code[i] !== byte) & ~1;
  if (at < 0)
    return code.length === own.length ? null : `${code.length} bytes of code, this compiler makes ${own.length}`;
  const halfword = (from: Uint8Array): string =>
    at + 1 < from.length ? (from[at]! | (from[at + 1]! << 8)).toString(16).padStart(4, '0') : 'nothing';
  return `code offset 0x${at.toString(16)} (${placeOf(ours, at)}) is ${halfword(code)}, this compiler makes ${halfword(own)}`;
}

function replay(
  heap: NativeHeap,
  name: PolicyName,
  trace: Trace,
  arenaBytes: number,
  refuse: (problem: string, ...facts: string[]) => Problem,
): number {
  const policy = policies[name];
  const buffer = new ArrayBuffer(arenaBytes);
  const expected = Buffer.from(buffer);
  const native = Buffer.from(heap.arena.buffer, 0, arenaBytes);
  bindArena(buffer);
  const both = (what: string, js: number, entry: string, ...args: number[]): number => {
    let got: number;
    try {
      got = heap.call(entry, ...args);
    } catch (error) {
      if (error instanceof Fault) throw refuse('it faults', `${what}: ${error.message}`);
      throw error;
    }
    if (got !== js) throw refuse('it gives another result', `${what}: ${got}, and ${js} in JavaScript`);
    if (!native.equals(expected)) {
      const at = native.findIndex((byte, i) => byte !== expected[i]);
      throw refuse('it leaves the arena otherwise', `${what}: the byte at offset ${at} differs`);
    }
    return js;
  };
  both('init', policy.init(arenaBytes), 'init', arenaBytes);
  const offsets = new Int32Array(trace.idCount);
  for (let i = 0; i < trace.kinds.length; i++) {
    const id = trace.ids[i]!;
    const size = trace.sizes[i]!;
    const offset = offsets[id]!;
    const what = `operation ${i + 1} of ${trace.name}`;
    if (trace.kinds[i] === OP_FREE) {
      both(`${what}, usableSize(${offset})`, policy.usableSize(offset), 'usableSize', offset);
      both(`${what}, free(${offset})`, policy.free(offset), 'free', offset);
      offsets[id] = 0;
    } else if (offset === 0) offsets[id] = both(`${what}, malloc(${size})`, policy.malloc(size), 'malloc', size);
    else {
      const moved = policy.realloc(offset, size);
      offsets[id] = both(`${what}, realloc(${offset}, ${size})`, moved, 'realloc', offset, size) || offset;
    }
  }
  for (const alignment of [8, 64, 512]) {
    both(`memalign(${alignment}, 40)`, policy.memalign(alignment, 40), 'memalign', alignment, 40);
  }
  const list = both(`malloc(${4 * BATCH})`, policy.malloc(4 * BATCH), 'malloc', 4 * BATCH);
  // What compact gives is a handle, not the place of a list.
  if (list === 0 || name === 'compact') return trace.kinds.length;
  const words = new Uint32Array(buffer);
  const at = list >> 2;
  let count = 0;
  for (; count < BATCH; count++) {
    const offset = policy.malloc(24);
    if (offset === 0) break;
    words[at + count] = offset;
  }
  both('a batch of malloc(24)', count, 'mallocMany', 24, BATCH, list);
  let bytes = 0;
  for (let n = 0; n < count; n++) bytes += policy.usableSize(words[at + n]!);
  both('a batch of usableSize', bytes, 'usableMany', count, list);
  for (let n = 0; n < count; n++) policy.free(words[at + n]!);
  both('a batch of free', count, 'freeMany', count, list);
  return trace.kinds.length;
}
