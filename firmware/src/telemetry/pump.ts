/**
 * The telemetry pump: takes finished frames from the recorder and gives them to the console as fast as it can carry
 * them, from a timer, never waiting.
 *
 * Neither engine says how much its console has room for (a full buffer blocks the program), so the pump keeps an
 * account: the line earns its rate in bytes as time passes, up to what its buffer holds, and a write spends them. A
 * frame longer than the account goes out in pieces. While the account is empty the recorder's queue fills, and what
 * finds no room there is dropped, counted and told.
 *
 * The toolchain states the constants from the board's data and leaves this file out of a bundle without telemetry.
 */
import { LEVEL_EVENTS, MAX_FRAME_BYTES } from '../../wire/format.ts';
import type { Heap } from '../heap.ts';
import { every, hasPort, nowMs, writeLine } from '../port.ts';
import { idleUntilMs, recorderDrain, recorderMark, recorderStart } from './recorder.ts';

declare const HEAPGLASS_LEVEL: number;
declare const HEAPGLASS_POLICY_ID: number;
declare const HEAPGLASS_CLOCK_KHZ: number;
declare const HEAPGLASS_BUNDLE_ID: number;
declare const HEAPGLASS_LINE_BYTES_PER_SECOND: number;
declare const HEAPGLASS_LINE_BURST_BYTES: number;

const level = typeof HEAPGLASS_LEVEL === 'undefined' ? LEVEL_EVENTS : HEAPGLASS_LEVEL;
const policyId = typeof HEAPGLASS_POLICY_ID === 'undefined' ? 0 : HEAPGLASS_POLICY_ID;
const clockKhz = typeof HEAPGLASS_CLOCK_KHZ === 'undefined' ? 0 : HEAPGLASS_CLOCK_KHZ;
const bundleId = typeof HEAPGLASS_BUNDLE_ID === 'undefined' ? 0 : HEAPGLASS_BUNDLE_ID;
const bytesPerSecond = typeof HEAPGLASS_LINE_BYTES_PER_SECOND === 'undefined' ? 11520 : HEAPGLASS_LINE_BYTES_PER_SECOND;
/** What the line takes at once without blocking. */
const burstBytes = typeof HEAPGLASS_LINE_BURST_BYTES === 'undefined' ? 128 : HEAPGLASS_LINE_BURST_BYTES;

/** Frames that wait for the line: a second of a 9600 baud line, and 1 KB of RAM. */
const RING_FRAMES = 4;

/** The line earns half a burst between two rounds, so that it is neither idle nor late. */
const periodMs = Math.max(10, Math.min(100, (burstBytes * 500) / bytesPerSecond) | 0);

let buffer: ArrayBuffer | undefined;
let frame: Uint8Array;
let frameBytes = 0;
let sentBytes = 0;
let account = 0;
let paidAtMs = 0;

/** Starts recording the program's first heap. Later ones are not recorded. */
export function startTelemetry(heap: Heap): void {
  if (buffer || !hasPort()) return;
  buffer = new ArrayBuffer(MAX_FRAME_BYTES);
  frame = new Uint8Array(buffer);
  paidAtMs = nowMs();
  recorderStart(heap, { policyId, level, ringFrames: RING_FRAMES, clockKhz, bundleId, nowMs });
  every(periodMs, poll);
}

/** Sends what the line has room for. The timer calls it; a program that computes for long may call it too. */
export function poll(): void {
  if (!buffer) return;
  const now = nowMs();
  if (sentBytes === frameBytes && now - idleUntilMs < 0) return;
  account = Math.min(burstBytes, (account + ((now - paidAtMs) * bytesPerSecond) / 1000) | 0);
  paidAtMs = now;
  while (account > 0) {
    if (sentBytes === frameBytes) {
      sentBytes = 0;
      frameBytes = recorderDrain(frame);
      if (frameBytes === 0) return;
    }
    const bytes = Math.min(account, frameBytes - sentBytes);
    writeLine(new Uint8Array(buffer, sentBytes, bytes));
    sentBytes += bytes;
    account -= bytes;
  }
}

/** Puts a mark of the program's own into the recording. */
export const mark: (id: number) => void = recorderMark;
