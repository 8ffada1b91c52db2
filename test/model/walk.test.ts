// M1: the host's model of the heap equals the device's own walk after every operation of every recorded trace.
import { expect, test, vi } from 'vitest';
import { type PolicyName, policyNames } from '../../firmware/src/policies/index.ts';
import { TelemetryDecoder } from '../../host/model/decoder.ts';
import { HeapModel } from '../../host/model/heap-model.ts';
import { modelDigest, recordedHeap, step, walkDigest } from '../wire/device.ts';
import { loadTrace, traceNames } from '../wire/traces.ts';

vi.mock('../../firmware/src/telemetry/observer.ts', () => import('../../firmware/src/telemetry/recorder.ts'));
vi.mock('../../firmware/src/telemetry/moves.ts', () => import('../../firmware/src/telemetry/move-log.ts'));

/** Checks the digest of the model after each operation against those that the device's walk gave. */
class LockstepModel extends HeapModel {
  readonly expected: number[] = [];

  checked = 0;
  wrong = -1;

  #check(): void {
    const index = this.operations - 1;
    const expected = this.expected[index];
    if (expected === undefined) return;
    this.checked++;
    if (this.wrong < 0 && modelDigest(this) !== expected) this.wrong = index;
  }

  override malloc(offset: number, size: number, usable: number, site: number): void {
    super.malloc(offset, size, usable, site);
    this.#check();
  }

  override realloc(offset: number, newOffset: number, size: number, usable: number, site: number): void {
    super.realloc(offset, newOffset, size, usable, site);
    this.#check();
  }

  override free(offset: number): void {
    super.free(offset);
    this.#check();
  }
}

// Walking a heap of thousands of blocks after each of 95,000 operations takes a minute a policy: HEAPGLASS_EVERY=1 does
// it. Without it the long traces are compared at every nth operation, so that a policy takes a few seconds.
const asked = process.env.HEAPGLASS_EVERY;
const STEPS = 3e5;

/** Buddies and pages of one size round up. `compact` gets little, so that it has to compact. */
const arenaFor = (policy: PolicyName, peakLiveBytes: number): number => {
  if (policy === 'compact') return (1.25 * peakLiveBytes + 4096) & ~7;
  return ((['buddy', 'percore', 'slab'].includes(policy) ? 4 : 2.5) * peakLiveBytes + 8192) & ~7;
};
/** What `compact` can have at most. */
const MOST_COMPACT_BYTES = 32766 * 8;

for (const policy of policyNames) {
  test.skipIf(traceNames.length === 0)(`${policy}: model and walk agree`, () => {
    for (const name of traceNames) {
      const trace = loadTrace(name);
      if (policy === 'compact' && arenaFor(policy, trace.peakLiveBytes) > MOST_COMPACT_BYTES) continue;
      const { heap, clock, drain } = recordedHeap({ policy, bytes: arenaFor(policy, trace.peakLiveBytes) });
      const model = new LockstepModel();
      const decoder = new TelemetryDecoder(model);
      const offsets = new Int32Array(trace.idCount);
      const every = asked ? Number(asked) : Math.ceil((trace.kinds.length * trace.maxLiveBlocks) / STEPS);
      for (let i = 0; i < trace.kinds.length; i++) {
        if (!step(heap, trace, i, offsets)) expect.unreachable(`${name}:${i}: no room`);
        if (i % every === 0) model.expected[i] = walkDigest(heap);
        if (i % 50 === 0) {
          clock.ms += 7;
          for (const frame of drain()) decoder.push(frame);
        }
      }
      clock.ms += 1000;
      for (const frame of drain()) decoder.push(frame);
      expect(model.wrong, `${name}: first operation that differs`).toBe(-1);
      expect(model.checked, name).toBe(Math.ceil(trace.kinds.length / every));
      expect(model.exact).toBe(true);
      expect(model.contradictions).toBe(0);
      expect(decoder.statistics).toMatchObject({ lostFrames: 0, damagedBytes: 0, malformedFrames: 0, textBytes: 0 });
    }
  });
}
