/** The list of keys, as a dialog. */
import { el, freshId } from './dom.ts';
import { KEYS } from './key-list.ts';

export function helpDialog(): HTMLDialogElement {
  const id = freshId('keys');
  const dialog = el(
    'dialog',
    { class: 'help', 'aria-labelledby': id },
    el('h2', { id }, 'Keys'),
    el(
      'dl',
      { class: 'pairs' },
      ...KEYS.flatMap(([key, what]) => [el('dt', {}, el('kbd', {}, key)), el('dd', {}, what)]),
    ),
    el('form', { method: 'dialog' }, el('button', { class: 'primary' }, 'Close')),
  );
  return dialog;
}
