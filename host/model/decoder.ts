/**
 * The decoder: bytes of a line in, telemetry events and text out, every loss counted. Imports no Node.
 *
 * Two steps. `TelemetryDecoder` finds frames (frame-reader.ts), keeps the sequence and accounts for what is missing;
 * `FrameDecoder` turns one frame's body into calls. A recording stores bodies, and plays them through the same steps.
 *
 * Invariants
 *   D1  a frame says all that its records need: after a loss the next frame decodes completely
 *   D2  frames heard + frames lost = frames made by the board, once a COUNTERS frame arrived after both
 *   D3  a body that is malformed although its checksum holds delivers nothing beyond the malformed place, and is counted
 */
import {
  EVENTS_OVERHEAD_MASK,
  EVENTS_SAMPLED,
  FRAME_COUNTERS,
  FRAME_ENGINE,
  FRAME_EVENTS,
  FRAME_HELLO,
  FRAME_MAP,
  FREE_NEAR_BIAS,
  HEAD_BYTES,
  HELLO_BOOT,
  LONG_SIZE_VARINT,
  LONG_SIZES,
  MAP_COMPLETE,
  MAP_ESCAPE,
  MAP_FIRST,
  MAP_FREE,
  MAP_KIND_CONTROL,
  MAP_KIND_FREE,
  MAP_KIND_LIVE,
  MAP_LAST,
  PLACE_VARINT,
  RECENT_ENTRIES,
  RECORD_FAILED,
  RECORD_FREE,
  RECORD_FREE_FAR,
  RECORD_FREE_FURTHER,
  RECORD_FREE_NEAR,
  RECORD_FREE_RECENT,
  RECORD_MALLOC_PREDICTED,
  RECORD_MARK,
  RECORD_MEMALIGN,
  RECORD_MISUSE,
  RECORD_MOVED,
  RECORD_REALLOC_IN_PLACE,
  RECORD_REALLOC_PREDICTED,
  RECORD_SITE,
  RECORD_SLACK,
  RECORD_UNRECORDED,
  RECORD_USABLE,
  SHORT_SIZES,
  SITE_ENTRIES,
  SIZE_VARINT,
  WIRE_VERSION,
} from '../../firmware/wire/format.ts';
import type { TelemetryListener } from './events.ts';
import { FrameReader, type FrameSink } from './frame-reader.ts';

/** What was heard so far, and what was not. */
export interface LineStatistics {
  bytes: number;
  textBytes: number;
  frames: number;
  /** Records inside the frames heard: operations, failures, misuse, marks. */
  records: number;
  lostFrames: number;
  /** Records in the frames that were lost, as far as the frames after them say. */
  lostRecords: number;
  /** Operations that the board itself did not record: no room, or a lower level, as far as its event frames say. */
  unrecorded: number;
  damagedBytes: number;
  damagedRuns: number;
  /** Frames of a version or type that this decoder does not know. */
  unknownFrames: number;
  /** Sound frames with a body that makes no sense. */
  malformedFrames: number;
  duplicateFrames: number;
  restarts: number;
}

const MAX_VARINT_BYTES = 5;
/** The recorder sends larger or senseless values as this. */
const MOST_AMOUNT = 0x7ffffff;

/** What a decoder must remember to go on from a checkpoint. Numbers only, for JSON. */
export interface DecoderState {
  statistics: LineStatistics;
  sequence: number;
  record: number;
  missing: number;
  atMs: number;
  countedFrames: number;
  countedHere: number;
  lastBody: number[];
  /** The beginning of a frame that was not complete. */
  pending: number[];
}

/** Decodes frame bodies; knows nothing of the line. */
export class FrameDecoder {
  readonly #listener: TelemetryListener;
  readonly statistics: LineStatistics;
  readonly #recent = new Uint16Array(RECENT_ENTRIES);
  readonly #sites = new Uint16Array(SITE_ENTRIES);
  #body: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  /** True when a field was cut off by the frame's end or is out of range. */
  #malformed = false;
  #bump = 0;
  #lastMade = 0;
  #downward = false;
  #lastFreed = 0;
  #atMs = 0;
  /** -1 until the first frame. */
  #sequence = -1;
  /** Frames missing that no frame with a record number has accounted for yet. */
  #missing = 0;
  /** Number of the next record modulo 65536; -1 when unknown. */
  #record = -1;
  /** CRC-less copy of the last frame's identity, to drop frames that the line duplicated. */
  #lastBody: Uint8Array = new Uint8Array(0);
  /** The board's count of frames at the last COUNTERS frame, with what was heard and lost then. */
  #countedFrames = -1;
  #countedHere = 0;

