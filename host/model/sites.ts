/**
 * Totals by call site. A site is a small integer that the source map of the flashed bundle turns into a line; 0 holds
 * what has no site. A board can claim any number, so the table is bounded: sites beyond it are counted under 0.
 */

const MAX_SITES = 4096;

export interface SiteTotals {
  site: number;
  /** Blocks ever made here (a realloc makes one and ends one). */
  made: number;
  madeBytes: number;
  liveBlocks: number;
  liveBytes: number;
  peakLiveBytes: number;
  failures: number;
}

export class SiteTable {
  readonly #totals = new Map<number, SiteTotals>();
  #last: SiteTotals | null = null;

  /** A block was made: by an operation of this site. */
  made(site: number, usable: number): void {
    const totals = this.#of(site);
    totals.made++;
    totals.madeBytes += usable;
    totals.liveBlocks++;
    totals.liveBytes += usable;
    if (totals.liveBytes > totals.peakLiveBytes) totals.peakLiveBytes = totals.liveBytes;
  }

  /** A block was found by a sweep, its maker unknown; or one of `site` is there again, at another place. */
  adopted(usable: number, site = 0): void {
    const totals = this.#of(site);
    totals.liveBlocks++;
    totals.liveBytes += usable;
  }

  gone(site: number, usable: number): void {
    const totals = this.#of(site);
    totals.liveBlocks--;
    totals.liveBytes -= usable;
  }

  failed(site: number): void {
    this.#of(site).failures++;
  }

  clear(): void {
    this.#totals.clear();
    this.#last = null;
  }

  get(site: number): Readonly<SiteTotals> | undefined {
    return this.#totals.get(site);
  }

  /** Every site heard of, the one with the most live bytes first. */
  list(): SiteTotals[] {
    return [...this.#totals.values()].sort((a, b) => b.liveBytes - a.liveBytes || a.site - b.site);
  }

  restore(totals: readonly SiteTotals[]): void {
    this.clear();
    for (const entry of totals) this.#totals.set(entry.site, { ...entry });
  }

  #of(site: number): SiteTotals {
    if (this.#last !== null && this.#last.site === site) return this.#last;
    let totals = this.#totals.get(site);
    if (totals === undefined) {
      if (site !== 0 && this.#totals.size >= MAX_SITES) return this.#of(0);
      totals = { site, made: 0, madeBytes: 0, liveBlocks: 0, liveBytes: 0, peakLiveBytes: 0, failures: 0 };
      this.#totals.set(site, totals);
    }
    this.#last = totals;
    return totals;
  }
}
