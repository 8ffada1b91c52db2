/**
 * What happened on a board since the session began, counted on over restarts of the board and losses of the line: the heap
 * model and the board's own counters start at 0 with each boot, a fleet's counters must not.
 *
 * Invariant
 *   T1  no total ever falls while the session lasts
 */
import type { Counters } from '../model/events.ts';
import type { HeapModel } from '../model/heap-model.ts';
import { labelText } from '../view/escape.ts';

const TOTALS = ['operations', 'mallocs', 'reallocs', 'frees', 'failures', 'misuses', 'dropped', 'skipped'] as const;

export type Totals = Record<(typeof TOTALS)[number], number>;

export interface SiteMade {
  blocks: number;
  bytes: number;
}

/** Names of sites a board may have; what it makes beyond them is counted together. */
const MOST_SITES = 128;
export const OTHER_SITES = 'other sites';

function totalsOf(model: HeapModel): Totals {
  const told = model.lastCounters;
  return {
    operations: Math.max(model.operations, told?.operations ?? 0),
    mallocs: model.mallocs,
    reallocs: model.reallocs,
    frees: model.frees,
    failures: Math.max(model.failures, told?.failures ?? 0),
    misuses: Math.max(model.misuses, told?.misuses ?? 0),
    dropped: told?.dropped ?? 0,
    skipped: told?.skipped ?? 0,
  };
}

export class LifetimeTotals {
  readonly #banked: Totals = Object.fromEntries(TOTALS.map((name) => [name, 0])) as Totals;
  readonly #names = new Set<string>();
  readonly #bankedSites = new Map<string, SiteMade>();
  /** The highest values given so far: T1 holds whatever a board claims. */
  readonly #last: Totals = { ...this.#banked };

  /** The model is about to start over. */
  bank(model: HeapModel, nameOf: (site: number) => string): void {
    const now = totalsOf(model);
    for (const name of TOTALS) this.#banked[name] += now[name];
    for (const [name, { blocks, bytes }] of this.#sites(model, nameOf))
      this.#addSite(this.#bankedSites, name, blocks, bytes);
  }

  /** Before the model hears new counters: they fell where a restart was not heard, and what was counted before is kept. */
  counters(model: HeapModel, now: Counters): void {
    const before = model.lastCounters;
    if (before === null || now.operations >= before.operations) return;
    // The model goes on with what it heard of these; the rest is banked.
    for (const name of ['operations', 'failures', 'misuses'] as const) {
      this.#banked[name] += Math.max(0, before[name] - model[name]);
    }
    this.#banked.dropped += before.dropped;
    this.#banked.skipped += before.skipped;
  }

  read(model: HeapModel): Totals {
    const now = totalsOf(model);
    for (const name of TOTALS) this.#last[name] = Math.max(this.#last[name], this.#banked[name] + now[name]);
    return { ...this.#last };
  }

  /** Blocks and bytes ever made, by the name of the call site. */
  sites(model: HeapModel, nameOf: (site: number) => string): Map<string, SiteMade> {
    const all = new Map([...this.#bankedSites].map(([name, made]) => [name, { ...made }]));
    for (const [name, { blocks, bytes }] of this.#sites(model, nameOf)) this.#addSite(all, name, blocks, bytes);
    return all;
  }

  #sites(model: HeapModel, nameOf: (site: number) => string): [string, SiteMade][] {
    return model.sites.list().map(({ site, made, madeBytes }) => [nameOf(site), { blocks: made, bytes: madeBytes }]);
  }

  #addSite(to: Map<string, SiteMade>, name: string, blocks: number, bytes: number): void {
    const known = this.shownName(name);
    const own = to.get(known);
    if (own === undefined) to.set(known, { blocks, bytes });
    else {
      own.blocks += blocks;
      own.bytes += bytes;
    }
  }

  /**
   * The name under which a site is counted: its own, as far as a label can show it, for the first MOST_SITES that were
   * seen. Names that look alike are one.
   */
  shownName(site: string): string {
    const name = labelText(site);
    if (!this.#names.has(name)) {
      if (this.#names.size >= MOST_SITES) return OTHER_SITES;
      this.#names.add(name);
    }
    return name;
  }
}
