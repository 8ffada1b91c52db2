/** What happened, the latest first: failed requests, misuse, losses, resets, marks. A click goes to that moment. */
import { visible } from '../../view/escape.ts';
import { countText, durationText } from '../../view/units.ts';
import type { Board } from '../data/board.ts';
import type { LoggedKind } from '../data/logged-session.ts';
import { el, panel, setText } from './dom.ts';

const SHOWN = 60;
const TEXT_CHARACTERS = 200;
const KINDS: Record<LoggedKind, string> = {
  failure: 'failed',
  misuse: 'misuse',
  loss: 'loss',
  reset: 'reset',
  mark: 'mark',
};

export class EventsPanel {
  readonly root: HTMLElement;
  readonly #board: Board;
  readonly #count = el('span', { class: 'quiet' });
  readonly #list = el('ol', { class: 'events' });
  #shown = '';

  constructor(board: Board) {
    this.#board = board;
    const { root, head, body } = panel('Events', 'events-panel');
    this.root = root;
    head.append(this.#count);
    body.append(this.#list);
  }

  show(): void {
    const { log, forgotten } = this.#board.session;
    const last = log.at(-1);
    const next = `${log.length} ${forgotten} ${last?.times}`;
    if (next === this.#shown) return;
    this.#shown = next;
    setText(this.#count, log.length === 0 ? '' : countText(log.length + forgotten));
    const shown = log.slice(-SHOWN).reverse();
    this.#list.replaceChildren(
      ...(shown.length === 0 ? [el('li', { class: 'quiet' }, 'Nothing has failed, and nothing was lost.')] : []),
      ...shown.map(({ atMs, kind, text, times }) =>
        el(
          'li',
          { class: `event-${kind}` },
          el(
            'button',
            { type: 'button', class: 'link', onclick: () => this.#board.travelTo(atMs) },
            el('span', { class: 'time' }, durationText(atMs)),
            el('span', { class: 'kind' }, KINDS[kind]),
            visible(text, TEXT_CHARACTERS),
            times > 1 ? el('span', { class: 'quiet' }, ` × ${countText(times)}`) : null,
          ),
        ),
      ),
    );
  }
}
