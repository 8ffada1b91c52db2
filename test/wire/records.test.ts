// What the heap did is what the decoder tells: every call with its numbers, in order, over random work.
import { expect, test, vi } from 'vitest';
import { policyNames } from '../../firmware/src/policies/index.ts';
import { TelemetryDecoder } from '../../host/model/decoder.ts';
import { recordedHeap } from './device.ts';
import { below, random } from './random.ts';

vi.mock('../../firmware/src/telemetry/observer.ts', () => import('../../firmware/src/telemetry/recorder.ts'));

// What `compact` returns is a handle, and its records name places: test/model/walk.test.ts compares those.
test.each(policyNames.filter((name) => name !== 'compact'))('%s: the decoder repeats every call', (policy) => {
  for (let seed = 1; seed <= 40; seed++) {
    const next = random(seed);
    const { heap, clock, drain } = recordedHeap({ policy, bytes: 8192 + 8 * below(next, 20000), ringFrames: 16 });
    const done: string[] = [];
    const told: string[] = [];
    const decoder = new TelemetryDecoder({
      malloc: (offset, size, usable, site, alignment) =>
        told.push(`m ${offset} ${size} ${usable} ${site} ${alignment}`),
      free: (offset) => told.push(`f ${offset}`),
      realloc: (offset, to, size, usable, site) => told.push(`r ${offset} ${to} ${size} ${usable} ${site}`),
      failure: (size, alignment, offset, site) => told.push(`x ${size} ${alignment} ${offset} ${site}`),
      misuse: (offset, code, site) => told.push(`! ${offset} ${code} ${site}`),
    });
    const live: number[] = [];
    const size = (): number => (next() < 0.1 ? below(next, 9000) : below(next, 90));
    for (let i = 0; i < 1500; i++) {
      const choice = next();
      const site = next() < 0.5 ? 0 : below(next, 40_000);
      const bytes = size();
      if (live.length === 0 || choice < 0.45) {
        const alignment = choice < 0.03 ? 16 << below(next, 4) : 8;
        const offset = alignment === 8 ? heap.malloc(bytes, site) : heap.memalign(alignment, bytes, site);
        if (offset === 0) done.push(`x ${bytes} ${alignment} 0 ${site}`);
        else {
          live.push(offset);
          done.push(`m ${offset} ${bytes} ${heap.usableSize(offset)} ${site} ${alignment}`);
        }
      } else if (choice < 0.55) {
        const index = below(next, live.length);
        const before = live[index]!;
        const offset = heap.realloc(before, bytes, site);
        if (offset === 0) done.push(`x ${bytes} 8 ${before} ${site}`);
        else {
          live[index] = offset;
          done.push(`r ${before} ${offset} ${bytes} ${heap.usableSize(offset)} ${site}`);
        }
      } else if (choice < 0.56) {
        const code = heap.free(12, site);
        expect(code).not.toBe(0);
        done.push(`! 12 ${code} ${site}`);
      } else {
        const [offset] = live.splice(below(next, live.length), 1);
        heap.free(offset!);
        done.push(`f ${offset}`);
      }
      if (next() < 0.05) {
        clock.ms += 40;
        for (const frame of drain()) decoder.push(frame);
      }
    }
    clock.ms += 500;
    for (const frame of drain()) decoder.push(frame);
    expect(told, `seed ${seed}`).toEqual(done);
  }
});
