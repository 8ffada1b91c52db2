/**
 * The policy behind the bound heap, as plain functions.
 *
 * In Node several policies live in one process, so these forward to the one that was bound last. A device's bundle
 * holds one policy: the toolchain puts that policy's module in this file's place (firmware/toolchain/bundle.ts), and
 * the heap then calls its functions directly.
 */
import { defaultPolicyName, isPolicyName, policies } from './policies/index.ts';
import type { Policy } from './policy.ts';

let bound: Policy = policies[defaultPolicyName];

export function bindPolicy(policy: Policy): void {
  bound = policy;
}

/** The policy of this name, the default one without a name; undefined when there is none. */
export function policyNamed(name?: string): Policy | undefined {
  if (name === undefined) return policies[defaultPolicyName];
  return isPolicyName(name) ? policies[name] : undefined;
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

export function pin(block: number): boolean {
  return bound.pin(block);
}

export function unpin(block: number): void {
  bound.unpin(block);
}

/** The place of an offset in the bound views: the offset itself where a heap has one buffer. */
export function select(offset: number): number {
  return bound.select ? bound.select(offset) : offset;
}
