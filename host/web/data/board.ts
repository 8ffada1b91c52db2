/**
 * One board as the page knows it: a recording that is played as far as it is there, and followed while it grows. Live
 * line, file and own port are the same to it. The page holds a session's figures, never its events.
 *
 * Whatever text a board, a file or a line brings is made harmless here (`visible`), before anyone shows it.
 */
import * as v from 'valibot';
import { HeapModel } from '../../model/heap-model.ts';
import {
  KIND_CHECKPOINT,
  KIND_LINE,
  KIND_MARK,
  KIND_SITES,
  MAGIC,
  type RecordingHeader,
} from '../../recording/format.ts';
import { parsed, SitesSchema } from '../../recording/record-json.ts';
import { visible } from '../../view/escape.ts';
import type { ByteSource } from './byte-source.ts';
import { LoggedSession } from './logged-session.ts';
import { Past } from './past.ts';
import { headerOf, isRecording, PIECE_BYTES, type RecordingRecord, RecordReader } from './record-reader.ts';

/** The page stays alive while a long recording is played: it draws and listens this often. */
const LONGEST_TURN_MS = 12;
const LINE_HEAD_BYTES = 8;
const NAME_CHARACTERS = 120;
const REASON_CHARACTERS = 200;

const MarkSchema = v.object({ text: v.string() });

export type LineState = 'connecting' | 'live' | 'lost' | 'ended';

/** What is shown: now, or a moment of the past. */
export interface Moment {
  model: HeapModel;
  elapsedMs: number;
  isPast: boolean;
}

export interface BoardOptions {
  /** Bytes that the source holds now, where that is known: for the progress. */
  totalBytes?: number;
  /** True while the source can still grow. */
  isLive: boolean;
  onMark?: () => void;
  /** The reader closed the board's view. */
  onClose?: () => void;
}

export class Board {
  readonly source: ByteSource;
  readonly session: LoggedSession;
  readonly isLive: boolean;
  readonly totalBytes: number | null;
  /** Bytes of the recording played so far. */
  playedBytes = 0;
  header: RecordingHeader | null = null;
  program: string | null = null;
  state: LineState;
  /** Why the line is lost, or why the file ends early. */
  reason: string | null = null;
  /** Something changed; set by who shows the board. */
  onChange: () => void = () => {};
  /** All that is there was played; for who writes a recording at the same time. */
  onCaughtUp: () => void = () => {};
  readonly mark: (() => void) | null;
  readonly #onClose: (() => void) | null;
  #past: Past | null = null;
  #shown: Moment | null = null;
  #wantedMs: number | null = null;
  #isSeeking = false;
  #isTravelling = false;
  readonly #names = new Map<number, Map<string, string>>();
  #isClosed = false;

  constructor(source: ByteSource, { totalBytes, isLive, onMark, onClose }: BoardOptions) {
    this.source = source;
    this.isLive = isLive;
    this.totalBytes = totalBytes ?? null;
    this.state = isLive ? 'connecting' : 'live';
    this.mark = onMark ?? null;
    this.#onClose = onClose ?? null;
    this.session = new LoggedSession({
      source: source.name,
      siteName: (site, bundleId) =>
        this.#names.get(bundleId)?.get(String(site)) ?? this.#names.get(0)?.get(String(site)),
    });
  }

  /** What the panels draw. */
  get moment(): Moment {
    return this.#shown ?? { model: this.session.model, elapsedMs: this.session.elapsedMs, isPast: false };
  }

  setState(state: LineState, why: string | null): void {
    const reason = why === null ? null : visible(why, REASON_CHARACTERS);
    if (state === 'lost' && this.state !== 'lost')
      this.session.note('loss', `the line is lost: ${reason ?? 'no reason'}`);
    if (state === 'live' && this.state === 'lost') this.session.note('loss', 'the line is back');
    this.state = state;
    this.reason = reason;
    this.onChange();
  }

