/** The six figures of a moment, large, each with what it is part of. */

import { toldFigures } from '../../monitor/figures.ts';
import { bytesText, countText, percentText, plural } from '../../view/units.ts';
import type { Board } from '../data/board.ts';
import { el, setText } from './dom.ts';

class Figure {
  readonly root: HTMLElement;
  readonly #value = el('dd', { class: 'value' });
  readonly #note = el('dd', { class: 'note' });

  constructor(label: string, className = '') {
    this.root = el('div', { class: `figure ${className}` }, el('dt', {}, label), this.#value, this.#note);
  }

  show(value: string, note: string, isBad = false): void {
    setText(this.#value, value);
    setText(this.#note, note);
    this.root.classList.toggle('is-bad', isBad);
  }
}

export class Figures {
  readonly root: HTMLElement;
  readonly #live = new Figure('live', 'line-live');
  readonly #peak = new Figure('peak');
  readonly #free = new Figure('free');
  readonly #largest = new Figure('largest free', 'line-largest');
  readonly #fragmentation = new Figure('fragmentation', 'line-fragmentation');
  readonly #failed = new Figure('failed requests');

  constructor() {
    const all = [this.#live, this.#peak, this.#free, this.#largest, this.#fragmentation, this.#failed];
    this.root = el('dl', { class: 'figures' }, ...all.map(({ root }) => root));
  }

  show({ moment, session }: Board): void {
    const { model } = moment;
    if (model.arenaBytes === 0) {
      for (const figure of [this.#live, this.#peak, this.#free, this.#largest, this.#fragmentation, this.#failed]) {
        figure.show('–', 'not known yet');
      }
      return;
    }
    const swept = model.metrics();
    // Without events the board's own counters are nearer to the truth than a sum over its last sweep.
    const told = model.exact ? null : toldFigures(model.lastCounters);
    const metrics = told === null ? swept : { ...swept, liveBytes: told.liveBytes, liveBlocks: told.liveBlocks };
    const ofArena = (bytes: number) => `${percentText(bytes / model.arenaBytes)} of ${bytesText(model.arenaBytes)}`;
    this.#live.show(bytesText(metrics.liveBytes), plural(metrics.liveBlocks, 'block'));
    this.#peak.show(bytesText(metrics.peakLiveBytes), ofArena(metrics.peakLiveBytes));
    this.#free.show(
      bytesText(metrics.freeBytes),
      told !== null
        ? 'as of the last sweep'
        : `in ${plural(metrics.freeBlocks, 'piece')}${metrics.beyondBytes > 0 ? `; ${bytesText(metrics.beyondBytes)} unused besides` : ''}`,
    );
    this.#largest.show(
      bytesText(metrics.largestFreeBytes),
      metrics.freeBytes === 0
        ? 'nothing is free'
        : `${percentText(metrics.largestFreeBytes / metrics.freeBytes)} of what is free`,
      metrics.largestFreeBytes === 0 && metrics.beyondBytes === 0,
    );
    this.#fragmentation.show(
      percentText(metrics.externalFragmentation),
      told === null ? `inside blocks ${percentText(metrics.internalFragmentation)}` : 'as of the last sweep',
    );
    const { failures, misuses } = moment.isPast
      ? { failures: model.failures, misuses: model.misuses }
      : session.figures();
    this.#failed.show(countText(failures), `${countText(misuses)} misused`, failures + misuses > 0);
  }
}
