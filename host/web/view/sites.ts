/** The call sites: what each holds, and which of them leak. A row that is chosen lights its blocks on the map. */
import { visible } from '../../view/escape.ts';
import { bytesText, countText, plural } from '../../view/units.ts';
import type { Board } from '../data/board.ts';
import { el, panel, Table } from './dom.ts';

const MOST_ROWS = 40;
const NAME_CHARACTERS = 80;

export class SitesPanel {
  readonly root: HTMLElement;
  readonly #board: Board;
  readonly #choose: (site: number | null) => void;
  readonly #table = new Table('Call sites, those with the most live bytes first', [
    { title: 'site' },
    { title: 'live', isNumber: true },
    { title: 'blocks', isNumber: true },
    { title: 'peak', isNumber: true },
    { title: 'made', isNumber: true },
  ]);
  readonly #filter = el('input', { type: 'search', placeholder: 'filter', 'aria-label': 'Filter sites' });
  #chosen: number | null = null;

  constructor(board: Board, choose: (site: number | null) => void, changed: () => void) {
    this.#board = board;
    this.#choose = choose;
    const { root, head, body } = panel('Call sites', 'sites-panel');
    this.root = root;
    this.#filter.addEventListener('input', changed);
    head.append(el('div', { class: 'controls' }, this.#filter));
    body.append(el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Sites' }, this.#table.root));
  }

  show(): void {
    const { moment, session } = this.#board;
    const { model } = moment;
    // As they were to be judged at the moment that is shown.
    const leaks = new Map(session.leaks.verdicts(model).map((verdict) => [verdict.site, verdict]));
    const wanted = this.#filter.value.toLowerCase();
    const nameOf = (site: number) => visible(session.siteName(site), NAME_CHARACTERS);
    const sites = model.sites
      .list()
      .filter(({ site, made, liveBlocks }) => made + liveBlocks > 0 && nameOf(site).toLowerCase().includes(wanted))
      .slice(0, MOST_ROWS);
    this.#table.show(
      sites.map(({ site, liveBytes, liveBlocks, peakLiveBytes, made, failures }) => {
        const leak = leaks.get(site);
        const verdict = leak
          ? `leaks: ${bytesText(leak.growthBytesPer1000Operations)} more in 1,000 operations`
          : failures > 0
            ? `${plural(failures, 'request')} failed`
            : '';
        return [
          verdict === '' ? nameOf(site) : `${nameOf(site)}\n${verdict}`,
          bytesText(liveBytes),
          countText(liveBlocks),
          bytesText(peakLiveBytes),
          countText(made),
        ];
      }),
      (row, index) => {
        const { site } = sites[index]!;
        row.classList.toggle('is-leak', leaks.has(site));
        row.classList.toggle('is-chosen', site === this.#chosen);
        const name = row.cells[0]!;
        const [title = '', verdict = ''] = name.textContent.split('\n');
        const button = el(
          'button',
          { type: 'button', class: 'link', 'aria-pressed': String(site === this.#chosen) },
          title,
        );
        button.addEventListener('click', () => {
          this.#chosen = this.#chosen === site ? null : site;
          this.#choose(this.#chosen);
        });
        name.replaceChildren(button, ...(verdict === '' ? [] : [el('span', { class: 'verdict' }, verdict)]));
      },
      String(this.#chosen),
    );
  }
}
