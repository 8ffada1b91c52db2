/**
 * One board being watched: bytes of the line in, scenes out. Decoder, heap model and series in one place, so that the
 * demo, the monitor, a recording and the page show the same. What a scene's figures are is in figures.ts.
 *
 * Everything from the board is counted or shown, never trusted: text is escaped where it is drawn (view/escape.ts), the
 * model is bounded, and what was lost is said.
 */

import { policyNameOf } from '../../firmware/src/policies/index.ts';
import { LEVEL_EVENTS } from '../../firmware/wire/format.ts';
import { answersOf } from '../answers/answers.ts';
import { LeakWatch } from '../answers/leaks.ts';
import { misuseText, namesBlocksSite } from '../answers/misuse-words.ts';
import { OPERATION_FREE, OPERATION_MALLOC, OPERATION_REALLOC, PostMortemWatch } from '../answers/post-mortem.ts';
import { TelemetryDecoder } from '../model/decoder.ts';
import type {
  Counters,
  EngineSample,
  Hello,
  MapChunk,
  PostMortem,
  RegionsReport,
  TelemetryListener,
} from '../model/events.ts';
import { HeapModel } from '../model/heap-model.ts';
import { regionRows } from '../model/regions.ts';
import { PrintedLines } from '../view/escape.ts';
import type { Figures, LineFigures, MarkRow, Scene, SceneState } from '../view/scene.ts';
import { Timeline } from '../view/timeline.ts';
import { bytesText, durationText } from '../view/units.ts';
import { figuresOf, lineFiguresOf, siteRows, toldFigures, walkMap } from './figures.ts';
import { LineRates } from './line-rates.ts';
import { LifetimeTotals } from './totals.ts';

export interface SessionOptions {
  /** Where the bytes come from, for the title. */
  source: string;
  /** What runs, where it is known. */
  program?: string;
  /** A site's source line; undefined when it is not known. The bundle's id is what the board said, 0 before that. */
  siteName?: (site: number, bundleId: number) => string | undefined;
  /** Called with each line that the program or the REPL printed, without prompts, control characters made visible. */
  onText?: (line: string) => void;
  /** Called with each sound frame's body, before it is decoded: for a recording. */
  onFrame?: (body: Uint8Array, length: number) => void;
}

/** A message stays this long on the board's clock. */
const MESSAGE_MS = 5000;
/** What is wrong is worked out this often. */
const JUDGE_MS = 1000;
/** With this many bytes and no frame among them, the line is said to be noise. */
const NOISE_BYTES = 256;
/** Of more marks the latest are kept: a program may mark as often as it likes. */
const MOST_MARKS = 256;

/** What Espruino prints when its variables are used up; JerryScript stops without a word. */
const ENGINE_OUT_OF_MEMORY = /OUT OF MEMORY|LOW_MEMORY/;

/** A request of the heap that got nothing, with what was free then. */
export interface UnmetRequest {
  /** In words: `malloc(106)`. */
  asked: string;
  /** Where it was made; null when the board did not say. */
  place: string | null;
  freeBytes: number;
  largestFreeBytes: number;
  /** The figures are those of the board's last sweep, not of that moment. */
  isSwept: boolean;
}

export class Session implements TelemetryListener {
  readonly model = new HeapModel();
  readonly timeline = new Timeline();
  readonly leaks = new LeakWatch();
  readonly decoder: TelemetryDecoder;
  private readonly options: SessionOptions;
  private readonly textDecoder = new TextDecoder();
  private readonly printed = new PrintedLines((line) => {
    if (ENGINE_OUT_OF_MEMORY.test(line)) this.engineFailure ??= line.trim();
    this.options.onText?.(line);
  });
  private startMs: number | null = null;
  private latestMs = 0;
  private readonly rates = new LineRates();
  private message: { text: string; untilMs: number } | null = null;
  private gapFromMs: number | null = null;
  private readonly marks: MarkRow[] = [];
  private userMarks = 0;
  private judged: { atMs: number; said: string[] } | null = null;
  /** Counted on over restarts of the board. */
  readonly totals = new LifetimeTotals();
  markCount = 0;
  private readonly mortem = new PostMortemWatch();
  postMortems = 0;
  /** The engine's own words for having run out of memory, the first it said; null while it said none. */
  engineFailure: string | null = null;
  lastUnmet: UnmetRequest | null = null;

  constructor(options: SessionOptions) {
    this.options = options;
    this.decoder = new TelemetryDecoder(this, options.onFrame);
  }

  push(bytes: Uint8Array): void {
    this.decoder.push(bytes);
  }

  text(bytes: Uint8Array): void {
    this.printed.push(this.textDecoder.decode(bytes, { stream: true }));
  }

