/** How much a line carries: records and bytes a second, over the last second heard of the board's clock. */
interface Heard {
  atMs: number;
  records: number;
  bytes: number;
}

/** Rates are of the last second heard. */
const RATE_MS = 1000;

export class LineRates {
  private heard: Heard[] = [];

  /** What has come so far, records and bytes since the session began, at a moment of the board's clock. */
  hear(atMs: number, { records, bytes }: { records: number; bytes: number }): void {
    this.heard.push({ atMs, records, bytes });
    while (this.heard.length > 2 && atMs - this.heard[0]!.atMs > RATE_MS) this.heard.shift();
  }

  get recordsPerSecond(): number {
    return this.perSecond('records');
  }

  get bytesPerSecond(): number {
    return this.perSecond('bytes');
  }

  private perSecond(what: 'records' | 'bytes'): number {
    const first = this.heard[0];
    const last = this.heard.at(-1);
    if (!first || !last || last.atMs <= first.atMs) return 0;
    return ((last[what] - first[what]) * 1000) / (last.atMs - first.atMs);
  }
}
