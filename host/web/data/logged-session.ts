/**
 * A session that also remembers what happened, moment by moment, for the page's list of events: failed requests with
 * their post-mortem, misuse, losses, resets, marks. Bounded: of more events the latest are kept, and the rest counted.
 */
import type { Hello, PostMortem } from '../../model/events.ts';
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

const MOST_EVENTS = 500;
const MISUSES = ['misuse', 'a wild address', 'no live block', 'a damaged block'] as const;

export class LoggedSession extends Session {
  readonly log: LoggedEvent[] = [];
  /** Events that the list no longer holds. */
  forgotten = 0;
  /** The latest report of a failed request by the board itself. */
  lastPostMortem: (PostMortem & { elapsedMs: number }) | null = null;

  override hello(hello: Hello): void {
    const isReset = hello.boot && this.model.lastHello !== null;
    super.hello(hello);
    if (isReset) this.#add('reset', 'the board was reset: its heap begins anew');
  }

  override failure(size: number, alignment: number, offset: number, site: number): void {
    super.failure(size, alignment, offset, site);
    const { freeBytes, largestFreeBytes } = this.model.metrics();
    const asked = offset === 0 ? `request of ${bytesText(size)}` : `realloc to ${bytesText(size)}`;
    const at = site === 0 ? '' : ` at ${this.siteName(site)}`;
    this.#add(
      'failure',
      `${asked}${at} failed: ${bytesText(freeBytes)} free, the largest block ${bytesText(largestFreeBytes)}`,
    );
  }

  override misuse(offset: number, code: number, site: number): void {
    super.misuse(offset, code, site);
    const at = site === 0 ? '' : ` at ${this.siteName(site)}`;
    this.#add('misuse', `free or realloc${at} of 0x${offset.toString(16)}: ${MISUSES[code] ?? `code ${code}`}`);
  }

  override postMortem(report: PostMortem): void {
    super.postMortem(report);
    this.lastPostMortem = { ...report, elapsedMs: this.elapsedMs };
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
