/** A board's view: all its panels, and when they are drawn. */

import { policyNameOf } from '../../../firmware/src/policies/index.ts';
import { visible } from '../../view/escape.ts';
import { bytesText, countText, percentText } from '../../view/units.ts';
import type { Board } from '../data/board.ts';
import { Answers } from './answers.ts';
import { onTheme } from './colours.ts';
import { el, setText } from './dom.ts';
import { EventsPanel } from './events.ts';
import { Figures } from './figures.ts';
import { HistogramPanel } from './histogram.ts';
import { LinePanel } from './line.ts';
import { MapPanel } from './map/map-panel.ts';
import { isSwept } from './map/words.ts';
import { Scrubber } from './scrubber.ts';
import { SeriesPanel } from './series.ts';
import { SitesPanel } from './sites.ts';

const FRAME_MS = 50;
const CALM_FRAME_MS = 500;
/** Tables, verdicts and series: as often as one can read. */
const SLOW_MS = 250;
const TITLE_CHARACTERS = 80;

const STATES = { connecting: 'waiting', live: 'live', lost: 'line lost', ended: 'ended' } as const;

export class BoardView {
  readonly root: HTMLElement;
  readonly board: Board;
  readonly scrubber: Scrubber;
  readonly #title = el('h2');
  readonly #facts = el('p', { class: 'facts' });
  readonly #state = el('span', { class: 'state', role: 'status' });
  readonly #progress = el('progress', { 'aria-label': 'Reading the recording', max: '1', hidden: true });
  readonly #figures = new Figures();
  readonly #answers = new Answers();
  readonly #map: MapPanel;
  readonly #series: SeriesPanel;
  readonly #sites: SitesPanel;
  readonly #sizes = new HistogramPanel();
  readonly #events: EventsPanel;
  readonly #line = new LinePanel();
  #isDue = false;
  #drawnMs = 0;
  #slowMs = 0;
  #wasPast = false;
  #slowTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(board: Board, onClose: (() => void) | null) {
    this.board = board;
    const changed = () => this.#due(true);
    this.#map = new MapPanel(board, changed);
    this.#series = new SeriesPanel(board);
    this.#sites = new SitesPanel(
      board,
      (site) => {
        this.#map.site = site;
        changed();
      },
      changed,
    );
    this.#events = new EventsPanel(board);
    this.scrubber = new Scrubber(board);
    const save = el('button', { type: 'button', class: 'small', onclick: () => void this.#save() }, 'Save recording');
    const close = el('button', { type: 'button', class: 'small', onclick: () => onClose?.() }, 'Close');
    close.hidden = onClose === null;
    this.root = el(
      'article',
      { class: 'board' },
      el(
        'header',
        { class: 'board-head' },
        el('div', {}, this.#title, this.#facts),
        el('div', { class: 'controls' }, this.#state, save, close),
      ),
      this.#progress,
      this.#figures.root,
      this.#answers.root,
      el(
        'div',
        { class: 'panels' },
        el('div', { class: 'main' }, this.#map.root, this.#series.root, this.scrubber.root),
        el('div', { class: 'side' }, this.#sites.root, this.#events.root, this.#sizes.root, this.#line.root),
      ),
    );
    board.onChange = () => this.#due(false);
    onTheme(() => {
      this.#series.restyle();
      changed();
    });
    changed();
  }

  /** Draws soon; `atOnce` for what the reader did. */
  #due(atOnce: boolean): void {
    if (atOnce) {
      this.#drawnMs = 0;
      this.#slowMs = 0;
    }
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => this.#frame());
  }

  #frame(): void {
    const nowMs = performance.now();
    const everyMs = matchMedia('(prefers-reduced-motion: reduce)').matches ? CALM_FRAME_MS : FRAME_MS;
    const { isPast } = this.board.moment;
    // Now and then are not the same moment: all is drawn when one changes into the other.
    const isTurn = isPast !== this.#wasPast;
    if (!isTurn && nowMs - this.#drawnMs < everyMs) {
      setTimeout(() => requestAnimationFrame(() => this.#frame()), everyMs - (nowMs - this.#drawnMs));
      return;
    }
    this.#isDue = false;
    this.#wasPast = isPast;
    this.#drawnMs = nowMs;
    this.#map.draw();
    this.#figures.show(this.board);
    this.scrubber.show();
    this.#head();
    if (!isTurn && !isPast && nowMs - this.#slowMs < SLOW_MS) {
      this.#slowTimer ??= setTimeout(() => {
        this.#slowTimer = null;
        this.#due(false);
      }, SLOW_MS);
      return;
    }
    this.#slowMs = nowMs;
    this.#series.draw();
    this.#answers.show(this.board);
    this.#sites.show();
    this.#sizes.show(this.board);
    this.#events.show();
    this.#line.show(this.board);
  }

  #head(): void {
    const { source, session, program, state, moment, totalBytes, playedBytes } = this.board;
    setText(this.#title, visible(program ?? source.name, TITLE_CHARACTERS));
    const { lastHello, lastCounters, arenaBytes, operations, exact } = session.model;
    const policy = lastHello === null ? null : (policyNameOf(lastHello.policy) ?? `policy ${lastHello.policy}`);
    setText(
      this.#facts,
      [
        program === null ? null : visible(source.name, TITLE_CHARACTERS),
        arenaBytes > 0 ? `arena ${bytesText(arenaBytes)}` : null,
        policy,
        `${countText(Math.max(operations, lastCounters?.operations ?? 0))} operations`,
        exact || arenaBytes === 0 ? null : isSwept(session.model) ? 'counters, no events' : 'map not exact',
      ]
        .filter((text) => text !== null)
        .join(' · '),
    );
    const shown = moment.isPast ? 'past' : this.board.isLive || state !== 'live' ? STATES[state] : 'reading';
    setText(this.#state, shown);
    this.#state.className = `state is-${shown.replace(' ', '-')}`;
    const part = totalBytes === null || totalBytes === 0 ? 1 : playedBytes / totalBytes;
    this.#progress.hidden = part >= 0.999 || state === 'ended';
    this.#progress.value = part;
    this.#progress.title = percentText(part);
  }

  async #save(): Promise<void> {
    const blob = await this.board.source.save();
    if (blob === null) return;
    const link = el('a', { href: URL.createObjectURL(blob), download: fileName(this.board.source.name) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }
}

/** `sim:puckjs` as `sim-puckjs.hgrec`. */
function fileName(name: string): string {
  const stem = name.replace(/\.hgrec$/, '').replace(/[^\w.-]+/g, '-');
  return `${stem.slice(0, 60) || 'recording'}.hgrec`;
}