  constructor(listener: TelemetryListener, statistics: LineStatistics) {
    this.#listener = listener;
    this.statistics = statistics;
  }

  /** body[0..length) is length, type, sequence, payload, with a checksum that held. */
  frame(body: Uint8Array, length: number): void {
    const type = body[1]! & 0x1f;
    const sequence = body[2]!;
    if (body[1]! >> 5 !== WIRE_VERSION || type === 0 || type > FRAME_ENGINE) {
      this.statistics.unknownFrames++;
      return;
    }
    if (this.#isDuplicate(body, length)) {
      this.statistics.duplicateFrames++;
      return;
    }
    this.#body = body;
    this.#at = HEAD_BYTES;
    this.#end = length;
    this.#malformed = false;
    this.statistics.frames++;
    const boot = type === FRAME_HELLO && (body[HEAD_BYTES]! & HELLO_BOOT) !== 0;
    if (boot) this.#restart();
    const missing = this.#sequence < 0 ? 0 : (sequence - this.#sequence) & 0xff;
    this.#sequence = (sequence + 1) & 0xff;
    this.#missing += missing;
    if (type === FRAME_EVENTS) this.#events();
    else if (type === FRAME_MAP) this.#map();
    else if (type === FRAME_HELLO) this.#hello(boot);
    else if (type === FRAME_COUNTERS) this.#counters();
    else if (type === FRAME_ENGINE) this.#engine();
    else this.#postMortem();
    if (this.#malformed) this.statistics.malformedFrames++;
  }

  save(): Omit<DecoderState, 'pending' | 'statistics'> {
    return {
      sequence: this.#sequence,
      record: this.#record,
      missing: this.#missing,
      atMs: this.#atMs,
      countedFrames: this.#countedFrames,
      countedHere: this.#countedHere,
      lastBody: [...this.#lastBody],
    };
  }

  restore(state: DecoderState): void {
    this.#sequence = state.sequence;
    this.#record = state.record;
    this.#missing = state.missing;
    this.#atMs = state.atMs;
    this.#countedFrames = state.countedFrames;
    this.#countedHere = state.countedHere;
    this.#lastBody = Uint8Array.from(state.lastBody);
  }

  #isDuplicate(body: Uint8Array, length: number): boolean {
    const last = this.#lastBody;
    let same = last.length === length && ((body[2]! + 1) & 0xff) === this.#sequence;
    for (let i = 0; same && i < length; i++) same = last[i] === body[i];
    if (!same) this.#lastBody = body.slice(0, length);
    return same;
  }

  #restart(): void {
    if (this.#sequence >= 0) this.statistics.restarts++;
    this.#sequence = -1;
    this.#record = 0;
    this.#missing = 0;
    this.#countedFrames = 0;
    this.#countedHere = this.statistics.frames - 1 + this.statistics.lostFrames;
  }

  #lost(frames: number, records: number | null): void {
    this.statistics.lostFrames += frames;
    if (records === null) this.#record = -1;
    else this.statistics.lostRecords += records;
    this.#listener.lost?.(frames, records);
  }

