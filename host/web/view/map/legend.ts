/** What the map's colours mean. */
import { visible } from '../../../view/escape.ts';
import { colours } from '../colours.ts';
import { el } from '../dom.ts';
import type { ColourBy } from './draw.ts';
import type { NameOf } from './words.ts';

const NAME_CHARACTERS = 40;
/** As the map draws memory that is nobody's. */
const STRIPES = 'repeating-linear-gradient(135deg, var(--line) 0 1px, transparent 1px 4px)';

export class Legend {
  readonly root = el('ul', { class: 'legend', 'aria-label': 'Colours of the map' });
  #shown = '';

  show(by: ColourBy, ranks: ReadonlyMap<number, number>, nameOf: NameOf, hasRegions: boolean): void {
    const { sites, ages, live, free, control } = colours();
    const entries: (readonly [string | readonly string[], string])[] = [];
    if (by === 'age') entries.push([ages, 'just made to oldest']);
    else if (by === 'use') entries.push([live, 'live']);
    else {
      for (const [site, rank] of ranks) entries.push([sites[rank]!, visible(nameOf(site), NAME_CHARACTERS)]);
      entries.push([sites.at(-1)!, 'other sites']);
    }
    entries.push([free, 'free'], [control, "the policy's own"]);
    if (hasRegions) entries.push([STRIPES, 'unused']);
    const next = JSON.stringify(entries);
    if (next === this.#shown) return;
    this.#shown = next;
    this.root.replaceChildren(
      ...entries.map(([colour, text]) => {
        const key = el('span', { class: 'key' });
        key.style.background = typeof colour === 'string' ? colour : `linear-gradient(90deg, ${colour.join(', ')})`;
        if (typeof colour !== 'string') key.classList.add('ramp');
        return el('li', {}, key, text);
      }),
    );
  }
}
