/**
 * A session that also remembers what happened, moment by moment, for the page's list of events: failed requests with
 * their post-mortem, misuse, losses, resets, marks. Bounded: of more events the latest are kept, and the rest counted.
 */
import { misuseText, namesBlocksSite } from '../../answers/misuse-words.ts';
import type { Hello, PostMortem } from '../../model/events.ts';
import type { SiteTotals } from '../../model/sites.ts';
import { Session } from '../../monitor/session.ts';
import { bytesText, plural } from '../../view/units.ts';

export type LoggedKind = 'failure' | 'misuse' | 'loss' | 'reset' | 'mark';

export interface LoggedEvent {
  atMs: number;
  kind: LoggedKind;
  text: string;
  /** How many of the same in a row: a full heap fails again and again. */
  times: number;
}

export interface FailedRequest {
  elapsedMs: number;
  sizeBytes: number;
  site: number;
  freeBytes: number;
  largestFreeBytes: number;
  /** The site that held the most, and what it held; null when nothing was live. */
  holder: SiteTotals | null;
}

const MOST_EVENTS = 500;

export class LoggedSession extends Session {
  readonly log: LoggedEvent[] = [];
  /** Events that the list no longer holds. */
  forgotten = 0;
  /** The latest request that failed, and what was free then. */
  lastFailure: FailedRequest | null = null;

  override hello(hello: Hello): void {
    const isReset = hello.boot && this.model.lastHello !== null;
    super.hello(hello);
    if (isReset) this.#add('reset', 'the board was reset: its heap begins anew');
  }

  override failure(size: number, alignment: number, offset: number, site: number): void {
    super.failure(size, alignment, offset, site);
    const { freeBytes, largestFreeBytes } = this.model.metrics();
    this.#failed(size, site, freeBytes, largestFreeBytes);
    const asked = offset === 0 ? `request of ${bytesText(size)}` : `realloc to ${bytesText(size)}`;
    const at = site === 0 ? '' : ` at ${this.siteName(site)}`;
    this.#add(
      'failure',
      `${asked}${at} failed: ${bytesText(freeBytes)} free, the largest block ${bytesText(largestFreeBytes)}`,
    );
  }

  override misuse(offset: number, code: number, site: number): void {
    super.misuse(offset, code, site);
    const whose = site === 0 ? '' : ` (${namesBlocksSite(code) ? 'block of ' : ''}${this.siteName(site)})`;
    this.#add('misuse', `${misuseText(code, offset)}${whose}`);
  }

  override postMortem(report: PostMortem): void {
    super.postMortem(report);
    // Where the record itself was heard, the model knows better: the board's figures are as of its last sweep.
    if (this.model.exact && this.lastFailure !== null) return;
    this.#failed(report.size, report.site, report.freeBytes, report.largestFreeBytes);
    const at = report.site === 0 ? '' : ` at ${this.siteName(report.site)}`;
    this.#add('failure', `request of ${bytesText(report.size)}${at} failed: the board's own post-mortem`);
  }

  override unrecorded(operations: number): void {
    super.unrecorded(operations);
    this.#add('loss', `the board dropped ${plural(operations, 'event')}: its line was full`);
  }

  override lost(frames: number, records: number | null): void {
    super.lost(frames, records);
    this.#add(
      'loss',
      `${plural(frames, 'frame')} lost${records === null || records === 0 ? '' : ` with ${plural(records, 'event')}`}`,
    );
  }

  override mark(id: number): void {
    super.mark(id);
    this.#add('mark', `mark ${id} of the program`);
  }

  /** A mark of who watches, from the recording. */
  userMark(text: string): void {
    this.setMark(text);
    this.#add('mark', text);
  }

  /** Worth a line: the cable, the monitor. */
  note(kind: LoggedKind, text: string): void {
    this.#add(kind, text);
  }

  #failed(sizeBytes: number, site: number, freeBytes: number, largestFreeBytes: number): void {
    const [holder] = this.model.sites.list();
    const held = holder !== undefined && holder.liveBlocks > 0 ? { ...holder } : null;
    this.lastFailure = { elapsedMs: this.elapsedMs, sizeBytes, site, freeBytes, largestFreeBytes, holder: held };
  }

  #add(kind: LoggedKind, text: string): void {
    const last = this.log.at(-1);
    if (last !== undefined && last.kind === kind && last.text === text) {
      last.times++;
      return;
    }
    this.log.push({ atMs: this.elapsedMs, kind, text, times: 1 });
    if (this.log.length <= MOST_EVENTS) return;
    this.log.shift();
    this.forgotten++;
  }
}
