/** Tables and sections of a report, as HTML. Every cell is escaped here. */
import { html } from '../escape.ts';

export interface Column {
  title: string;
  isNumber?: boolean;
}

export interface Row {
  cells: readonly string[];
  /** Of the largest row: drawn behind it, where the script runs. */
  part?: number;
  className?: string;
}

/** `title` is HTML of ours; `id` is unique on the page. */
export function section(id: string, title: string, content: string): string {
  return `<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${content}</section>`;
}

/** The first cell of each row is its header. Without columns there is no head. */
export function table(columns: readonly Column[], rows: readonly Row[]): string {
  const numeric = (index: number) => (columns[index]?.isNumber ? ' class="number"' : '');
  const head =
    columns.length === 0
      ? ''
      : `<thead><tr>${columns.map(({ title }, index) => `<th scope="col"${numeric(index)}>${html(title)}</th>`).join('')}</tr></thead>`;
  const body = rows.map(({ cells, part, className }) => {
    const [first = '', ...others] = cells;
    const data = part === undefined ? '' : ` data-part="${part.toFixed(3)}"`;
    const last = className === undefined ? '' : ` class="${className}"`;
    const tail = others.map(
      (cell, index) => `<td${index === others.length - 1 && last ? last : numeric(index + 1)}>${html(cell)}</td>`,
    );
    return `<tr${data}><th scope="row">${html(first)}</th>${tail.join('')}</tr>`;
  });
  return `<div class="scroll"><table>${head}<tbody>${body.join('')}</tbody></table></div>`;
}

/** Names and values. */
export const pairs = (rows: readonly (readonly [string, string])[]): string =>
  table(
    [],
    rows.map((cells) => ({ cells })),
  );
