/** The line: what comes, and what was lost of it; and the engine's heap, of which the arena is a part. */
import { bytesText, countText } from '../../view/units.ts';
import type { Board } from '../data/board.ts';
import { el, panel, setText } from './dom.ts';

const LABELS = [
  'events',
  'rate',
  'frames',
  'lost frames',
  'damaged',
  'dropped by the board',
  "engine's own heap",
] as const;

/** Of the labels: what is bad when it is not 0. */
const FIRST_LOSS = 3;
const LAST_LOSS = 5;

export class LinePanel {
  readonly root: HTMLElement;
  readonly #values: HTMLElement[];

  constructor() {
    const { root, body } = panel('Line and engine', 'line-panel');
    this.root = root;
    this.#values = LABELS.map(() => el('dd'));
    body.append(
      el('dl', { class: 'pairs' }, ...LABELS.flatMap((label, index) => [el('dt', {}, label), this.#values[index]!])),
    );
  }

  show({ session }: Board): void {
    const line = session.line();
    const engine = session.model.engineHeap.figures();
    const texts = [
      `${countText(line.eventsPerSecond)}/s`,
      `${bytesText(line.bytesPerSecond)}/s`,
      countText(line.frames),
      countText(line.framesLost),
      countText(line.framesBad),
      countText(line.eventsDropped),
      engine === null ? 'not sampled' : `${bytesText(engine.usedBytes)} of ${bytesText(engine.totalBytes)}`,
    ];
    this.#values.forEach((element, index) => {
      setText(element, texts[index]!);
      element.classList.toggle('is-bad', index >= FIRST_LOSS && index <= LAST_LOSS && texts[index] !== '0');
    });
  }
}