  hello(hello: Hello): void {
    if (hello.boot) this.totals.bank(this.model, (site) => this.siteName(site));
    this.model.hello(hello);
    if (hello.boot && this.startMs !== null) {
      // The board was reset and starts its clock anew: the series goes on where it was.
      this.startMs = hello.atMs - this.elapsedMs;
      this.latestMs = hello.atMs;
    }
    this.at(hello.atMs);
    this.sample();
  }

  eventsBegin(atMs: number, sampled: boolean, overheadBytes: number): void {
    this.at(atMs);
    this.model.eventsBegin(atMs, sampled, overheadBytes);
  }

  eventsEnd(): void {
    this.model.eventsEnd();
    this.leaks.observe(this.model);
    this.sample();
  }

  malloc(offset: number, size: number, usable: number, site: number, alignment: number): void {
    this.model.malloc(offset, size, usable, site, alignment);
    this.mortem.operation(OPERATION_MALLOC, size, site);
  }

  free(offset: number): void {
    this.model.free(offset);
    this.mortem.operation(OPERATION_FREE, offset, 0);
  }

  realloc(offset: number, newOffset: number, size: number, usable: number, site: number): void {
    this.model.realloc(offset, newOffset, size, usable, site);
    this.mortem.operation(OPERATION_REALLOC, size, site);
  }

  failure(size: number, alignment: number, offset: number, site: number): void {
    this.model.failure(size, alignment, offset, site);
    this.mortem.failed(this.model, this.elapsedMs, size, offset, site);
    const { freeBytes, largestFreeBytes } = this.model.metrics();
    const asked = offset === 0 ? `malloc(${size})` : `realloc to ${size}`;
    this.unmetRequest(asked, site, { freeBytes, largestFreeBytes }, false);
    this.say(`${asked} failed${this.from(site)}: ${bytesText(freeBytes)} free, largest ${bytesText(largestFreeBytes)}`);
  }

  misuse(offset: number, code: number, site: number): void {
    this.model.misuse();
    this.say(`${misuseText(code, offset)}${namesBlocksSite(code) ? this.ownedBy(site) : this.from(site)}`);
  }

  packed(from: number, until: number, to: number): void {
    this.model.packed(from, until, to);
  }

  mark(id: number): void {
    this.addMark(`mark ${id}`, 'program');
  }

  /** A mark of who watches, at this moment. Without a text it is numbered. Returns its text. */
  setMark(text = `my mark ${++this.userMarks}`): string {
    this.addMark(text, 'user');
    return text;
  }

  unrecorded(operations: number): void {
    this.model.unrecorded(operations);
    this.gapFromMs ??= this.latestMs;
    this.say(`the board dropped ${operations} events: its line was full`);
  }

  map(chunk: MapChunk): void {
    this.at(chunk.atMs);
    this.model.map(chunk);
    this.sample();
  }

  counters(counters: Counters): void {
    this.at(counters.atMs);
    this.totals.counters(this.model, counters);
    this.model.counters(counters);
    // A board that sends no events tells what is live itself, and its sweeps what is free: they are the series then.
    if (!this.model.exact && counters.level < LEVEL_EVENTS && toldFigures(counters) !== null) {
      this.addSample({ ...this.model.metrics(), liveBytes: counters.liveBytes });
    }
  }

  postMortem(report: PostMortem): void {
    this.at(report.atMs);
    this.postMortems++;
    // Where the map is exact the failed request was told with it. The board's own figures are those of its last sweep.
    if (this.model.exact) return;
    const { size, site, freeBytes, largestFreeBytes } = report;
    // Told with the events as well, it was told with the map of its moment.
    if (this.lastUnmet?.isSwept ?? true) this.unmetRequest(`a request of ${bytesText(size)}`, site, report, true);
    const swept = `${bytesText(freeBytes)} free, largest ${bytesText(largestFreeBytes)} at its last sweep`;
    this.say(`a request of ${bytesText(size)}${this.from(site)} failed; ${swept}`);
  }

  engine(sample: EngineSample): void {
    this.at(sample.atMs);
    this.model.engine(sample);
  }

  regions(report: RegionsReport): void {
    this.at(report.atMs);
    this.model.regions(report);
    this.sample();
  }

  lost(frames: number, records: number | null): void {
    this.model.lost(frames, records);
    this.gapFromMs ??= this.latestMs;
    this.say(`${frames} frames were lost${records === null ? '' : ` with ${records} events`}`);
  }

  /** Words for the last row; shown for five seconds of the board's time. */
  say(text: string): void {
    this.message = { text, untilMs: this.latestMs + MESSAGE_MS };
  }

  /** Board time heard last, since the session began. */
  get elapsedMs(): number {
    return this.startMs === null ? 0 : this.latestMs - this.startMs;
  }

