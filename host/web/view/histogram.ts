/** Live blocks by size: a bar a class, which is also a table. */
import { bytesText, countText } from '../../view/units.ts';
import type { Board } from '../data/board.ts';
import { panel, Table } from './dom.ts';

export class HistogramPanel {
  readonly root: HTMLElement;
  readonly #table = new Table('Live blocks by size', [
    { title: 'bytes' },
    { title: 'blocks', isNumber: true },
    { title: 'in all', isNumber: true },
  ]);

  constructor() {
    const { root, body } = panel('Live blocks by size', 'sizes-panel');
    this.root = root;
    body.append(this.#table.root);
  }

  show({ moment }: Board): void {
    const classes = moment.model.histogram.classes();
    const most = Math.max(1, ...classes.map(({ blocks }) => blocks));
    this.#table.show(
      classes.map(({ fromBytes, toBytes, blocks, bytes }) => [
        toBytes - fromBytes === 1 ? countText(fromBytes) : `${countText(fromBytes)} to ${countText(toBytes - 1)}`,
        countText(blocks),
        bytesText(bytes),
      ]),
      // The bar is the row's background: it says nothing that the figure beside it does not.
      (row, index) => row.style.setProperty('--part', String(classes[index]!.blocks / most)),
    );
  }
}
