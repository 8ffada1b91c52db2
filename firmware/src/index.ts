/**
 * What a program imports as 'heapglass', on a board and in Node.
 *
 *   import { createHeap } from 'heapglass';
 *   const heap = createHeap({ bytes: 8192 });
 *
 * The first heap is recorded, when the bundle has telemetry: `poll` helps a program that computes for long to get its
 * frames out, `mark` puts a number of its own into the recording. On a board the policy is the one the toolchain put into the bundle; in Node `policy` chooses by name.
 */
import { policyNamed } from './bound-policy.ts';
import { type CountedHeap, createHeap as createHeapOver } from './heap.ts';
import type { PolicyName } from './policies/index.ts';
import {
  createRegionHeap as createRegionHeapOver,
  type RegionHeap,
  type RegionOptions,
} from './regions/region-heap.ts';
import { startTelemetry } from './telemetry/pump.ts';

export { freeMany, mallocMany } from './batch.ts';
export type { CountedHeap, Heap, HeapStats } from './heap.ts';
export type { PolicyName } from './policies/index.ts';
export { MISUSE_CORRUPT, MISUSE_NOT_LIVE, MISUSE_WILD } from './policy.ts';
export type { PostMortem } from './post-mortem.ts';
export type { RegionHeap, RegionOptions, RegionStats } from './regions/region-heap.ts';
export type { Account } from './safety/accounts.ts';
export { createSafeHeap, type SafeRegionHeap } from './safety/create.ts';
export {
  FAULT_BOOKKEEPING,
  FAULT_DOUBLE_FREE,
  FAULT_OVERFLOW,
  FAULT_OVERLAP,
  FAULT_UNDERFLOW,
  FAULT_USE_AFTER_FREE,
  FAULT_WILD_FREE,
  type Fault,
} from './safety/faults.ts';
export type { SafeHeap, SafetyOptions } from './safety/safe-heap.ts';
export { mark, poll } from './telemetry/pump.ts';

export interface CreateHeapOptions {
  /** Size of the arena, everything included. */
  bytes: number;
  /** A policy's name. The toolchain reads a literal here; on the board it is the only policy there is. */
  policy?: PolicyName;
}

/** A heap over a new arena; null when the arena is too small for the policy, or the policy is unknown. */
export function createHeap(options: CreateHeapOptions): CountedHeap | null {
  const policy = policyNamed(options.policy);
  const heap = policy ? createHeapOver({ bytes: options.bytes, policy }) : null;
  if (heap) startTelemetry(heap);
  return heap;
}

export interface CreateRegionHeapOptions {
  /** The first has an arena; others may be for large blocks alone. */
  regions: RegionOptions[];
  policy?: PolicyName;
  /** Requests of so many bytes get pages of their own, given back at their free. Default: a fourth of the largest region. */
  largeFrom?: number;
}

/** A heap over several regions (regions/region-heap.ts); null where createHeap gives null. A program has heaps of one kind. */
export function createRegionHeap(options: CreateRegionHeapOptions): RegionHeap | null {
  const policy = policyNamed(options.policy);
  if (!policy) return null;
  const chosen: Parameters<typeof createRegionHeapOver>[0] = { regions: options.regions, policy: policy };
  if (options.largeFrom !== undefined) chosen.largeFrom = options.largeFrom;
  const heap = createRegionHeapOver(chosen);
  if (heap) startTelemetry(heap);
  return heap;
}
