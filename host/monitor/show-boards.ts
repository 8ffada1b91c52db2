/**
 * Watches boards and shows them: on a terminal one at a time, Tab and the digits choose which; in a pipe a line a second
 * each, behind its name when there are several.
 */
import type { Io } from '../command.ts';
import { visible } from '../view/escape.ts';
import { type LiveView, liveView } from '../view/live-view.ts';
import type { BoardWatch } from './board-watch.ts';
import { Controls, KEYS } from './controls.ts';
import { History } from './history.ts';
import { readKeys } from './keyboard.ts';

export interface ShowWishes {
  forMs?: number;
  /** Ends it as well. */
  until?: AbortSignal;
  onMoment?: () => void;
  /** Virtual time passes no faster than the wall clock; where it is not said, it does on a terminal and without an end. */
  paced?: boolean;
}

export async function showBoards(boards: readonly BoardWatch[], wishes: ShowWishes, io: Io): Promise<void> {
  const { forMs, until, onMoment } = wishes;
  const stop = new AbortController();
  const signal = AbortSignal.any([io.signal, stop.signal, ...(until ? [until] : [])]);
  const show = io.isTerminal ? terminal(boards, () => stop.abort(), io) : lines(boards, io);
  try {
    await Promise.all(
      boards.map((board) =>
        board.run({
          signal,
          paced: wishes.paced ?? (io.isTerminal || forMs === undefined),
          ...(forMs !== undefined && { forMs }),
          onMoment: () => {
            onMoment?.();
            show.moment(board);
          },
        }),
      ),
    );
  } finally {
    show.finish();
  }
}

interface Show {
  moment(board: BoardWatch): void;
  finish(): void;
}

function terminal(boards: readonly BoardWatch[], quit: () => void, io: Io): Show {
  const several = boards.length > 1;
  const view = liveView(io, several ? `tab next board  ${KEYS}` : KEYS);
  const shown = boards.map((board) => {
    const history = new History();
    return { board, history, controls: new Controls(history, { quit, mark: () => board.keeper.mark() }) };
  });
  let current = 0;
  const release = readKeys((key) => {
    const { controls } = shown[current]!;
    const digit = several && !controls.isTyping ? '123456789'.indexOf(key) : -1;
    if (key === '\t') current = (current + 1) % boards.length;
    else if (digit >= 0 && digit < boards.length) current = digit;
    else controls.press(key);
  });
  const scene = (board: BoardWatch, state = board.state as 'live' | 'lost' | 'ended') => {
    const now = board.session.scene(state);
    return several ? { ...now, source: `${boards.indexOf(board) + 1}/${boards.length} ${board.name}` } : now;
  };
  return {
    moment(board) {
      const one = shown.find((candidate) => candidate.board === board)!;
      one.history.add(board.session.elapsedMs, () => scene(board));
      if (one === shown[current]) view.show(() => one.controls.shown(() => scene(board)));
    },
    finish() {
      release();
      view.finish(scene(boards[current]!, 'ended'));
    },
  };
}

function lines(boards: readonly BoardWatch[], io: Io): Show {
  const views = new Map<BoardWatch, LiveView>();
  const saidNoise = new Set<BoardWatch>();
  for (const board of boards) {
    const before = boards.length > 1 ? `${visible(board.name, 40)}  ` : '';
    views.set(board, liveView({ ...io, isTerminal: false, out: (text) => io.out(`${before}${text}`) }, ''));
  }
  return {
    moment(board) {
      const { session, state } = board;
      views.get(board)!.show(() => session.scene(state));
      if (session.noise === null || saidNoise.has(board)) return;
      saidNoise.add(board);
      io.err(`${session.noise}\n`);
    },
    finish() {
      for (const [board, view] of views) view.finish(board.session.scene('ended'));
    },
  };
}
