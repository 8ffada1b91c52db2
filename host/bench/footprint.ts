/**
 * The smallest arena in which a policy completes a trace.
 *
 * The search is a bisection in steps of 16 bytes, as for the recorded peers (shared figures): its answer completes the
 * trace and the arena one step smaller does not. Footprint is not monotone in general, so a smaller arena further
 * down may complete too; the answer is what this method gives, for everyone alike. The answer is then run once more
 * with every payload filled with a pattern and the pattern verified at each free and realloc.
 */
import { bindArena, u8 } from '../../firmware/src/arena.ts';
import type { Policy } from '../../firmware/src/policy.ts';
import { OP_FREE, type Trace } from '../trace/trace.ts';

export const STEP_BYTES = 16;

export interface Footprint {
  footprintBytes: number;
  /** peakLiveBytes / footprintBytes. */
  utilisation: number;
}

/** Replays the trace in an arena of `arenaBytes`. Returns the index of the first operation that fails, -1 when none does. */
export function runTrace(policy: Policy, trace: Trace, arenaBytes: number): number {
  bindArena(new ArrayBuffer(arenaBytes));
  if (policy.init(arenaBytes) === 0) return 0;
  const { kinds, ids, sizes } = trace;
  const offsets = new Int32Array(trace.idCount);
  for (let i = 0; i < kinds.length; i++) {
    const id = ids[i]!;
    if (kinds[i] === OP_FREE) {
      if (policy.free(offsets[id]!) !== 0) return i;
      offsets[id] = 0;
    } else {
      const offset = offsets[id]! === 0 ? policy.malloc(sizes[i]!) : policy.realloc(offsets[id]!, sizes[i]!);
      if (offset === 0) return i;
      offsets[id] = offset;
    }
  }
  return -1;
}

/** What is wrong with a block after operation `op`; null when all contents were kept. */
export interface ContentsFault {
  op: number;
  id: number;
  offset: number;
  problem: 'failed' | 'misaligned' | 'outside the arena' | 'contents lost' | 'usable size below the request' | 'misuse';
}

/** The byte that a payload of block `id` holds at `at`, low eight bits. */
export const patternOf = (id: number, at: number): number => (Math.imul(id + 1, 0x9e3779b1) >>> 24) ^ (at * 31);

/** Replays the trace with a pattern in every payload, verified at each free and realloc. */
export function verifyTrace(policy: Policy, trace: Trace, arenaBytes: number): ContentsFault | null {
  bindArena(new ArrayBuffer(arenaBytes));
  const { kinds, ids, sizes } = trace;
  const offsets = new Int32Array(trace.idCount);
  const held = new Int32Array(trace.idCount);
  const keeps = (id: number, bytes: number): boolean => {
    const offset = policy.locate(offsets[id]!);
    for (let at = 0; at < bytes; at++) if (u8[offset + at] !== (patternOf(id, at) & 0xff)) return false;
    return true;
  };
  if (policy.init(arenaBytes) === 0) return { op: 0, id: 0, offset: 0, problem: 'failed' };
  for (let op = 0; op < kinds.length; op++) {
    const id = ids[op]!;
    const offset = offsets[id]!;
    const fault = (problem: ContentsFault['problem']): ContentsFault => ({ op, id, offset: offsets[id]!, problem });
    if (kinds[op] === OP_FREE) {
      if (!keeps(id, held[id]!)) return fault('contents lost');
      if (policy.free(offset) !== 0) return fault('misuse');
      offsets[id] = 0;
      held[id] = 0;
      continue;
    }
    const size = sizes[op]!;
    if (!keeps(id, held[id]!)) return fault('contents lost');
    const given = offset === 0 ? policy.malloc(size) : policy.realloc(offset, size);
    if (given === 0) return fault('failed');
    offsets[id] = given;
    const payload = policy.locate(given);
    if ((payload & 7) !== 0) return fault('misaligned');
    if (payload + size > arenaBytes) return fault('outside the arena');
    if (policy.usableSize(given) < size) return fault('usable size below the request');
    if (!keeps(id, Math.min(held[id]!, size))) return fault('contents lost');
    for (let at = 0; at < size; at++) u8[payload + at] = patternOf(id, at);
    held[id] = size;
  }
  for (let id = 0; id < offsets.length; id++) {
    if (!keeps(id, held[id]!)) return { op: kinds.length, id, offset: offsets[id]!, problem: 'contents lost' };
  }
  return null;
}

/** No policy holds more than 2^27 bytes in one arena. */
const MAX_ARENA_BYTES = 1 << 27;

/** Whether the policy can work in an arena of this size at all: its offsets have so many bits. */
function holds(policy: Policy, arenaBytes: number): boolean {
  bindArena(new ArrayBuffer(arenaBytes));
  return policy.init(arenaBytes) !== 0;
}

/** The largest arena, in steps, that the policy holds; `refused` steps are too many. `least` when it holds no more. */
function mostSteps(policy: Policy, least: number, refused: number): number {
  let held = least;
  let over = refused;
  while (over - held > 1) {
    const middle = (held + over) >> 1;
    if (holds(policy, middle * STEP_BYTES)) held = middle;
    else over = middle;
  }
  return held;
}

/**
 * Searches the minimum footprint and verifies it; null when no arena that the policy can hold completes the trace.
 * Throws when the policy breaks a payload: that is a defect.
 */
export function minimumFootprint(policy: Policy, trace: Trace): Footprint | null {
  let fails = Math.floor(trace.peakLiveBytes / STEP_BYTES) - 1;
  let completes = Math.ceil((trace.peakLiveBytes * 1.25 + 1024) / STEP_BYTES);
  while (runTrace(policy, trace, completes * STEP_BYTES) !== -1) {
    if (!holds(policy, completes * STEP_BYTES)) {
      completes = mostSteps(policy, fails, completes);
      if (completes <= fails || runTrace(policy, trace, completes * STEP_BYTES) !== -1) return null;
      break;
    }
    fails = completes;
    completes *= 2;
    if (completes * STEP_BYTES > MAX_ARENA_BYTES) return null;
  }
  while (completes - fails > 1) {
    const middle = (completes + fails) >> 1;
    if (runTrace(policy, trace, middle * STEP_BYTES) === -1) completes = middle;
    else fails = middle;
  }
  const footprintBytes = completes * STEP_BYTES;
  const fault = verifyTrace(policy, trace, footprintBytes);
  if (fault) throw new Error(`${trace.name} in ${footprintBytes} bytes: ${JSON.stringify(fault)}`);
  return { footprintBytes, utilisation: trace.peakLiveBytes / footprintBytes };
}
