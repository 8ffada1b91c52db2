/**
 * The ring of frames: those that are finished and wait for the line, and the one that is being written.
 *
 *   ring   [ sealed ][ sealed ][ open ->  ][        ]
 *            ^ first             ^ openAt
 *
 * A slot holds a frame's body before its checksum: length, type, sequence, payload (docs/wire-format.md). Who opens a
 * frame keeps the place of the next byte itself, because that is the hottest variable of the device's telemetry.
 *
 * Invariant
 *   W2  frames leave in the order in which they were sealed, with consecutive sequence numbers
 */
import { HEAD_BYTES, MAX_PAYLOAD_BYTES, WIRE_VERSION } from '../../wire/format.ts';
import { encodeFrame } from '../../wire/frame.ts';

export const FRAME_BYTES = HEAD_BYTES + MAX_PAYLOAD_BYTES;

export let ring = new Uint8Array(0);
/** Frames that wait for the line. */
export let sealed = 0;
/** Start of the open frame in the ring, -1 when there is none. */
export let openAt = -1;
/** Frames sealed so far. */
export let frames = 0;
/** Before this there is nothing to send: `recorderDrain` need not be called. */
export let idleUntilMs = 0;

let ringFrames = 0;
let first = 0;
let sequence = 0;

/** An empty ring of `slots` frames. */
export function startRing(slots: number): void {
  ringFrames = slots;
  ring = new Uint8Array(slots * FRAME_BYTES);
  first = sealed = sequence = frames = 0;
  openAt = -1;
}

/** True when one more frame leaves no slot for records. */
export function isNearlyFull(): boolean {
  return sealed + 1 >= ringFrames;
}

/** Opens a frame of `type` after the sealed ones. Returns where its payload begins; 0 when the ring is full. */
export function openFrame(type: number): number {
  if (sealed >= ringFrames) return 0;
  let slot = first + sealed;
  if (slot >= ringFrames) slot -= ringFrames;
  openAt = slot * FRAME_BYTES;
  ring[openAt + 1] = (WIRE_VERSION << 5) | type;
  return openAt + HEAD_BYTES;
}

/** Takes the open frame back. */
export function dropFrame(): void {
  openAt = -1;
}

/** Seals the open frame, whose payload ends at `end`; the drain takes it from here. */
export function sealFrame(end: number): void {
  ring[openAt] = end - openAt - HEAD_BYTES;
  ring[openAt + 2] = sequence;
  sequence = (sequence + 1) & 0xff;
  frames++;
  sealed++;
  idleUntilMs = 0;
  openAt = -1;
}

/** Writes the first sealed frame to `out` as the line carries it, and returns its length. There is one. */
export function takeFrame(out: Uint8Array): number {
  const from = first * FRAME_BYTES;
  const length = encodeFrame(ring, from, HEAD_BYTES + ring[from]!, out);
  first = first + 1 === ringFrames ? 0 : first + 1;
  sealed--;
  return length;
}

export function setIdleUntil(ms: number): void {
  idleUntilMs = ms;
}
