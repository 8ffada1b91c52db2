/**
 * The policy of a heap of regions, as plain functions on the bound region. In Node these forward to the policy that was
 * bound; in a bundle the toolchain puts the policy's own module here (firmware/toolchain/device-modules.ts).
 */
import type { Policy } from '../policy.ts';

export type RegionPolicy = Policy;

let bound: RegionPolicy;

export function bindRegionPolicy(policy: RegionPolicy): void {
  bound = policy;
}

export function init(arenaBytes: number): number {
  return bound.init(arenaBytes);
}

export function malloc(size: number): number {
  return bound.malloc(size);
}

export function free(offset: number): number {
  return bound.free(offset);
}

export function realloc(offset: number, size: number): number {
  return bound.realloc(offset, size);
}

export function memalign(alignment: number, size: number): number {
  return bound.memalign(alignment, size);
}

export function usableSize(offset: number): number {
  return bound.usableSize(offset);
}

/** A policy whose end is fixed keeps it: its arena is the whole region from the start. */
export function moveEnd(fromBytes: number, toBytes: number): number {
  return bound.moveEnd ? bound.moveEnd(fromBytes, toBytes) : fromBytes;
}

export function firstBlock(): number {
  return bound.firstBlock();
}

export function nextBlock(block: number): number {
  return bound.nextBlock(block);
}

export function blockKind(block: number): number {
  return bound.blockKind(block);
}

export function blockPayload(block: number): number {
  return bound.blockPayload(block);
}

export function check(): number {
  return bound.check();
}

export function checkOffset(): number {
  return bound.checkOffset();
}

export function locate(block: number): number {
  return bound.locate(block);
}
