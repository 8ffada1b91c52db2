// A recorded heap in Node, and its line. Files that use it replace observer.ts by the recorder, as the toolchain does:
//   vi.mock('../../firmware/src/telemetry/observer.ts', () => import('../../firmware/src/telemetry/recorder.ts'));
//   vi.mock('../../firmware/src/telemetry/moves.ts', () => import('../../firmware/src/telemetry/move-log.ts'));
import { createHeap, type Heap } from '../../firmware/src/heap.ts';
import { type PolicyName, policies, policyId } from '../../firmware/src/policies/index.ts';
import { BLOCK_LIVE } from '../../firmware/src/policy.ts';
import { recorderDrain, recorderStart } from '../../firmware/src/telemetry/recorder.ts';
import { LEVEL_EVENTS, MAX_FRAME_BYTES } from '../../firmware/wire/format.ts';
import type { HeapModel } from '../../host/model/heap-model.ts';
import { OP_ALLOCATE, OP_FREE, type Trace } from '../../host/trace/trace.ts';

export interface Device {
  heap: Heap;
  /** Virtual milliseconds; set it to let the recorder's clock go on. */
  clock: { ms: number };
  /** Frames that are ready, up to `most`. */
  drain(most?: number): Uint8Array[];
}

export interface DeviceOptions {
  policy: PolicyName;
  bytes: number;
  ringFrames?: number;
  level?: number;
  bundleId?: number;
}

export function recordedHeap({
  policy,
  bytes,
  ringFrames = 4,
  level = LEVEL_EVENTS,
  bundleId = 0,
}: DeviceOptions): Device {
  const heap = createHeap({ bytes, policy: policies[policy] });
  if (heap === null) throw new Error(`no heap of ${bytes} bytes with ${policy}`);
  const clock = { ms: 0 };
  recorderStart(heap, {
    policyId: policyId(policy),
    level,
    ringFrames,
    clockKhz: 125_000,
    bundleId,
    nowMs: () => clock.ms,
  });
  const out = new Uint8Array(MAX_FRAME_BYTES);
  const drain = (most = 1000): Uint8Array[] => {
    const frames: Uint8Array[] = [];
    while (frames.length < most) {
      const length = recorderDrain(out);
      if (length === 0) break;
      frames.push(out.slice(0, length));
    }
    return frames;
  };
  return { heap, clock, drain };
}

/** Runs operation `i` of a trace; `offsets` holds each id's block. False when there was no room. */
export function step(heap: Heap, trace: Trace, i: number, offsets: Int32Array, site = 0): boolean {
  const id = trace.ids[i]!;
  const kind = trace.kinds[i]!;
  if (kind === OP_FREE) {
    heap.free(offsets[id]!);
    offsets[id] = 0;
    return true;
  }
  const offset =
    kind === OP_ALLOCATE || offsets[id] === 0
      ? heap.malloc(trace.sizes[i]!, site)
      : heap.realloc(offsets[id]!, trace.sizes[i]!, site);
  if (offset !== 0) offsets[id] = offset;
  return offset !== 0;
}

/** Order-dependent mix of a block, for comparing two walks by one number. */
const mix = (sum: number, start: number, bytes: number, kind: number): number =>
  Math.imul(Math.imul(sum ^ start, 0x9e3779b1) ^ bytes, 0x85ebca6b) ^ kind;

/** The device's own walk as one number: live blocks and what lies between them. */
export function walkDigest(heap: Heap): number {
  const { policy } = heap;
  heap.usableSize(0); // binds the heap
  const header = -policy.firstBlock() & 7;
  let sum = 0;
  let end = policy.firstBlock();
  // Less than a granule is the policy's end mark, not memory.
  const gap = (until: number): void => {
    if (until - end >= 8) sum = mix(sum, end, until - end, 0);
  };
  for (let block = policy.firstBlock(); block !== 0; block = policy.nextBlock(block)) {
    if (policy.blockKind(block) !== BLOCK_LIVE) continue;
    const name = policy.blockPayload(block);
    const payload = policy.locate(name);
    const usable = policy.usableSize(name);
    gap(payload - header);
    sum = mix(sum, payload, usable, 1);
    end = payload + usable;
  }
  gap(heap.buffer.byteLength);
  return sum;
}

/** The same number from the host's model. */
export function modelDigest(model: HeapModel): number {
  let sum = 0;
  let start = -1;
  let bytes = 0;
  const free = (): void => {
    if (start >= 0) sum = mix(sum, start, bytes, 0);
    start = -1;
    bytes = 0;
  };
  model.forEachBlock((block) => {
    if (block.live) {
      free();
      sum = mix(sum, block.offset, block.usable, 1);
    } else {
      if (start < 0) start = block.start;
      bytes += block.bytes;
    }
  });
  free();
  return sum;
}
