/** The dialog that flashes a bundle: the file, the port, the progress, and what came of it. */
import { Problem } from '../../boards/problem.ts';
import { type BundleFile, parseBundleFile } from '../flash/bundle-file.ts';
import type { Progress } from '../flash/flasher.ts';
import { visible } from '../view/escape.ts';
import { bytesText, countText, plural } from '../view/units.ts';
import { flashBundle } from './data/browser-flash.ts';
import { pickPort, SerialBoard, webSerial } from './data/serial-board.ts';
import { el, freshId, setText } from './view/dom.ts';

const BAUD = 115_200;
const PHASES: Record<Progress['phase'], string> = {
  connect: 'connecting',
  backup: 'reading the old program',
  erase: 'erasing',
  upload: 'sending',
  verify: 'reading back',
  start: 'starting',
};

export class FlashDialog {
  readonly root: HTMLDialogElement;
  readonly #show: (serial: SerialBoard) => void;
  readonly #file = el('input', { type: 'file', accept: '.json', 'aria-label': 'Bundle file' });
  readonly #facts = el('p', { class: 'quiet' });
  readonly #go: HTMLButtonElement;
  readonly #bar = el('progress', { max: '1', value: '0', 'aria-label': 'Flashing', hidden: true });
  readonly #log = el('ol', { class: 'steps', 'aria-live': 'polite' });
  readonly #now = el('p', { class: 'quiet' });
  #bundle: BundleFile | null = null;

  /** `show` is given the board once its program runs. */
  constructor(show: (serial: SerialBoard) => void) {
    this.#show = show;
    const id = freshId('flash');
    this.#go = el(
      'button',
      { type: 'button', class: 'primary', disabled: true, onclick: () => void this.#flash() },
      'Pick the port and flash',
    );
    const close = el('button', { type: 'button', onclick: () => this.root.close() }, 'Close');
    this.#file.addEventListener('change', () => void this.#take());
    this.root = el(
      'dialog',
      { class: 'flash', 'aria-labelledby': id },
      el('h2', { id }, 'Flash a bundle'),
      el('p', { class: 'quiet' }, 'A file that ', el('code', {}, 'heapglass bundle app.js --board ID'), ' wrote.'),
      this.#file,
      this.#facts,
      this.#bar,
      this.#now,
      this.#log,
      el('div', { class: 'row' }, this.#go, close),
    );
  }

  open(): void {
    this.#log.replaceChildren();
    setText(this.#now, '');
    this.#bar.hidden = true;
    this.root.showModal();
  }

  async #take(): Promise<void> {
    const [file] = this.#file.files ?? [];
    this.#bundle = null;
    this.#log.replaceChildren();
    if (file !== undefined) {
      try {
        this.#bundle = parseBundleFile(await file.text(), file.name);
        const { program, board, policy, code } = this.#bundle;
        const facts = [visible(program, 60), `for ${visible(board, 30)}`, visible(policy, 20), bytesText(code.length)];
        setText(this.#facts, facts.filter(Boolean).join(' · '));
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#go.disabled = this.#bundle === null;
  }

  async #flash(): Promise<void> {
    const serial = webSerial();
    const bundle = this.#bundle;
    if (serial === null || bundle === null) return;
    this.#go.disabled = true;
    this.#log.replaceChildren();
    let opened: SerialBoard | null = null;
    try {
      const port = await pickPort(serial, false);
      if (port === null) return;
      opened = await SerialBoard.open(port, BAUD);
      this.#bar.hidden = false;
      const started = await flashBundle(bundle, opened, {
        found: (text) => this.#step(text),
        progress: (progress) => this.#progress(progress),
        stored: ({ storedBytes, isVerified, uploadMs, resent }) =>
          this.#step(
            `${isVerified ? 'Stored and compared' : 'Stored'}: ${plural(storedBytes, 'byte')} in ${(uploadMs / 1000).toFixed(1)} s${resent > 0 ? `, ${countText(resent)} sent again` : ''}`,
          ),
      });
      if (started.error !== null) throw new Error(`The program failed when it was started: ${started.error}`);
      this.#step(
        started.proof === 'frame' ? 'Running: its first telemetry frame has come.' : 'Running: the prompt came back.',
      );
      setText(this.#now, '');
      this.#show(opened);
      this.root.close();
    } catch (error) {
      this.#fail(error);
      await opened?.close();
    } finally {
      this.#go.disabled = false;
    }
  }

  #progress({ phase, doneBytes, totalBytes, remainingMs, note }: Progress): void {
    if (note !== null) this.#step(note);
    this.#bar.value = totalBytes === 0 ? 0 : doneBytes / totalBytes;
    const left = remainingMs !== null && remainingMs > 1000 ? `, ${Math.ceil(remainingMs / 1000)} s left` : '';
    setText(
      this.#now,
      totalBytes === 0 ? PHASES[phase] : `${PHASES[phase]}: ${bytesText(doneBytes)} of ${bytesText(totalBytes)}${left}`,
    );
  }

  #step(text: string): void {
    this.#log.append(el('li', {}, visible(text, 300)));
  }

  #fail(error: unknown): void {
    const text =
      error instanceof Problem
        ? [error.message, ...error.facts, error.advice].filter(Boolean).join('. ')
        : (error as Error).message;
    setText(this.#now, '');
    this.#log.append(el('li', { class: 'is-bad' }, visible(text, 600)));
  }
}
