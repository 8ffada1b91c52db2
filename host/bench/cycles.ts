/**
 * Cycles of each call over a trace. Where they come from is a meter: native code on the Cortex-M core, or a board's
 * interpreter. Cycles are taken in an ample arena, so that they are the policy's and not a full heap's.
 */
import type { PolicyName } from '../../firmware/src/policies/index.ts';
import type { Trace } from '../trace/trace.ts';

export interface CycleStats {
  mean: number;
  p99: number;
  max: number;
}

export interface Cycles {
  /** `cortex-m0plus`, or a board's id for interpreted cycles. */
  target: string;
  malloc: CycleStats;
  free: CycleStats;
  /** Null for a trace without realloc. */
  realloc: CycleStats | null;
}

export interface Metered {
  cycles: Cycles;
  /** Bytes of machine code, or of minified source. */
  codeBytes: number;
}

/** Null where the target cannot run the policy, or the trace does not complete in the arena. */
export type CycleMeter = (policy: PolicyName, trace: Trace, arenaBytes: number) => Promise<Metered | null>;

/** The arena that the recorded peers had, too. */
export function ampleArenaBytes(trace: Trace): number {
  return (trace.peakLiveBytes * 3 + 4096 + 15) & ~15;
}

/** Mean, 99th percentile (nearest rank) and maximum; null of nothing. */
export function cycleStats(samples: readonly number[]): CycleStats | null {
  if (samples.length === 0) return null;
  const sorted = [...samples].sort((a, b) => a - b);
  const sum = sorted.reduce((a, b) => a + b, 0);
  return {
    mean: Math.round((sum / sorted.length) * 10) / 10,
    p99: sorted[Math.ceil(sorted.length * 0.99) - 1]!,
    max: sorted.at(-1)!,
  };
}
