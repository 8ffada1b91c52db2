/** The dialog that opens a board's port: as it is for most, or at another rate, or one that is not known as a board's. */
import { pickPort, SerialBoard, webSerial } from './data/serial-board.ts';
import { el, freshId } from './view/dom.ts';

const RATES = [9600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600] as const;
const USUAL_RATE = 115_200;

export class ConnectDialog {
  readonly root: HTMLDialogElement;
  readonly #show: (serial: SerialBoard) => void;
  readonly #fail: (error: unknown) => void;
  readonly #rate: HTMLSelectElement;
  readonly #all = el('input', { type: 'checkbox' });

  constructor(show: (serial: SerialBoard) => void, fail: (error: unknown) => void) {
    this.#show = show;
    this.#fail = fail;
    const id = freshId('connect');
    this.#rate = el(
      'select',
      {},
      ...RATES.map((rate) => el('option', { value: String(rate), selected: rate === USUAL_RATE }, String(rate))),
    );
    this.root = el(
      'dialog',
      { class: 'connect', 'aria-labelledby': id },
      el('h2', { id }, 'Connect a board'),
      el(
        'p',
        { class: 'quiet' },
        'The board runs a program that uses Heapglass. Close other programs that have its port.',
      ),
      el('label', { class: 'row' }, 'Rate of a UART (USB ignores it)', this.#rate),
      el('label', { class: 'row' }, this.#all, 'Show all serial ports, adapters too'),
      el(
        'div',
        { class: 'row' },
        el('button', { type: 'button', class: 'primary', onclick: () => void this.#connect() }, 'Pick the port'),
        el('button', { type: 'button', onclick: () => this.root.close() }, 'Close'),
      ),
    );
  }

  open(): void {
    this.root.showModal();
  }

  async #connect(): Promise<void> {
    const serial = webSerial();
    if (serial === null) return;
    try {
      const port = await pickPort(serial, this.#all.checked);
      if (port === null) return;
      const opened = await SerialBoard.open(port, Number(this.#rate.value));
      this.root.close();
      this.#show(opened);
    } catch (error) {
      this.root.close();
      this.#fail(error);
    }
  }
}