  /** Accounts for missing frames at a frame that says how many records came before it. */
  #accountFor(record: number): void {
    const missing = this.#missing;
    this.#missing = 0;
    const records = this.#record < 0 ? null : (record - this.#record) & 0xffff;
    if (missing > 0 || (records !== null && records > 0)) this.#lost(missing, records);
    this.#record = record;
  }

  #byte(): number {
    if (this.#at < this.#end) return this.#body[this.#at++]!;
    this.#malformed = true;
    return 0;
  }

  #u16(): number {
    return this.#byte() | (this.#byte() << 8);
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    this.#malformed = true;
    return 0;
  }

  /** A varint of a record: nothing that a record names is larger. */
  #amount(): number {
    const value = this.#varint();
    if (value <= MOST_AMOUNT) return value;
    this.#malformed = true;
    return 0;
  }

  #time16(): number {
    // Signed: a frame of events is stamped when it is begun, and may be sent behind one with a later stamp.
    this.#atMs += ((this.#u16() - this.#atMs) << 16) >> 16;
    return this.#atMs;
  }

  /** Four bytes of the board's clock; the unwrapped time follows it, and starts over with a restart. */
  #time32(): number {
    const low = (this.#u16() + this.#u16() * 0x10000) >>> 0;
    this.#atMs = low;
    return low;
  }

  #remember(granule: number): number {
    this.#recent[granule & (RECENT_ENTRIES - 1)] = granule;
    return granule;
  }

  #place(): number {
    const byte = this.#byte();
    if (byte < RECENT_ENTRIES) return this.#recent[byte]!;
    if (byte < PLACE_VARINT) return ((byte - RECENT_ENTRIES) << 8) | this.#byte();
    return this.#amount();
  }

  #events(): void {
    const flags = this.#byte();
    const atMs = this.#time16();
    this.#accountFor(this.#u16());
    const overhead = flags & EVENTS_OVERHEAD_MASK;
    const sampled = (flags & EVENTS_SAMPLED) !== 0;
    this.#recent.fill(0);
    this.#sites.fill(0);
    this.#bump = 0;
    this.#lastMade = 0;
    this.#downward = false;
    this.#lastFreed = 0;
    this.#listener.eventsBegin?.(atMs, sampled, overhead);
    let records = 0;
    while (this.#at < this.#end && !this.#malformed) {
      this.#readRecord(overhead);
      records++;
    }
    if (this.#malformed) records--;
    this.statistics.records += records;
    this.#record = (this.#record + records) & 0xffff;
    this.#listener.eventsEnd?.();
  }

  #readRecord(overhead: number): void {
    let code = this.#byte();
    let site = -1;
    let slack = 0;
    let usable = -1;
    if (code === RECORD_SITE) {
      site = this.#amount();
      code = this.#byte();
    }
    if (code >= RECORD_SLACK && code < RECORD_FREE_FAR) {
      slack = code - RECORD_SLACK + 1;
      code = this.#byte();
    } else if (code === RECORD_USABLE) {
      usable = this.#amount();
      code = this.#byte();
    }
    if (this.#malformed) return;
    if (code < RECORD_FREE_RECENT) {
      const size = this.#shortSize(code & 0x3f);
      this.#allocated(size, 8, usable, slack, site, overhead, (code & RECORD_MALLOC_PREDICTED) !== 0);
    } else if (code < RECORD_FREE) {
      this.#freed(this.#recent[code & (RECENT_ENTRIES - 1)]!);
    } else if (code < RECORD_SLACK) {
      this.#freedFar(((code & 0x1f) << 8) | this.#byte());
    } else this.#readRareRecord(code, site, slack, usable, overhead);
  }

  #shortSize(bits: number): number {
    if (bits < SHORT_SIZES) return bits;
    if (bits < SIZE_VARINT) return SHORT_SIZES + ((bits - SHORT_SIZES) << 8) + this.#byte();
    return this.#amount();
  }

  #longSize(): number {
    const byte = this.#byte();
    if (byte < LONG_SIZES) return byte;
    if (byte < LONG_SIZE_VARINT) return LONG_SIZES + ((byte - LONG_SIZES) << 8) + this.#byte();
    return this.#amount();
  }

  #readRareRecord(code: number, site: number, slack: number, usable: number, overhead: number): void {
    const listener = this.#listener;
    if (code === RECORD_FREE_FAR) this.#freedFar(this.#u16());
    else if (code === RECORD_FREE_FURTHER) this.#freedFar(this.#amount());
    else if (code === RECORD_FREE_NEAR) this.#freedFar(this.#lastFreed + this.#byte() - FREE_NEAR_BIAS);
    else if (code >= RECORD_REALLOC_IN_PLACE && code <= RECORD_REALLOC_PREDICTED) {
      const old = this.#remember(this.#place());
      const size = this.#longSize();
      const held = this.#usableOf(size, usable, slack, overhead);
      const predicted = code === RECORD_REALLOC_PREDICTED;
      const at = code === RECORD_REALLOC_IN_PLACE ? old : this.#placed(held, overhead, predicted);
      this.#settled(at, held, overhead);
      const from = this.#siteOf(site, held, overhead);
      if (!this.#malformed) listener.realloc?.(old * 8, at * 8, size, held, from);
    } else if (code === RECORD_MEMALIGN) {
      const alignment = 1 << (this.#byte() & 31);
      this.#allocated(this.#amount(), alignment, usable, slack, site, overhead, false);
    } else if (code === RECORD_FAILED) {
      const alignment = 1 << (this.#byte() & 31);
      const size = this.#amount();
      const offset = this.#amount() * 8;
      if (!this.#malformed) listener.failure?.(size, alignment, offset, Math.max(site, 0));
    } else if (code === RECORD_MISUSE) {
      const misuse = this.#byte();
      const offset = this.#amount();
      if (!this.#malformed) listener.misuse?.(offset, misuse, Math.max(site, 0));
    } else if (code === RECORD_UNRECORDED) {
      const operations = this.#amount();
      if (this.#malformed) return;
      this.statistics.unrecorded += operations;
      listener.unrecorded?.(operations);
    } else if (code === RECORD_MARK) {
      const id = this.#amount();
      if (!this.#malformed) listener.mark?.(id);
    } else if (code === RECORD_MOVED) {
      const from = this.#remember(this.#place());
      const to = this.#remember(this.#place());
      if (!this.#malformed) listener.moved?.(from * 8, to * 8);
    } else this.#malformed = true;
  }

  #usableOf(size: number, usable: number, slack: number, overhead: number): number {
    if (usable >= 0) return usable;
    return (((size + overhead + 7) >>> 3) + slack) * 8 - overhead;
  }

  /** The site of a block's record: given, or the last one given for a block of this size in the frame. */
  #siteOf(site: number, usable: number, overhead: number): number {
    const entry = ((usable + overhead) >> 3) & (SITE_ENTRIES - 1);
    if (site >= 0) this.#sites[entry] = site;
    return site >= 0 ? site : this.#sites[entry]!;
  }

  #settled(granule: number, usable: number, overhead: number): void {
    this.#remember(granule);
    this.#lastMade = granule;
    this.#bump = granule + ((usable + overhead + 7) >> 3);
  }

  /** Where a block was made: where the last ones lead one to expect, or where the record says. */
  #placed(usable: number, overhead: number, predicted: boolean): number {
    const below = this.#lastMade - ((usable + overhead + 7) >> 3);
    if (predicted) return this.#downward ? below : this.#bump;
    const granule = this.#place();
    if (granule === (this.#downward ? this.#bump : below)) this.#downward = !this.#downward;
    return granule;
  }

  #allocated(
    size: number,
    alignment: number,
    usable: number,
    slack: number,
    site: number,
    overhead: number,
    predicted: boolean,
  ): void {
    const held = this.#usableOf(size, usable, slack, overhead);
    const granule = alignment === 8 ? this.#placed(held, overhead, predicted) : this.#place();
    this.#settled(granule, held, overhead);
    const from = this.#siteOf(site, held, overhead);
    if (!this.#malformed) this.#listener.malloc?.(granule * 8, size, held, from, alignment);
  }

  #freedFar(granule: number): void {
    // A near free counts from the one before it; below the arena's start there is nothing.
    if (granule < 0) this.#malformed = true;
    if (this.#malformed) return;
    this.#lastFreed = granule;
    this.#freed(granule);
  }

  #freed(granule: number): void {
    this.#remember(granule);
    if (!this.#malformed) this.#listener.free?.(granule * 8);
  }

  #map(): void {
    const flags = this.#byte();
    const atMs = this.#time16();
    const record = this.#u16();
    const headerBytes = this.#byte();
    const startBlock = this.#amount();
    const kinds: number[] = [];
    const sizes: number[] = [];
    let endBlock = startBlock;
    while (this.#at < this.#end && !this.#malformed) {
      const entry = this.#byte();
      let kind = entry < MAP_FREE ? MAP_KIND_LIVE : MAP_KIND_FREE;
      let bytes = (entry < MAP_FREE ? entry : entry - MAP_FREE + 1) * 8;
      if (entry === MAP_ESCAPE) {
        kind = this.#byte();
        bytes = this.#amount();
      }
      if (kind > MAP_KIND_CONTROL || bytes === 0) this.#malformed = true;
      if (this.#malformed) break;
      kinds.push(kind);
      sizes.push(bytes);
      endBlock += bytes;
    }
    this.#accountFor(record);
    if (this.#malformed) return;
    const first = (flags & MAP_FIRST) !== 0;
    const last = (flags & MAP_LAST) !== 0;
    const complete = (flags & MAP_COMPLETE) !== 0;
    this.#listener.map?.({ first, last, complete, atMs, record, startBlock, endBlock, headerBytes, kinds, sizes });
  }

  #hello(boot: boolean): void {
    this.#byte();
    const atMs = this.#time32();
    const hello = {
      boot,
      atMs,
      policy: this.#byte(),
      level: this.#byte(),
      arenaBytes: this.#amount(),
      clockHz: this.#amount() * 1000,
      bundleId: (this.#u16() + this.#u16() * 0x10000) >>> 0,
      firstBlock: this.#amount(),
      headerBytes: this.#byte(),
    };
    if (!this.#malformed) this.#listener.hello?.(hello);
  }

  #counters(): void {
    const atMs = this.#time32();
    const counters = {
      atMs,
      level: this.#byte(),
      operations: this.#varint(),
      records: this.#varint(),
      dropped: this.#varint(),
      skipped: this.#varint(),
      frames: this.#varint(),
      liveBytes: this.#varint(),
      peakLiveBytes: this.#varint(),
      liveBlocks: this.#varint(),
      freeBytes: this.#varint(),
      largestFreeBytes: this.#varint(),
      failures: this.#varint(),
      misuses: this.#varint(),
    };
    if (this.#malformed) return;
    this.#accountFor(counters.records & 0xffff);
    this.#reconcile(counters.frames);
    this.#record = counters.records & 0xffff;
    this.#listener.counters?.(counters);
  }

  /** The board's own count of frames finds what the 8-bit sequence cannot: gaps of 256 frames and more. */
  #reconcile(frames: number): void {
    const here = this.statistics.frames - 1 + this.statistics.lostFrames;
    if (this.#countedFrames >= 0) {
      const missing = frames - this.#countedFrames - (here - this.#countedHere);
      if (missing > 0 && missing % 256 === 0) this.#lost(missing, null);
    }
    this.#countedFrames = frames;
    this.#countedHere = this.statistics.frames - 1 + this.statistics.lostFrames;
  }

  #engine(): void {
    const sample = {
      atMs: this.#time32(),
      unitBytes: this.#byte(),
      used: this.#amount(),
      total: this.#amount(),
      own: this.#amount(),
      samples: this.#amount(),
    };
    if (!this.#malformed) this.#listener.engine?.(sample);
  }

  #postMortem(): void {
    const report = {
      atMs: this.#time32(),
      alignment: 1 << (this.#byte() & 31),
      size: this.#varint(),
      site: this.#varint(),
      liveBytes: this.#varint(),
      peakLiveBytes: this.#varint(),
      freeBytes: this.#varint(),
      largestFreeBytes: this.#varint(),
      failures: this.#varint(),
    };
    if (!this.#malformed) this.#listener.postMortem?.(report);
  }
}

/** The whole way from a line's bytes to a listener. */
export class TelemetryDecoder {
  readonly statistics: LineStatistics = {
    bytes: 0,
    textBytes: 0,
    frames: 0,
    records: 0,
    lostFrames: 0,
    lostRecords: 0,
    unrecorded: 0,
    damagedBytes: 0,
    damagedRuns: 0,
    unknownFrames: 0,
    malformedFrames: 0,
    duplicateFrames: 0,
    restarts: 0,
  };
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
