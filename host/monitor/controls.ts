/**
 * What the keys do to the view: pause, scrub, filter, mark, quit. A pure state machine, so that tests press keys
 * without a terminal. The session itself is never touched: whatever is on the screen, nothing of the line is missed.
 */
import type { Scene } from '../view/scene.ts';
import type { History } from './history.ts';

export const KEYS = 'q quit  p pause  left/right scrub  end live  / filter sites  m mark';

export interface Actions {
  quit(): void;
  mark(): void;
}

export class Controls {
  private readonly history: History;
  private readonly actions: Actions;
  /** Index into the history; null while the view is live. */
  private past: number | null = null;
  private paused: Scene | null = null;
  private wantsPause = false;
  private filter = '';
  /** Keys are the filter's letters. */
  isTyping = false;

  constructor(history: History, actions: Actions) {
    this.history = history;
    this.actions = actions;
  }

  /** One key as the terminal sends it: a character, or an escape sequence. */
  press(key: string): void {
    if (this.isTyping) this.type(key);
    else if (key === 'q' || key === '\x03') this.actions.quit();
    else if (key === 'm') this.actions.mark();
    else if (key === 'p' || key === ' ') this.togglePause();
    else if (key === '\x1b[D' || key === 'h') this.scrub(-1);
    else if (key === '\x1b[C' || key === 'l') this.scrub(1);
    else if (key === '\x1b[H') this.scrub(Number.NEGATIVE_INFINITY);
    else if (key === '\x1b[F' || key === '\x1b') this.toLive();
    else if (key === '/') {
      this.isTyping = true;
      this.filter = '';
    }
  }

  /** What is drawn: the live scene, the one that was paused at, or one of the past; with the filter's sites. */
  shown(live: () => Scene): Scene {
    if (this.wantsPause && this.paused === null) this.paused = { ...live(), state: 'paused' };
    const scene = (this.past === null ? this.paused : this.history.at(this.past)) ?? live();
    if (this.filter === '' && !this.isTyping) return scene;
    const wanted = this.filter.toLowerCase();
    return {
      ...scene,
      sites: scene.sites.filter(({ name }) => name.toLowerCase().includes(wanted)),
      message: this.isTyping
        ? `filter: ${this.filter}_`
        : (scene.message ?? `sites with "${this.filter}"; / then Enter shows all`),
    };
  }

  private type(key: string): void {
    if (key === '\r' || key === '\n' || key === '\x1b') this.isTyping = false;
    else if (key === '\x7f' || key === '\b') this.filter = this.filter.slice(0, -1);
    else if (key === '\x03') this.actions.quit();
    else if (key >= ' ' && !key.startsWith('\x1b')) this.filter += key;
  }

  private togglePause(): void {
    if (this.past === null) {
      this.wantsPause = !this.wantsPause;
      this.paused = null;
    } else this.toLive();
  }

  private scrub(by: number): void {
    const last = this.history.length - 1;
    if (last < 0) return;
    const next = (this.past ?? last + 1) + by;
    this.past = next > last ? null : Math.max(0, next);
  }

  private toLive(): void {
    this.past = null;
    this.wantsPause = false;
    this.paused = null;
  }
}
