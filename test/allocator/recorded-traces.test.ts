// The figures of all recorded traces: the default policy and compact reach what is promised, and for each trace some
// policy needs no more than the best C allocator recorded for it. Skipped where the traces are not at hand.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { defaultPolicyName } from '../../firmware/src/policies/index.ts';
import { geometricMean } from '../../host/bench/bench.ts';
import { peerFootprints } from '../../host/bench/peers.ts';
import { readTrace } from '../../host/trace/trace.ts';
import { builtAllocator } from './support/built.ts';

const folder = join(packageRoot, '..', 'shared', 'traces');
const present = existsSync(folder);
if (!present) console.warn(`skipped: the recorded traces are not in ${folder}`);

test.skipIf(!present)(
  'utilisations over the recorded traces, and the best peer of each',
  async () => {
    const { minimumFootprint, policies } = await builtAllocator();
    const traces = readdirSync(folder).map((name) => readTrace(join(folder, name)));
    const names = [defaultPolicyName, 'compact', 'best-fit', 'first-fit'] as const;
    const utilisations = new Map<string, number[]>(names.map((name) => [name, []]));
    for (const trace of traces) {
      const footprints = names.map((name) => minimumFootprint(policies[name], trace)!.footprintBytes);
      const peer = peerFootprints(trace.name, trace.peakLiveBytes)[0]!;
      expect(`${trace.name} ${Math.min(...footprints) <= peer.footprintBytes}`).toBe(`${trace.name} true`);
      if (trace.header.recorder === undefined) continue;
      for (const [i, name] of names.entries()) utilisations.get(name)!.push(trace.peakLiveBytes / footprints[i]!);
    }
    const of = (name: string) => utilisations.get(name)!;
    expect(of(defaultPolicyName).length).toBe(13);
    expect(geometricMean(of(defaultPolicyName))).toBeGreaterThan(0.91);
    expect(Math.min(...of(defaultPolicyName))).toBeGreaterThan(0.77);
    expect(geometricMean(of('compact'))).toBeGreaterThan(0.925);
    expect(Math.min(...of('compact'))).toBeGreaterThan(0.78);
  },
  120_000,
);
