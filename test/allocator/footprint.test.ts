// The minimum footprint: its answer completes, one step less does not, and it finds a policy that breaks payloads.
import { expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import * as bestFit from '../../firmware/src/policies/best-fit.ts';
import type { Policy } from '../../firmware/src/policy.ts';
import { minimumFootprint, runTrace, STEP_BYTES, verifyTrace } from '../../host/bench/footprint.ts';
import { readTrace } from '../../host/trace/trace.ts';

const trace = readTrace(`${packageRoot}/test/fixtures/traces/expat-config.trace`);

test('the answer completes the trace and one step less fails', () => {
  const { footprintBytes, utilisation } = minimumFootprint(bestFit, trace)!;
  expect(runTrace(bestFit, trace, footprintBytes)).toBe(-1);
  expect(runTrace(bestFit, trace, footprintBytes - STEP_BYTES)).toBeGreaterThanOrEqual(0);
  expect(utilisation).toBeCloseTo(13274 / footprintBytes, 10);
});

test('a policy whose largest arena lies below the first guess is asked for what it can hold', () => {
  const { footprintBytes } = minimumFootprint(bestFit, trace)!;
  const upTo = (mostBytes: number): Policy => ({
    ...bestFit,
    init: (arenaBytes) => (arenaBytes > mostBytes ? 0 : bestFit.init(arenaBytes)),
  });
  for (const mostBytes of [footprintBytes, footprintBytes + STEP_BYTES, footprintBytes + 500])
    expect(minimumFootprint(upTo(mostBytes), trace)?.footprintBytes).toBe(footprintBytes);
  expect(minimumFootprint(upTo(footprintBytes - STEP_BYTES), trace)).toBeNull();
  expect(minimumFootprint(upTo(4096), trace)).toBeNull();
});

test('a policy that loses contents on realloc is found', () => {
  const forgetful: Policy = {
    ...bestFit,
    realloc(offset, size) {
      const to = bestFit.malloc(size);
      if (to !== 0) bestFit.free(offset);
      return to;
    },
  };
  expect(verifyTrace(forgetful, trace, 65536)?.problem).toBe('contents lost');
});