  /** What a line that brought bytes but no frame should be called; null while there is no such doubt. */
  get noise(): string | null {
    const { bytes, frames, textBytes } = this.decoder.statistics;
    if (frames > 0 || bytes < NOISE_BYTES) return null;
    return textBytes > bytes * 0.9
      ? `${bytesText(bytes)} came, all of it text: the program sends no telemetry`
      : `${bytesText(bytes)} came, none of it telemetry or text: another baud rate, another protocol, or a broken line`;
  }

  /** Attached to a board that runs already: what comes before its next hello. */
  private get untold(): string | null {
    const waits = this.model.arenaBytes === 0 && this.decoder.statistics.frames > 0;
    return waits ? 'telemetry comes; the board says which heap it has every 5 s' : null;
  }

  siteName(site: number): string {
    return (
      this.options.siteName?.(site, this.model.lastHello?.bundleId ?? 0) ?? (site === 0 ? 'unknown' : `site ${site}`)
    );
  }

  /** Leaks, forecast and fragmentation, in words; looked at anew once a second of the board's time. */
  answers(): string[] {
    if (this.judged === null || Math.abs(this.latestMs - this.judged.atMs) >= JUDGE_MS) {
      const story = this.mortem.story((site) => (site === 0 ? 'no site' : this.siteName(site)));
      const said = this.answersAt(this.model);
      this.judged = { atMs: this.latestMs, said: story === null ? said : [...said, story] };
    }
    return this.judged.said;
  }

  /** What was to be said at the moment of `model`, which may be a past one of this session; without the post-mortem. */
  answersAt(model: HeapModel): string[] {
    return answersOf(this.leaks, model, (site) => this.siteName(site));
  }

  scene(state: SceneState): Scene {
    const { model } = this;
    const known = model.arenaBytes > 0;
    return {
      source: this.options.source,
      program: this.options.program ?? '',
      policy: model.lastHello ? (policyNameOf(model.lastHello.policy) ?? `policy ${model.lastHello.policy}`) : null,
      state: state === 'live' && !known ? 'waiting' : state,
      atMs: this.elapsedMs,
      clock: 'time',
      arenaBytes: known ? model.arenaBytes : null,
      exact: model.exact,
      figures: known ? this.figures() : null,
      walk: (visit) => walkMap(model, visit),
      regions: regionRows(model),
      series: this.timeline.points(1024),
      histogram: model.histogram
        .classes()
        .map(({ toBytes, blocks }) => ({ upToBytes: toBytes - 1, liveBlocks: blocks })),
      sites: siteRows(model, (site) => this.siteName(site)),
      line: this.line(),
      engine: model.engineHeap.figures(),
      marks: [...this.marks],
      answers: () => this.answers(),
      message:
        this.message !== null && this.latestMs <= this.message.untilMs
          ? this.message.text
          : (this.noise ?? this.untold),
    };
  }

  figures(): Figures {
    return figuresOf(this.model);
  }

  line(): LineFigures {
    return lineFiguresOf(this.decoder.statistics, this.rates, this.model);
  }

  private addMark(text: string, by: MarkRow['by']): void {
    const { liveBytes, liveBlocks } = this.model;
    this.marks.push({ atMs: this.elapsedMs, text, by, liveBytes, liveBlocks });
    this.markCount++;
    if (this.marks.length > MOST_MARKS) this.marks.shift();
    this.say(`${text} at ${durationText(this.elapsedMs)}`);
  }

  private ownedBy(site: number): string {
    return site === 0 ? '' : `, block of ${this.siteName(site)}`;
  }

  private unmetRequest(
    asked: string,
    site: number,
    { freeBytes, largestFreeBytes }: Pick<Figures, 'freeBytes' | 'largestFreeBytes'>,
    isSwept: boolean,
  ): void {
    const place = site === 0 ? null : this.siteName(site);
    this.lastUnmet = { asked, place, freeBytes, largestFreeBytes, isSwept };
  }

  private from(site: number): string {
    return site === 0 ? '' : ` at ${this.siteName(site)}`;
  }

  private at(atMs: number): void {
    this.startMs ??= atMs;
    // Frames are stamped when they are begun and sent when they are full: a stamp may lie a little before the last one.
    this.latestMs = Math.max(this.latestMs, atMs);
    this.rates.hear(this.elapsedMs, this.decoder.statistics);
  }

  private sample(): void {
    if (this.model.arenaBytes === 0) return;
    if (this.model.exact) this.addSample(this.model.metrics());
  }

  private addSample(
    figures: Pick<Figures, 'liveBytes' | 'peakLiveBytes' | 'largestFreeBytes' | 'externalFragmentation'>,
  ) {
    if (this.gapFromMs !== null) {
      this.timeline.gap(Math.max(0, this.gapFromMs - this.startMs!), this.elapsedMs);
      this.gapFromMs = null;
    }
    this.timeline.add(this.elapsedMs, figures);
  }
}
