/** The map as a table: every block in address order, some at a time. */
import { plural } from '../../../view/units.ts';
import type { Board } from '../../data/board.ts';
import { el, setText, Table } from '../dom.ts';
import { blocksOf } from './draw.ts';
import { ageWords, hex, siteWords, sizeWords, stateWords } from './words.ts';

const ROWS = 100;

export class BlockTable {
  readonly root: HTMLElement;
  readonly #table = new Table('Blocks in address order', [
    { title: 'address' },
    { title: 'bytes', isNumber: true },
    { title: 'state' },
    { title: 'size' },
    { title: 'age' },
    { title: 'site' },
  ]);
  readonly #where = el('span', { class: 'quiet' });
  readonly #before: HTMLButtonElement;
  readonly #after: HTMLButtonElement;
  #first = 0;
  #count = 0;

  constructor(changed: () => void) {
    const move = (by: number) => () => {
      this.#first = Math.max(0, Math.min(this.#first + by, this.#count - 1));
      changed();
    };
    this.#before = el('button', { type: 'button', onclick: move(-ROWS) }, 'Before');
    this.#after = el('button', { type: 'button', onclick: move(ROWS) }, 'After');
    this.root = el(
      'div',
      { class: 'block-table', hidden: true },
      el('div', { class: 'row' }, this.#before, this.#after, this.#where),
      el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Blocks' }, this.#table.root),
    );
  }

  show(board: Board): void {
    const { model } = board.moment;
    const blocks = blocksOf(model);
    this.#count = blocks.length;
    if (this.#first >= blocks.length) this.#first = 0;
    const shown = blocks.slice(this.#first, this.#first + ROWS);
    const nameOf = (site: number) => board.session.siteName(site);
    this.#table.show(
      shown.map((block) => [
        hex(block.start),
        String(block.bytes),
        stateWords(block),
        block.live ? sizeWords(block) : '',
        block.live ? ageWords(block, model) : '',
        block.live ? siteWords(block, nameOf) : '',
      ]),
    );
    this.#before.disabled = this.#first === 0;
    this.#after.disabled = this.#first + ROWS >= blocks.length;
    const last = this.#first + shown.length;
    setText(
      this.#where,
      `${blocks.length === 0 ? 0 : this.#first + 1} to ${last} of ${plural(blocks.length, 'block')}`,
    );
  }
}
