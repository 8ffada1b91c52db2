/**
 * The records of an EVENTS frame, in the order of docs/wire-format.md. The tables that records refer to are the frame's
 * own: they start empty, so that a frame is decoded wholly whatever was lost before it (D1 of decoder.ts).
 */
import {
  FREE_NEAR_BIAS,
  LONG_SIZE_VARINT,
  LONG_SIZES,
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
  RECORD_PACKED,
  RECORD_REALLOC_IN_PLACE,
  RECORD_REALLOC_PREDICTED,
  RECORD_SITE,
  RECORD_SLACK,
  RECORD_UNRECORDED,
  RECORD_USABLE,
  SHORT_SIZES,
  SITE_ENTRIES,
  SIZE_VARINT,
} from '../../firmware/wire/format.ts';
import type { BodyReader } from './body-reader.ts';
import type { TelemetryListener } from './events.ts';
import type { LineStatistics } from './line-statistics.ts';

export class RecordDecoder {
  readonly #in: BodyReader;
  readonly #listener: TelemetryListener;
  readonly #statistics: LineStatistics;
  readonly #recent = new Uint16Array(RECENT_ENTRIES);
  readonly #sites = new Uint16Array(SITE_ENTRIES);
  #bump = 0;
  #lastMade = 0;
  #downward = false;
  #lastFreed = 0;

  constructor(reader: BodyReader, listener: TelemetryListener, statistics: LineStatistics) {
    this.#in = reader;
    this.#listener = listener;
    this.#statistics = statistics;
  }

  /** Reads records to the frame's end; returns how many there were. `overhead`: a block's bytes beyond the usable ones. */
  read(overhead: number): number {
    this.#recent.fill(0);
    this.#sites.fill(0);
    this.#bump = 0;
    this.#lastMade = 0;
    this.#downward = false;
    this.#lastFreed = 0;
    let records = 0;
    while (this.#in.hasMore()) {
      this.#readRecord(overhead);
      records++;
    }
    return this.#in.malformed ? records - 1 : records;
  }

  #remember(granule: number): number {
    this.#recent[granule & (RECENT_ENTRIES - 1)] = granule;
    return granule;
  }

  #place(): number {
    const byte = this.#in.byte();
    if (byte < RECENT_ENTRIES) return this.#recent[byte]!;
    if (byte < PLACE_VARINT) return ((byte - RECENT_ENTRIES) << 8) | this.#in.byte();
    return this.#in.amount();
  }

  #readRecord(overhead: number): void {
    let code = this.#in.byte();
    let site = -1;
    let slack = 0;
    let usable = -1;
    if (code === RECORD_SITE) {
      site = this.#in.amount();
      code = this.#in.byte();
    }
    if (code >= RECORD_SLACK && code < RECORD_FREE_FAR) {
      slack = code - RECORD_SLACK + 1;
      code = this.#in.byte();
    } else if (code === RECORD_USABLE) {
      usable = this.#in.amount();
      code = this.#in.byte();
    }
    if (this.#in.malformed) return;
    if (code < RECORD_FREE_RECENT) {
      const size = this.#shortSize(code & 0x3f);
      this.#allocated(size, 8, usable, slack, site, overhead, (code & RECORD_MALLOC_PREDICTED) !== 0);
    } else if (code < RECORD_FREE) {
      this.#freed(this.#recent[code & (RECENT_ENTRIES - 1)]!);
    } else if (code < RECORD_SLACK) {
      this.#freedFar(((code & 0x1f) << 8) | this.#in.byte());
    } else this.#readRareRecord(code, site, slack, usable, overhead);
  }

  #shortSize(bits: number): number {
    if (bits < SHORT_SIZES) return bits;
    if (bits < SIZE_VARINT) return SHORT_SIZES + ((bits - SHORT_SIZES) << 8) + this.#in.byte();
    return this.#in.amount();
  }

  #longSize(): number {
    const byte = this.#in.byte();
    if (byte < LONG_SIZES) return byte;
    if (byte < LONG_SIZE_VARINT) return LONG_SIZES + ((byte - LONG_SIZES) << 8) + this.#in.byte();
    return this.#in.amount();
  }

  #readRareRecord(code: number, site: number, slack: number, usable: number, overhead: number): void {
    const listener = this.#listener;
    if (code === RECORD_FREE_FAR) this.#freedFar(this.#in.u16());
    else if (code === RECORD_FREE_FURTHER) this.#freedFar(this.#in.amount());
    else if (code === RECORD_FREE_NEAR) this.#freedFar(this.#lastFreed + this.#in.byte() - FREE_NEAR_BIAS);
    else if (code >= RECORD_REALLOC_IN_PLACE && code <= RECORD_REALLOC_PREDICTED) {
      const old = this.#remember(this.#place());
      const size = this.#longSize();
      const held = this.#usableOf(size, usable, slack, overhead);
      const predicted = code === RECORD_REALLOC_PREDICTED;
      const at = code === RECORD_REALLOC_IN_PLACE ? old : this.#placed(held, overhead, predicted);
      this.#settled(at, held, overhead);
      const from = this.#siteOf(site, held, overhead);
      if (!this.#in.malformed) listener.realloc?.(old * 8, at * 8, size, held, from);
    } else if (code === RECORD_MEMALIGN) {
      const alignment = 1 << (this.#in.byte() & 31);
      this.#allocated(this.#in.amount(), alignment, usable, slack, site, overhead, false);
    } else if (code === RECORD_FAILED) {
      const alignment = 1 << (this.#in.byte() & 31);
      const size = this.#in.amount();
      const offset = this.#in.amount() * 8;
      if (!this.#in.malformed) listener.failure?.(size, alignment, offset, Math.max(site, 0));
    } else if (code === RECORD_MISUSE) {
      const misuse = this.#in.byte();
      const offset = this.#in.amount();
      if (!this.#in.malformed) listener.misuse?.(offset, misuse, Math.max(site, 0));
    } else if (code === RECORD_UNRECORDED) {
      const operations = this.#in.amount();
      if (this.#in.malformed) return;
      this.#statistics.unrecorded += operations;
      listener.unrecorded?.(operations);
    } else if (code === RECORD_MARK) {
      const id = this.#in.amount();
      if (!this.#in.malformed) listener.mark?.(id);
    } else if (code === RECORD_PACKED) {
      const from = this.#place();
      const until = from + this.#in.amount();
      const to = this.#place();
      if (!this.#in.malformed) listener.packed?.(from * 8, until * 8, to * 8);
    } else this.#in.malformed = true;
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
    if (!this.#in.malformed) this.#listener.malloc?.(granule * 8, size, held, from, alignment);
  }

  #freedFar(granule: number): void {
    // A near free counts from the one before it; below the arena's start there is nothing.
    if (granule < 0) this.#in.malformed = true;
    if (this.#in.malformed) return;
    this.#lastFreed = granule;
    this.#freed(granule);
  }

  #freed(granule: number): void {
    this.#remember(granule);
    if (!this.#in.malformed) this.#listener.free?.(granule * 8);
  }
}
