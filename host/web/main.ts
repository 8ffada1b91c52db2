/** The page: served by `monitor --web` it shows that monitor's boards; from a disk it connects boards and opens recordings. */
import './page/tokens.css';
import './page/page.css';
import './page/board.css';
import { Problem } from '../../boards/problem.ts';
import { ConnectDialog } from './connect-dialog.ts';
import { Board } from './data/board.ts';
import { FileSource } from './data/byte-source.ts';
import { Connection } from './data/connection.ts';
import { type SerialBoard, webSerial } from './data/serial-board.ts';
import { FlashDialog } from './flash-dialog.ts';
import { landing } from './landing.ts';
import example from './page/example.hgrec';
import { BoardView } from './view/board-view.ts';
import { el } from './view/dom.ts';
import { helpDialog } from './view/help.ts';
import { listenForKeys } from './view/keys.ts';

const isServed = document.documentElement.dataset.live === 'yes';

const views: BoardView[] = [];
const boards = el('main', { class: 'boards', id: 'boards' });
const notice = el('p', { class: 'notice', role: 'alert', hidden: true });
const help = helpDialog();
const showSerial = ({ board }: SerialBoard) => void show(board, true);
const connect = new ConnectDialog(showSerial, sayError);
const flash = new FlashDialog(showSerial);
const picker = el('input', { type: 'file', accept: '.hgrec', class: 'unseen', tabindex: '-1', 'aria-hidden': 'true' });

function say(text: string | null): void {
  notice.hidden = text === null;
  notice.textContent = text;
}

function sayError(error: unknown): void {
  if (error instanceof Problem) say([error.message, ...error.facts, error.advice].filter(Boolean).join('. '));
  else say((error as Error).message);
}

function show(board: Board, canClose: boolean): BoardView {
  const view: BoardView = new BoardView(board, canClose ? () => close(view) : null);
  views.push(view);
  refresh();
  if (views.length === 1) scrollTo(0, 0);
  board.follow().catch((error: unknown) => {
    sayError(error);
    close(view);
  });
  return view;
}

function close(view: BoardView): void {
  view.board.close();
  views.splice(views.indexOf(view), 1);
  refresh();
}

function refresh(): void {
  const start = landing({
    connect: () => connect.open(),
    open: () => picker.click(),
    flash: () => flash.open(),
    example: openExample,
  });
  const waiting = el('p', { class: 'quiet waiting' }, 'Waiting for the monitor.');
  boards.replaceChildren(...(views.length > 0 ? views.map(({ root }) => root) : [isServed ? waiting : start]));
  boards.dataset.count = String(views.length);
  boards.classList.toggle('is-several', views.length > 1);
}

function openFiles(files: Iterable<File>): void {
  say(null);
  for (const file of files) {
    show(new Board(new FileSource(file, file.name), { isLive: false, totalBytes: file.size }), true);
  }
}

function openExample(): void {
  const bytes = Uint8Array.from(atob(example), (character) => character.charCodeAt(0));
  show(
    new Board(new FileSource(new Blob([bytes]), 'example.hgrec'), { isLive: false, totalBytes: bytes.length }),
    true,
  );
}

function followMonitor(): void {
  const connection = new Connection(`ws://${location.host}/live`, {
    connected: (isConnected) => say(isConnected ? null : 'The monitor does not answer. It is waited for.'),
    boards: (statuses) => {
      for (const [index, { name, port, state, reason }] of statuses.entries()) {
        const known = views[index]?.board;
        const board =
          known ??
          new Board(connection.source(index, port.endsWith(name) ? port : `${name} (${port})`), {
            isLive: true,
            onMark: () => connection.mark(index),
          });
        if (known === undefined) show(board, false);
        board.setState(state, reason);
      }
    },
  });
}

picker.addEventListener('change', () => {
  openFiles(picker.files ?? []);
  picker.value = '';
});
document.addEventListener('dragover', (event) => event.preventDefault());
document.addEventListener('drop', (event) => {
  event.preventDefault();
  openFiles(event.dataTransfer?.files ?? []);
});

const button = (text: string, act: () => void) => el('button', { type: 'button', class: 'small', onclick: act }, text);
document.getElementById('app')!.replaceChildren(
  el('a', { class: 'skip', href: '#boards' }, 'To the boards'),
  el(
    'header',
    { class: 'page-head' },
    el('h1', { class: 'brand' }, 'Heapglass'),
    el(
      'nav',
      { 'aria-label': 'Actions' },
      ...(isServed || webSerial() === null
        ? []
        : [button('Connect a board', () => connect.open()), button('Flash a bundle', () => flash.open())]),
      button('Open a recording', () => picker.click()),
      button('Keys', () => help.showModal()),
    ),
  ),
  notice,
  boards,
  picker,
  help,
  connect.root,
  flash.root,
);
refresh();
listenForKeys(
  () => views.map(({ scrubber, board }) => ({ scrubber, board })),
  () => help.showModal(),
);
if (isServed) followMonitor();
