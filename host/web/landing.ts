/** What the page shows while it shows no board: what it is, and the ways to one. */
import { webSerial, whyNoSerial } from './data/serial-board.ts';
import { el } from './view/dom.ts';

export interface LandingActions {
  connect(): void;
  open(): void;
  flash(): void;
  example(): void;
}

export function landing({ connect, open, flash, example }: LandingActions): HTMLElement {
  const hasSerial = webSerial() !== null;
  const code = (text: string) => el('code', {}, text);
  const card = (title: string, text: readonly (string | Node)[], action: string, act: () => void, isOff = false) =>
    el(
      'section',
      { class: 'card' },
      el('h3', {}, title),
      el('p', {}, ...text),
      el('button', { type: 'button', class: 'primary', disabled: isOff, onclick: act }, action),
    );
  return el(
    'div',
    { class: 'landing' },
    el('h2', { class: 'title' }, 'See what is in a board’s heap'),
    el(
      'p',
      { class: 'lead' },
      'Every block of the arena at its address, who made it and how long ago; what leaks, what keeps free memory apart, and why a request failed. Live, and back in time.',
    ),
    el(
      'div',
      { class: 'cards' },
      card(
        'A board on this computer',
        [
          hasSerial
            ? 'Plug it in and pick its port. The page reads the line itself: nothing is installed, nothing leaves this computer.'
            : whyNoSerial(),
        ],
        'Connect a board',
        connect,
        !hasSerial,
      ),
      card(
        'A recording',
        ['A file of ', code('heapglass monitor --record'), ', or one saved here. Drop it anywhere on this page.'],
        'Open a recording',
        open,
      ),
      card(
        'A program for a board',
        [
          'A file of ',
          code('heapglass bundle'),
          ': stored on an Espruino or Kaluma board, compared with what was sent, started, watched.',
        ],
        'Flash a bundle',
        flash,
        !hasSerial,
      ),
    ),
    el(
      'p',
      { class: 'try' },
      'No board at hand? ',
      el('button', { type: 'button', onclick: example }, 'See an example'),
      ' of 48 seconds: a heap that leaks, breaks up, and fails.',
    ),
    el('p', { class: 'quiet' }, 'This page is one file, works offline, and asks no server for anything.'),
  );
}
