/**
 * The live blocks of an arena by their address, as columns indexed by the granule of the payload, and the sums over them.
 * Imports no Node.
 *
 * Invariants
 *   M2  live bytes, blocks, the histogram and the sites' live figures are sums over the live blocks
 *   M4  memory is bounded by MAX_ARENA_BYTES, whatever a board claims
 */
import { SizeHistogram } from './histogram.ts';
import { SiteTable } from './sites.ts';

export const GRANULE_BYTES = 8;
/** Larger arenas exist on no board; a claim beyond it is damage. */
export const MAX_ARENA_BYTES = 1 << 24;
export const MAX_GRANULES = MAX_ARENA_BYTES / GRANULE_BYTES;

/** granule, usable, size, site, bornAt, bornMs, epoch of a block. */
type Row = [number, number, number, number, number, number, number];
const BLOCK_COLUMNS = 7;

export class LiveBlocks {
  readonly histogram = new SizeHistogram();
  readonly sites = new SiteTable();
  liveBytes = 0;
  liveBlocks = 0;
  peakLiveBytes = 0;
  /** Requested bytes over blocks whose request is known, and their usable bytes. */
  requestedBytes = 0;
  requestedUsable = 0;
  capacity = 0;
  /** By granule of the payload; 0 where no live block starts. */
  usable = new Int32Array(0);
  size = new Int32Array(0);
  site = new Int32Array(0);
  bornAt = new Float64Array(0);
  bornMs = new Float64Array(0);
  /** The model's: when the block was last confirmed. */
  epochs = new Uint32Array(0);
  /** One bit a granule: set where a live block starts, so that walks skip free memory quickly. */
  #starts = new Uint32Array(0);

  isLive(granule: number): boolean {
    return granule >= 0 && granule < this.capacity && this.usable[granule]! !== 0;
  }

  /** Makes room for at least this many granules, and for `expected` if that is more. */
  grow(granules: number, expected: number): void {
    const capacity = Math.min(MAX_GRANULES, Math.max(granules, expected, this.capacity * 2, 1024));
    const wider = <T extends Int32Array | Float64Array | Uint32Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.usable = wider(this.usable, new Int32Array(capacity));
    this.size = wider(this.size, new Int32Array(capacity));
    this.site = wider(this.site, new Int32Array(capacity));
    this.bornAt = wider(this.bornAt, new Float64Array(capacity));
    this.bornMs = wider(this.bornMs, new Float64Array(capacity));
    this.epochs = wider(this.epochs, new Uint32Array(capacity));
    this.#starts = wider(this.#starts, new Uint32Array((capacity + 31) >> 5));
    this.capacity = capacity;
  }

  /** A block at a granule within the capacity where none starts; what it covers is the caller's care. */
  insert(granule: number, size: number, usable: number, site: number, bornAt: number, bornMs: number): void {
    this.usable[granule] = usable;
    this.#starts[granule >> 5]! |= 1 << (granule & 31);
    this.size[granule] = size;
    this.site[granule] = site;
    this.bornAt[granule] = bornAt;
    this.bornMs[granule] = bornMs;
    this.liveBlocks++;
    this.liveBytes += usable;
    if (this.liveBytes > this.peakLiveBytes) this.peakLiveBytes = this.liveBytes;
    if (size >= 0) {
      this.requestedBytes += size;
      this.requestedUsable += usable;
    }
    this.histogram.add(usable);
  }

  remove(granule: number): void {
    const usable = this.usable[granule]!;
    const size = this.size[granule]!;
    this.usable[granule] = 0;
    this.#starts[granule >> 5]! &= ~(1 << (granule & 31));
    this.liveBlocks--;
    this.liveBytes -= usable;
    if (size >= 0) {
      this.requestedBytes -= size;
      this.requestedUsable -= usable;
    }
    this.histogram.remove(usable);
    this.sites.gone(this.site[granule]!, usable);
  }

  /**
   * Lays the blocks that begin in granules [from, until) one behind the other from `to` on, in the same order. Returns how many
   * granules those before `mark` take, and whether a block had no room or met another one; those are dropped. Those behind
   * `mark` get the epoch `beyond`, unless it is -1.
   */
  pack(from: number, until: number, to: number, mark: number, beyond: number): { behind: number; missing: boolean } {
    const blocks: Row[] = [];
    for (let granule = this.startFrom(from); granule >= 0 && granule < until; granule = this.startFrom(granule + 1)) {
      blocks.push(this.#row(granule));
      this.remove(granule);
    }
    let behind = 0;
    let missing = false;
    let at = to;
    for (const [granule, usable, size, site, bornAt, bornMs, epoch] of blocks) {
      const end = at + ((usable + 7) >> 3);
      const met = end > this.capacity ? at : this.startFrom(at);
      if (at > 0 && (met < 0 || met >= end)) {
        this.insert(at, size, usable, site, bornAt, bornMs);
        this.epochs[at] = beyond < 0 || granule < mark ? epoch : beyond;
        this.sites.adopted(usable, site);
      } else missing = true;
      if (granule < mark) behind = end - to;
      at = end;
    }
    return { behind, missing };
  }

  /** The first live block's granule from `granule` on, -1 when there is none. */
  startFrom(granule: number): number {
    const starts = this.#starts;
    let word = granule >> 5;
    if (word >= starts.length) return -1;
    let bits = starts[word]! & (-1 << (granule & 31));
    while (bits === 0) {
      if (++word >= starts.length) return -1;
      bits = starts[word]!;
    }
    return (word << 5) + 31 - Math.clz32(bits & -bits);
  }

  /** The last live block's granule before `granule`, -1 when there is none. */
  startBefore(granule: number): number {
    let word = granule >> 5;
    let bits = this.#starts[word]! & ((1 << (granule & 31)) - 1);
    while (bits === 0 && word > 0) bits = this.#starts[--word]!;
    return bits === 0 ? -1 : (word << 5) + 31 - Math.clz32(bits);
  }

  clear(): void {
    this.usable.fill(0);
    this.#starts.fill(0);
    this.histogram.clear();
    this.sites.clear();
    this.liveBytes = this.liveBlocks = this.peakLiveBytes = 0;
    this.requestedBytes = this.requestedUsable = 0;
  }

  /** Rows of BLOCK_COLUMNS numbers, for JSON. */
  save(): number[] {
    const rows: number[] = [];
    for (let granule = this.startFrom(0); granule >= 0; granule = this.startFrom(granule + 1)) {
      rows.push(...this.#row(granule));
    }
    return rows;
  }

  #row(granule: number): Row {
    return [
      granule,
      this.usable[granule]!,
      this.size[granule]!,
      this.site[granule]!,
      this.bornAt[granule]!,
      this.bornMs[granule]!,
      this.epochs[granule]!,
    ];
  }

  /** Puts saved blocks back, after `clear`; `expected` granules as in `grow`. Sites and peak are the caller's to restore. */
  restore(rows: readonly number[], expected: number): void {
    for (let i = 0; i < rows.length; i += BLOCK_COLUMNS) {
      const granule = rows[i]!;
      if (granule <= 0 || granule >= MAX_GRANULES) continue;
      if (granule >= this.capacity) this.grow(granule + 1, expected);
      this.insert(granule, rows[i + 2]!, rows[i + 1]!, rows[i + 3]!, rows[i + 4]!, rows[i + 5]!);
      this.epochs[granule] = rows[i + 6]!;
    }
  }
}
