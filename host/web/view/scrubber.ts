/** Time travel: a slider over the whole session, steps, play, pause, back to now. */
import { bytesText, durationText } from '../../view/units.ts';
import type { Board } from '../data/board.ts';
import { el, setText } from './dom.ts';

/** Steps of a key, in parts of the session. */
const STEPS = 200;
const LEAST_STEP_MS = 20;
const PLAY_EVERY_MS = 100;
const CALM_EVERY_MS = 500;

export class Scrubber {
  readonly root: HTMLElement;
  readonly #board: Board;
  readonly #slider = el('input', { type: 'range', min: '0', max: '0', step: '1', 'aria-label': 'Time' });
  readonly #time = el('output', { class: 'time' });
  readonly #now: HTMLButtonElement;
  readonly #hold: HTMLButtonElement;
  readonly #play: HTMLButtonElement;
  #playing: ReturnType<typeof setInterval> | null = null;

  constructor(board: Board) {
    this.#board = board;
    const button = (text: string, label: string, act: () => void) =>
      el('button', { type: 'button', 'aria-label': label, title: label, onclick: act }, text);
    this.#slider.addEventListener('input', () => board.travelTo(Number(this.#slider.value)));
    this.#hold = el('button', { type: 'button', onclick: () => this.togglePause() }, 'Pause');
    this.#play = el('button', { type: 'button', onclick: () => this.#togglePlay() }, 'Play');
    this.#now = el('button', { type: 'button', onclick: () => this.toNow() }, board.isLive ? 'Live' : 'End');
    const mark = board.mark;
    this.root = el(
      'div',
      { class: 'scrubber', role: 'group', 'aria-label': 'Time travel' },
      button('‹', 'A step back', () => this.step(-1)),
      this.#play,
      button('›', 'A step on', () => this.step(1)),
      this.#slider,
      this.#time,
      this.#hold,
      this.#now,
      mark === null ? null : button('Mark', 'Mark this moment (m)', mark),
    );
    this.#hold.hidden = !board.isLive;
  }

  step(by: number): void {
    this.#stop();
    const { moment, session } = this.#board;
    const stepMs = Math.max(LEAST_STEP_MS, session.elapsedMs / STEPS);
    if (by > 0 && !moment.isPast) return;
    const nextMs = moment.elapsedMs + by * stepMs;
    if (by > 0 && nextMs >= session.elapsedMs) this.toNow();
    else this.#board.travelTo(nextMs);
  }

  togglePause(): void {
    this.#stop();
    if (this.#board.moment.isPast) this.#board.toLive();
    else this.#board.pause();
  }

  toStart(): void {
    this.#stop();
    this.#board.travelTo(0);
  }

  toNow(): void {
    this.#stop();
    this.#board.toLive();
  }

  show(): void {
    const { moment, session, isLive } = this.#board;
    const totalMs = session.elapsedMs;
    this.#slider.max = String(Math.max(1, Math.round(totalMs)));
    this.#slider.step = String(Math.max(1, Math.round(totalMs / 2000)));
    // The one who drags is not pulled away from.
    if (document.activeElement !== this.#slider || !moment.isPast)
      this.#slider.value = String(Math.round(moment.elapsedMs));
    const text = moment.isPast
      ? `${durationText(moment.elapsedMs)} of ${durationText(totalMs)}`
      : durationText(totalMs);
    setText(this.#time, text);
    this.#slider.setAttribute('aria-valuetext', `${text}, ${bytesText(moment.model.liveBytes)} live`);
    setText(this.#hold, moment.isPast ? 'Go on' : 'Pause');
    this.#now.disabled = !moment.isPast;
    this.#now.classList.toggle('is-on', !moment.isPast && isLive);
  }

  #togglePlay(): void {
    if (this.#playing !== null) {
      this.#stop();
      return;
    }
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const everyMs = calm ? CALM_EVERY_MS : PLAY_EVERY_MS;
    let atMs = this.#board.moment.isPast ? this.#board.moment.elapsedMs : 0;
    setText(this.#play, 'Stop');
    this.#playing = setInterval(() => {
      atMs += everyMs;
      if (atMs >= this.#board.session.elapsedMs) this.toNow();
      else this.#board.travelTo(atMs);
    }, everyMs);
  }

  #stop(): void {
    if (this.#playing !== null) clearInterval(this.#playing);
    this.#playing = null;
    setText(this.#play, 'Play');
  }
}
