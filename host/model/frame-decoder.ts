/**
 * Frames in, calls out: one frame's body at a time, with a checksum that held. Keeps the sequence, and accounts for what is
 * missing; D1 to D3 of decoder.ts are kept here. The records inside EVENTS are record-decoder.ts's.
 */
import {
  EVENTS_OVERHEAD_MASK,
  EVENTS_SAMPLED,
  FRAME_COUNTERS,
  FRAME_ENGINE,
  FRAME_EVENTS,
  FRAME_HELLO,
  FRAME_MAP,
  FRAME_REGIONS,
  HEAD_BYTES,
  HELLO_BOOT,
  MAP_COMPLETE,
  MAP_ESCAPE,
  MAP_FIRST,
  MAP_FREE,
  MAP_KIND_BEYOND,
  MAP_KIND_FREE,
  MAP_KIND_LIVE,
  MAP_LAST,
  REGION_LARGE,
  REGION_PAGE_MASK,
  WIRE_VERSION,
} from '../../firmware/wire/format.ts';
import { BodyReader } from './body-reader.ts';
import type { TelemetryListener, ToldRegion } from './events.ts';
import type { LineStatistics } from './line-statistics.ts';
import { RecordDecoder } from './record-decoder.ts';

/** What a frame decoder must remember to go on from a checkpoint. Numbers only, for JSON. */
export interface FrameDecoderState {
  sequence: number;
  record: number;
  missing: number;
  atMs: number;
  countedFrames: number;
  countedHere: number;
  lastBody: number[];
}

/** Decodes frame bodies; knows nothing of the line. */
export class FrameDecoder {
  readonly #listener: TelemetryListener;
  readonly statistics: LineStatistics;
  readonly #in = new BodyReader();
  readonly #records: RecordDecoder;
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
    this.#records = new RecordDecoder(this.#in, listener, statistics);
  }

  /** body[0..length) is length, type, sequence, payload, with a checksum that held. */
  frame(body: Uint8Array, length: number): void {
    const type = body[1]! & 0x1f;
    const sequence = body[2]!;
    if (body[1]! >> 5 !== WIRE_VERSION || type === 0 || type > FRAME_REGIONS) {
      this.statistics.unknownFrames++;
      return;
    }
    if (this.#isDuplicate(body, length)) {
      this.statistics.duplicateFrames++;
      return;
    }
    this.#in.begin(body, HEAD_BYTES, length);
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
    else if (type === FRAME_REGIONS) this.#regions();
    else this.#postMortem();
    if (this.#in.malformed) this.statistics.malformedFrames++;
  }

  save(): FrameDecoderState {
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

  restore(state: FrameDecoderState): void {
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

  #time16(): number {
    // Signed: a frame of events is stamped when it is begun, and may be sent behind one with a later stamp.
    this.#atMs += ((this.#in.u16() - this.#atMs) << 16) >> 16;
    return this.#atMs;
  }

  /** Four bytes of the board's clock; the unwrapped time follows it, and starts over with a restart. */
  #time32(): number {
    this.#atMs = this.#in.u32();
    return this.#atMs;
  }

  #events(): void {
    const flags = this.#in.byte();
    const atMs = this.#time16();
    this.#accountFor(this.#in.u16());
    const overhead = flags & EVENTS_OVERHEAD_MASK;
    const sampled = (flags & EVENTS_SAMPLED) !== 0;
    this.#listener.eventsBegin?.(atMs, sampled, overhead);
    const records = this.#records.read(overhead);
    this.statistics.records += records;
    this.#record = (this.#record + records) & 0xffff;
    this.#listener.eventsEnd?.();
  }

  #map(): void {
    const flags = this.#in.byte();
    const atMs = this.#time16();
    const record = this.#in.u16();
    const headerBytes = this.#in.byte();
    const startBlock = this.#in.amount();
    const kinds: number[] = [];
    const sizes: number[] = [];
    let endBlock = startBlock;
    while (this.#in.hasMore()) {
      const entry = this.#in.byte();
      let kind = entry < MAP_FREE ? MAP_KIND_LIVE : MAP_KIND_FREE;
      let bytes = (entry < MAP_FREE ? entry : entry - MAP_FREE + 1) * 8;
      if (entry === MAP_ESCAPE) {
        kind = this.#in.byte();
        bytes = this.#in.amount();
      }
      if (kind > MAP_KIND_BEYOND || bytes === 0) this.#in.malformed = true;
      if (this.#in.malformed) break;
      kinds.push(kind);
      sizes.push(bytes);
      endBlock += bytes;
    }
    this.#accountFor(record);
    if (this.#in.malformed) return;
    const first = (flags & MAP_FIRST) !== 0;
    const last = (flags & MAP_LAST) !== 0;
    const complete = (flags & MAP_COMPLETE) !== 0;
    this.#listener.map?.({ first, last, complete, atMs, record, startBlock, endBlock, headerBytes, kinds, sizes });
  }

  #hello(boot: boolean): void {
    this.#in.byte();
    const atMs = this.#time32();
    const hello = {
      boot,
      atMs,
      policy: this.#in.byte(),
      level: this.#in.byte(),
      arenaBytes: this.#in.amount(),
      clockHz: this.#in.amount() * 1000,
      bundleId: this.#in.u32(),
      firstBlock: this.#in.amount(),
      headerBytes: this.#in.byte(),
    };
    if (!this.#in.malformed) this.#listener.hello?.(hello);
  }

  #counters(): void {
    const atMs = this.#time32();
    const counters = {
      atMs,
      level: this.#in.byte(),
      operations: this.#in.varint(),
      records: this.#in.varint(),
      dropped: this.#in.varint(),
      skipped: this.#in.varint(),
      frames: this.#in.varint(),
      liveBytes: this.#in.varint(),
      peakLiveBytes: this.#in.varint(),
      liveBlocks: this.#in.varint(),
      freeBytes: this.#in.varint(),
      largestFreeBytes: this.#in.varint(),
      failures: this.#in.varint(),
      misuses: this.#in.varint(),
    };
    if (this.#in.malformed) return;
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
      unitBytes: this.#in.byte(),
      used: this.#in.amount(),
      total: this.#in.amount(),
      own: this.#in.amount(),
      samples: this.#in.amount(),
    };
    if (!this.#in.malformed) this.#listener.engine?.(sample);
  }

  #regions(): void {
    const atMs = this.#time32();
    const regions: ToldRegion[] = [];
    while (this.#in.hasMore()) {
      const kind = this.#in.byte();
      const bytes = this.#in.amount();
      const breakBytes = this.#in.amount();
      let name = '';
      for (let letters = this.#in.byte(); letters > 0; letters--) name += String.fromCharCode(this.#in.byte());
      const isLarge = (kind & REGION_LARGE) !== 0;
      regions.push({ name, bytes, breakBytes, isLarge, pageBytes: 2 ** (kind & REGION_PAGE_MASK) });
    }
    if (!this.#in.malformed) this.#listener.regions?.({ atMs, regions });
  }

  #postMortem(): void {
    const report = {
      atMs: this.#time32(),
      alignment: 1 << (this.#in.byte() & 31),
      size: this.#in.varint(),
      site: this.#in.varint(),
      liveBytes: this.#in.varint(),
      peakLiveBytes: this.#in.varint(),
      freeBytes: this.#in.varint(),
      largestFreeBytes: this.#in.varint(),
      failures: this.#in.varint(),
    };
    if (!this.#in.malformed) this.#listener.postMortem?.(report);
  }
}
