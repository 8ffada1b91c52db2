/**
 * The decoder: bytes of a line in, telemetry events and text out, every loss counted. Imports no Node.
 *
 * Two steps: frames are found in the bytes (frame-reader.ts), and each frame's body becomes calls (frame-decoder.ts, which
 * accounts for what is missing). A recording stores bodies, and plays them through the same steps.
 *
 * Invariants
 *   D1  a frame says all that its records need: after a loss the next frame decodes completely
 *   D2  frames heard + frames lost = frames made by the board, once a COUNTERS frame arrived after both
 *   D3  a body that is malformed although its checksum holds delivers nothing beyond the malformed place, and is counted
 */
import type { TelemetryListener } from './events.ts';
import { FrameDecoder, type FrameDecoderState } from './frame-decoder.ts';
import { FrameReader, type FrameSink } from './frame-reader.ts';
import { type LineStatistics, noStatistics } from './line-statistics.ts';

/** What a decoder must remember to go on from a checkpoint. Numbers only, for JSON. */
export interface DecoderState extends FrameDecoderState {
  statistics: LineStatistics;
  /** The beginning of a frame that was not complete. */
  pending: number[];
}

/** The whole way from a line's bytes to a listener. */
export class TelemetryDecoder {
  readonly statistics: LineStatistics = noStatistics();
  readonly #reader: FrameReader;
  readonly #frames: FrameDecoder;

  /** `onFrame` sees each sound frame's body before it is decoded: what a recording keeps. */
  constructor(listener: TelemetryListener, onFrame?: (body: Uint8Array, length: number) => void) {
    const statistics = this.statistics;
    const frames = new FrameDecoder(listener, statistics);
    this.#frames = frames;
    const sink: FrameSink = {
      frame(body, length) {
        onFrame?.(body, length);
        frames.frame(body, length);
      },
      text(bytes) {
        statistics.textBytes += bytes.length;
        listener.text?.(bytes);
      },
      damaged(bytes) {
        statistics.damagedBytes += bytes;
        statistics.damagedRuns++;
        listener.damaged?.(bytes);
      },
    };
    this.#reader = new FrameReader(sink);
  }

  /** Takes bytes as they come from the line, in chunks of any size. */
  push(bytes: Uint8Array): void {
    this.statistics.bytes += bytes.length;
    this.#reader.push(bytes);
  }

  /** All that `restore` needs to go on here. */
  save(): DecoderState {
    return { ...this.#frames.save(), statistics: { ...this.statistics }, pending: this.#reader.pending() };
  }

  /** Goes on where another decoder stood. */
  restore(state: DecoderState): void {
    Object.assign(this.statistics, state.statistics);
    this.#frames.restore(state);
    this.#reader.push(Uint8Array.from(state.pending));
  }

  /** The line is closed. */
  end(): void {
    this.#reader.end();
  }
}
