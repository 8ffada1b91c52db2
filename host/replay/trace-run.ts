/**
 * Replays a trace through a heap in Node, one operation at a time, with a pattern in every payload that is verified at
 * each free and realloc, and gives the scene of any moment.
 *
 * A request that fails is counted and the program goes on without the block, as a careful program on a board would:
 * its later free does nothing, its later realloc asks anew. A trace has no clock; an operation is taken as 1 ms.
 */
import { exitCodes, Problem } from '../../boards/problem.ts';
import { createHeap, type Heap } from '../../firmware/src/heap.ts';
import { type PolicyName, policies } from '../../firmware/src/policies/index.ts';
import { patternOf } from '../bench/footprint.ts';
import { OP_FREE, type Trace } from '../trace/trace.ts';
import type { BlockVisitor, Figures, Scene, SceneState } from '../view/scene.ts';
import { SizeClasses } from '../view/size-classes.ts';
import { Timeline } from '../view/timeline.ts';
import { bytesText } from '../view/units.ts';

/** Points of the series at most: each costs a walk over the heap. */
const SAMPLES = 256;

export interface FailedRequest {
  /** Index of the operation in the trace, from 0. */
  op: number;
  sizeBytes: number;
  freeBytes: number;
  largestFreeBytes: number;
}

export class TraceRun {
  readonly trace: Trace;
  readonly policyName: PolicyName;
  readonly arenaBytes: number;
  /** Operations done. */
  at = 0;
  /** Payloads whose pattern was compared. */
  verifiedPayloads = 0;
  /** Operations at which a payload had changed: a defect of the policy. */
  readonly corrupted: number[] = [];
  firstFailure: FailedRequest | null = null;
  private readonly heap: Heap;
  private readonly offsets: Int32Array;
  private readonly held: Int32Array;
  private requestedBytes = 0;
  private readonly classes = new SizeClasses();
  private readonly timeline = new Timeline(SAMPLES);
  private readonly sampleEvery: number;

  constructor(trace: Trace, policyName: PolicyName, arenaBytes: number) {
    const heap = createHeap({ bytes: arenaBytes, policy: policies[policyName] });
    if (!heap) {
      throw new Problem(
        exitCodes.usage,
        `${policyName} cannot work in an arena of ${arenaBytes} bytes`,
        [`the trace needs ${bytesText(trace.peakLiveBytes)} live at once, control data not counted`],
        'Give a larger --arena, or `--arena min` for the smallest that completes the trace.',
      );
    }
    this.heap = heap;
    this.trace = trace;
    this.policyName = policyName;
    this.arenaBytes = heap.buffer.byteLength;
    this.offsets = new Int32Array(trace.idCount);
    this.held = new Int32Array(trace.idCount);
    this.sampleEvery = Math.max(1, Math.ceil(trace.kinds.length / SAMPLES));
  }

  get done(): boolean {
    return this.at >= this.trace.kinds.length;
  }

  /** Runs up to operation `until`, or to the end. */
  advance(until: number = this.trace.kinds.length): void {
    const end = Math.min(until, this.trace.kinds.length);
    for (; this.at < end; this.at++) {
      this.operation(this.at);
      if (this.at % this.sampleEvery === 0) this.timeline.add(this.at, this.figures());
    }
  }

  private operation(op: number): void {
    const id = this.trace.ids[op]!;
    const size = this.trace.sizes[op]!;
    const offset = this.offsets[id]!;
    if (offset !== 0) this.verify(op, id, this.held[id]!);
    if (this.trace.kinds[op] === OP_FREE) {
      if (offset === 0) return;
      this.heap.free(offset);
      this.forget(id);
      return;
    }
    const given = this.heap.realloc(offset, size);
    if (given === 0) {
      this.failed(op, size);
      return;
    }
    this.offsets[id] = given;
    if (offset !== 0) {
      this.verify(op, id, Math.min(this.held[id]!, size));
      this.requestedBytes -= this.held[id]!;
      this.classes.add(this.held[id]!, -1);
    }
    const { u8 } = this.heap;
    const payload = this.heap.locate(given);
    for (let at = 0; at < size; at++) u8[payload + at] = patternOf(id, at);
    this.held[id] = size;
    this.requestedBytes += size;
    this.classes.add(size, 1);
  }

  private forget(id: number): void {
    this.requestedBytes -= this.held[id]!;
    this.classes.add(this.held[id]!, -1);
    this.offsets[id] = 0;
    this.held[id] = 0;
  }

  private verify(op: number, id: number, bytes: number): void {
    const { u8 } = this.heap;
    // Under a policy that moves blocks an offset is a handle, and the payload is wherever it lies now.
    const payload = this.heap.locate(this.offsets[id]!);
    this.verifiedPayloads++;
    for (let at = 0; at < bytes; at++) {
      if (u8[payload + at] !== (patternOf(id, at) & 0xff)) {
        this.corrupted.push(op);
        return;
      }
    }
  }

  private failed(op: number, sizeBytes: number): void {
    if (this.firstFailure) return;
    const { freeBytes, largestFreeBytes } = this.heap.stats();
    this.firstFailure = { op, sizeBytes, freeBytes, largestFreeBytes };
  }

  figures(): Figures {
    const { arenaBytes: _, freeBlocks: __, ...stats } = this.heap.stats();
    return {
      ...stats,
      externalFragmentation: stats.freeBytes === 0 ? 0 : 1 - stats.largestFreeBytes / stats.freeBytes,
      internalFragmentation: stats.liveBytes === 0 ? 0 : 1 - this.requestedBytes / stats.liveBytes,
    };
  }

  private walk(visit: BlockVisitor): void {
    const { policy, arenaBytes } = this;
    for (let block = policy.firstBlock(); block !== 0; ) {
      const next = policy.nextBlock(block);
      visit(block, (next === 0 ? arenaBytes : next) - block, policy.blockKind(block));
      block = next;
    }
  }

  private get policy() {
    // A call of the heap makes its arena the bound one; the policy's walk then reads this heap.
    this.heap.usableSize(0);
    return this.heap.policy;
  }

  scene(source: string, state: SceneState): Scene {
    const failure = this.firstFailure;
    return {
      source,
      program: this.trace.name,
      policy: this.policyName,
      state,
      atMs: this.at,
      clock: 'operations',
      arenaBytes: this.arenaBytes,
      exact: true,
      figures: this.figures(),
      walk: (visit) => this.walk(visit),
      series: this.timeline.points(SAMPLES),
      histogram: this.classes.rows(),
      sites: [],
      line: null,
      message: failure
        ? `first failure at operation ${failure.op + 1}: ${bytesText(failure.sizeBytes)} asked, ${bytesText(failure.freeBytes)} free, largest ${bytesText(failure.largestFreeBytes)}`
        : null,
    };
  }
}