  /** Plays the source to its end, which for a live one is when the line is closed. */
  async follow(): Promise<void> {
    const magic = await this.source.read(0, MAGIC.length);
    if (!isRecording(magic)) throw new Error(`${this.source.name} is not a Heapglass recording.`);
    const reader = new RecordReader(MAGIC.length);
    let turnEndsMs = performance.now() + LONGEST_TURN_MS;
    while (!reader.isBroken && !this.#isClosed) {
      const bytes = await this.source.read(reader.wanted, PIECE_BYTES);
      if (bytes.length === 0) break;
      for (const record of reader.push(bytes)) {
        this.#play(record);
        this.playedBytes = record.next;
        if (performance.now() > turnEndsMs) {
          this.onChange();
          await new Promise((resolve) => setTimeout(resolve));
          turnEndsMs = performance.now() + LONGEST_TURN_MS;
        }
      }
      this.onChange();
      this.onCaughtUp();
    }
    if (this.#isClosed) return;
    const cut = reader.isBroken
      ? `The recording is damaged after byte ${this.playedBytes}: what is before it is shown.`
      : reader.pendingBytes > 0
        ? `The recording was cut: ${reader.pendingBytes} bytes at its end are no whole record.`
        : null;
    this.setState('ended', cut);
  }

  close(): void {
    this.#isClosed = true;
    this.onChange = () => {};
    this.#onClose?.();
  }

  /** Shows the heap as it was; the latest wish wins. */
  travelTo(elapsedMs: number): void {
    this.#wantedMs = Math.max(0, Math.min(elapsedMs, this.session.elapsedMs));
    this.#isTravelling = true;
    void this.#seek();
  }

  /** Holds this moment while the line goes on. */
  pause(): void {
    const { model } = this.session;
    this.#isTravelling = false;
    const held = new HeapModel();
    held.restore(model.save());
    this.#shown = { model: held, elapsedMs: this.session.elapsedMs, isPast: true };
    this.onChange();
  }

  toLive(): void {
    this.#isTravelling = false;
    this.#wantedMs = null;
    this.#shown = null;
    this.onChange();
  }

  async #seek(): Promise<void> {
    if (this.#isSeeking || this.#past === null) return;
    this.#isSeeking = true;
    try {
      while (this.#wantedMs !== null) {
        const elapsedMs = this.#wantedMs;
        this.#wantedMs = null;
        const model = await this.#past.at(elapsedMs, this.playedBytes);
        // Meanwhile the reader may have gone back to now.
        if (!this.#isTravelling) return;
        this.#shown = { model, elapsedMs, isPast: true };
        this.onChange();
      }
    } finally {
      this.#isSeeking = false;
    }
  }

  #play(record: RecordingRecord): void {
    const { session } = this;
    if (this.header === null) {
      this.header = headerOf(record);
      if (this.header === null) throw new Error(`${this.source.name} has no sound header.`);
      this.program = this.header.program === undefined ? null : visible(this.header.program, NAME_CHARACTERS);
      if (this.header.sites) this.#keepNames(0, this.header.sites);
      this.#past = new Past(this.source, record.next);
      if (this.state === 'connecting') this.state = 'live';
    } else if (record.kind === KIND_LINE && record.payload.length >= LINE_HEAD_BYTES) {
      this.#past?.line(record.position, session.elapsedMs, session.model.atMs);
      session.push(record.payload.subarray(LINE_HEAD_BYTES));
    } else if (record.kind === KIND_CHECKPOINT) this.#past?.checkpoint(record.position);
    else if (record.kind === KIND_MARK) {
      const mark = parsed(MarkSchema, record.payload);
      if (mark) session.userMark(visible(mark.text, NAME_CHARACTERS));
    } else if (record.kind === KIND_SITES) {
      const table = parsed(SitesSchema, record.payload);
      if (table) {
        this.program = visible(table.program, NAME_CHARACTERS);
        this.#keepNames(table.bundleId, table.sites);
      }
    }
  }

  #keepNames(bundleId: number, sites: Readonly<Record<string, string>>): void {
    const names = Object.entries(sites).map(([site, name]) => [site, visible(name, NAME_CHARACTERS)] as const);
    this.#names.set(bundleId, new Map(names));
  }
}
