/**
 * Finds frames in a stream of bytes: text and noise around them, chunks of any size, starting anywhere.
 *
 * Invariants
 *   R1  a frame whose bytes all arrived is delivered, whatever came before it: a delimiter always starts over
 *   R2  memory is bounded by the longest frame
 *   R3  every byte is accounted for: in a frame, text, damaged, or dropped flow control
 */

import {
  CRC_BYTES,
  DELIMITER,
  HEAD_BYTES,
  MAX_BODY_BYTES,
  MAX_PAYLOAD_BYTES,
  MAX_RUN_BYTES,
  XOFF,
  XON,
} from '../../firmware/wire/format.ts';
import { crc16 } from '../../firmware/wire/frame.ts';

export interface FrameSink {
  /** body[0..length) is length, type, sequence and payload; valid until the call returns. */
  frame(body: Uint8Array, length: number): void;
  text(bytes: Uint8Array): void;
  /** Bytes of something that began like a frame and was not a sound one. */
  damaged(bytes: number): void;
}

const RESERVED = [DELIMITER, XON, XOFF] as const;
/** Group index of a code byte; reserved values never get here. */
const GROUP_INDEX = Uint8Array.from({ length: 256 }, (_, code) => (code < 17 ? code - 1 : code === 18 ? 16 : code - 3));
const FULL_RUN = 3 * MAX_RUN_BYTES;

export class FrameReader {
  readonly #sink: FrameSink;
  readonly #body = new Uint8Array(MAX_BODY_BYTES);
  #inFrame = false;
  #filled = 0;
  /** Bytes the body will have, from its first byte on. */
  #wanted = MAX_BODY_BYTES;
  /** Bytes taken from the line since the delimiter. */
  #taken = 0;
  /** What was taken, so that a checkpoint can hold a frame that is not complete yet. */
  readonly #raw: number[] = [];
  /** Literals left in the group. */
  #run = 0;
  /** Reserved byte that ends the group, -1 for none. */
  #pending = -1;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  push(bytes: Uint8Array): void {
    const length = bytes.length;
    let textFrom = 0;
    for (let at = 0; at < length; at++) {
      const byte = bytes[at]!;
      if (byte === DELIMITER) {
        if (this.#inFrame) this.#abandon();
        else this.#text(bytes, textFrom, at);
        this.#begin();
        continue;
      }
      if (!this.#inFrame) continue;
      this.#taken++;
      this.#raw.push(byte);
      if (byte === XON || byte === XOFF) continue;
      if (this.#run > 0) {
        this.#run--;
        this.#put(byte);
      } else {
        // A code byte: the group before it is complete, and its reserved byte was real.
        if (this.#pending >= 0) this.#put(this.#pending);
        if (this.#inFrame) {
          const index = GROUP_INDEX[byte]!;
          this.#run = (index / 3) | 0;
          this.#pending = index === FULL_RUN ? -1 : RESERVED[index % 3]!;
        }
      }
      // A body that ends in a reserved byte has no further group to wait for.
      if (this.#inFrame && this.#run === 0 && this.#pending >= 0 && this.#filled === this.#wanted - 1) {
        this.#put(this.#pending);
      }
      if (!this.#inFrame) textFrom = at + 1;
    }
    if (!this.#inFrame) this.#text(bytes, textFrom, length);
  }

  /** Bytes of a frame that has begun and is not complete: to be pushed first by whoever goes on from here. */
  pending(): number[] {
    return this.#inFrame ? [DELIMITER, ...this.#raw] : [];
  }

  /** The stream is over: what was begun will not be completed. */
  end(): void {
    if (this.#inFrame) this.#abandon();
  }

  #begin(): void {
    this.#inFrame = true;
    this.#filled = 0;
    this.#wanted = MAX_BODY_BYTES;
    this.#taken = 0;
    this.#raw.length = 0;
    this.#run = 0;
    this.#pending = -1;
  }

  #put(byte: number): void {
    this.#body[this.#filled++] = byte;
    if (this.#filled === 1) {
      if (byte > MAX_PAYLOAD_BYTES) this.#abandon();
      else this.#wanted = HEAD_BYTES + byte + CRC_BYTES;
    } else if (this.#filled === this.#wanted) {
      // The remainder of a body and its checksum is 0.
      if (crc16(this.#body, 0, this.#filled, 0) === 0) {
        this.#inFrame = false;
        this.#sink.frame(this.#body, this.#filled - CRC_BYTES);
      } else this.#abandon();
    }
  }

  #abandon(): void {
    this.#inFrame = false;
    // The delimiter itself counts.
    this.#sink.damaged(this.#taken + 1);
  }

  #text(bytes: Uint8Array, from: number, to: number): void {
    if (to <= from) return;
    const text = bytes.subarray(from, to);
    this.#sink.text(
      text.includes(XON) || text.includes(XOFF) ? text.filter((byte) => byte !== XON && byte !== XOFF) : text,
    );
  }
}
