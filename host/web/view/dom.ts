/** Elements in a line. What comes from a board is always a text node or an attribute's value, never markup. */

type Child = Node | string | null;
type Properties = Readonly<Record<string, string | boolean | ((event: Event) => void)>>;

/** `el('button', { type: 'button', onclick: run }, 'Run')`: functions are listeners, true is an empty attribute. */
export function el<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (typeof value === 'function') element.addEventListener(key.slice(2), value);
    else if (value !== false) element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Sets the text when it is another one, so that nothing is laid out or announced for nothing. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

let ids = 0;
/** An id that is nobody else's on the page: several boards have the same panels. */
export const freshId = (stem: string): string => `${stem}-${++ids}`;

export interface Panel {
  root: HTMLElement;
  head: HTMLElement;
  body: HTMLElement;
}

/** A titled part of a board's view; `head` takes controls beside the title. */
export function panel(title: string, className: string): Panel {
  const id = freshId('panel');
  const head = el('div', { class: 'panel-head' }, el('h3', { id }, title));
  const body = el('div', { class: 'panel-body' });
  const root = el('section', { class: `panel ${className}`, 'aria-labelledby': id }, head, body);
  return { root, head, body };
}

export interface TableColumn {
  title: string;
  isNumber?: boolean;
}

/** A table whose rows are replaced as a whole when they changed. The first cell of a row is its header. */
export class Table {
  readonly root: HTMLTableElement;
  readonly #body = el('tbody');
  readonly #columns: readonly TableColumn[];
  #shown = '';

  constructor(caption: string, columns: readonly TableColumn[]) {
    this.#columns = columns;
    this.root = el(
      'table',
      {},
      el('caption', { class: 'unseen' }, caption),
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          ...columns.map(({ title, isNumber }) => el('th', { scope: 'col', class: isNumber ? 'number' : '' }, title)),
        ),
      ),
      this.#body,
    );
  }

  /** `decorate` is called with each new row; `state` is what it depends on beside the rows. */
  show(
    rows: readonly (readonly string[])[],
    decorate: (row: HTMLTableRowElement, index: number) => void = () => {},
    state = '',
  ): void {
    const next = JSON.stringify([rows, state]);
    if (next === this.#shown) return;
    this.#shown = next;
    this.#body.replaceChildren(
      ...rows.map((cells, index) => {
        const row = el(
          'tr',
          {},
          ...cells.map((text, column) =>
            column === 0
              ? el('th', { scope: 'row' }, text)
              : el('td', { class: this.#columns[column]?.isNumber ? 'number' : '' }, text),
          ),
        );
        decorate(row, index);
        return row;
      }),
    );
  }
}
