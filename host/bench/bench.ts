/** Policies over traces: minimum footprint, utilisation and, with a meter, cycles. One row a trace and policy. */
import { type PolicyName, policies } from '../../firmware/src/policies/index.ts';
import type { Trace } from '../trace/trace.ts';
import { ampleArenaBytes, type CycleMeter, type Cycles, type Metered } from './cycles.ts';
import { minimumFootprint } from './footprint.ts';

export interface BenchRow {
  trace: string;
  policy: PolicyName;
  payloadAlignmentBytes: number;
  movesBlocks: boolean;
  peakLiveBytes: number;
  /** Null when no arena that the policy can hold completes the trace. */
  footprintBytes: number | null;
  utilisation: number | null;
  cycles: Cycles | null;
  codeBytes: number | null;
}

const PAYLOAD_ALIGNMENT_BYTES = 8;

export function movesBlocks(policy: PolicyName): boolean {
  // A handle is not a place: asked for one that is no multiple of the alignment, only a mover says 0.
  return policies[policy].locate(1) !== 1;
}

export async function benchRow(trace: Trace, policy: PolicyName, meter: CycleMeter | null): Promise<BenchRow> {
  const footprint = minimumFootprint(policies[policy], trace);
  let metered: Metered | null = null;
  if (meter && footprint) {
    metered = await meter(policy, trace, ampleArenaBytes(trace));
    // A policy that the ample arena is not enough for gets twice its own footprint, so that its cycles can be counted.
    if (!metered) metered = await meter(policy, trace, (footprint.footprintBytes * 2 + 15) & ~15);
  }
  return {
    trace: trace.name,
    policy,
    payloadAlignmentBytes: PAYLOAD_ALIGNMENT_BYTES,
    movesBlocks: movesBlocks(policy),
    peakLiveBytes: trace.peakLiveBytes,
    footprintBytes: footprint?.footprintBytes ?? null,
    utilisation: footprint?.utilisation ?? null,
    cycles: metered?.cycles ?? null,
    codeBytes: metered?.codeBytes ?? null,
  };
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
