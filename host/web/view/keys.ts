/** The page's keys. They act on the board that has the focus, or on all of them; the map and fields have their own. */
import type { Board } from '../data/board.ts';
import type { Scrubber } from './scrubber.ts';

interface Target {
  scrubber: Scrubber;
  board: Board;
}

export function listenForKeys(targets: () => Target[], help: () => void): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const { target } = event;
    if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return;
    if (event.key === '?') return help();
    const all = targets();
    const focused = all.filter(({ scrubber }) => scrubber.root.closest('.board')?.contains(document.activeElement));
    const chosen = focused.length > 0 ? focused : all;
    const act = actionOf(event.key);
    if (act === null || chosen.length === 0) return;
    event.preventDefault();
    for (const one of chosen) act(one);
  });
}

function actionOf(key: string): ((target: Target) => void) | null {
  switch (key) {
    case 'p':
      return ({ scrubber }) => scrubber.togglePause();
    case 'ArrowLeft':
      return ({ scrubber }) => scrubber.step(-1);
    case 'ArrowRight':
      return ({ scrubber }) => scrubber.step(1);
    case 'Home':
      return ({ scrubber }) => scrubber.toStart();
    case 'End':
      return ({ scrubber }) => scrubber.toNow();
    case 'm':
      return ({ board }) => board.mark?.();
    default:
      return null;
  }
}
