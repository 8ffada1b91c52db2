/** The line: what comes, and what was lost of it. */
import { bytesText, countText } from '../../view/units.ts';
import type { Board } from '../data/board.ts';
import { el, panel, setText } from './dom.ts';

const LABELS = ['events', 'rate', 'frames', 'lost frames', 'damaged', 'dropped by the board'] as const;

export class LinePanel {
  readonly root: HTMLElement;
  readonly #values: HTMLElement[];

  constructor() {
    const { root, body } = panel('The line', 'line-panel');
    this.root = root;
    this.#values = LABELS.map(() => el('dd'));
    body.append(
      el('dl', { class: 'pairs' }, ...LABELS.flatMap((label, index) => [el('dt', {}, label), this.#values[index]!])),
    );
  }

  show({ session }: Board): void {
    const line = session.line();
    const texts = [
      `${countText(line.eventsPerSecond)}/s`,
      `${bytesText(line.bytesPerSecond)}/s`,
      countText(line.frames),
      countText(line.framesLost),
      countText(line.framesBad),
      countText(line.eventsDropped),
    ];
    this.#values.forEach((element, index) => {
      setText(element, texts[index]!);
      element.classList.toggle('is-bad', index >= 3 && texts[index] !== '0');
    });
  }
}
