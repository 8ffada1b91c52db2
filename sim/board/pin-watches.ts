/**
 * Watches of a program on its pins: which callbacks are due, in the order in which the pins changed.
 *
 * A watch with a debounce hears of a change only when the pin has kept its new level for so long.
 */
import type { Machine } from './machine.ts';
import { isHigh } from './pins.ts';

export type Edge = 'rising' | 'falling' | 'both';

export interface Watch {
  pin: number;
  callback: unknown;
  edge: Edge;
  repeats: boolean;
  debounceNs: number;
}

export interface WatchEvent {
  id: number;
  watch: Watch;
  level: 0 | 1;
  atNs: number;
  /** When the pin changed before, as far as the watch knows; null at its first change. */
  lastNs: number | null;
}

interface Armed {
  id: number;
  watch: Watch;
  level: 0 | 1;
  lastNs: number | null;
  /** A change that has not lasted yet. */
  pending: { level: 0 | 1; sinceNs: number } | null;
}

export class PinWatches {
  readonly #machine: Machine;
  #armed: Armed[] = [];
  /** Up to when changes were looked at. */
  #seenNs = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** `level`: what the pin reads now. */
  set(watch: Watch, level: 0 | 1): number {
    if (this.#armed.length === 0) this.#seenNs = this.#machine.nowNs();
    const id = Math.max(0, ...this.#armed.map((armed) => armed.id)) + 1;
    this.#armed.push({ id, watch, level, lastNs: null, pending: null });
    return id;
  }

  /** False when there is no such watch. */
  clear(id: number): boolean {
    const before = this.#armed.length;
    this.#armed = this.#armed.filter((armed) => armed.id !== id);
    return this.#armed.length < before;
  }

  clearAll(): void {
    this.#armed = [];
  }

  /** When something may be due next. */
  nextNs(): number | null {
    if (this.#armed.length === 0) return null;
    const pins = new Set(this.#armed.map(({ watch }) => watch.pin));
    const change = this.#machine.pinChanges.find(({ atNs, pin }) => atNs > this.#seenNs && pins.has(pin));
    const lasting = this.#armed.flatMap(({ watch, pending }) => (pending ? [pending.sinceNs + watch.debounceNs] : []));
    const due = [...lasting, ...(change ? [change.atNs] : [])];
    return due.length === 0 ? null : Math.min(...due);
  }

  /** What is due at `nowNs`, each told once. */
  take(nowNs: number): WatchEvent[] {
    if (this.#armed.length === 0) return [];
    const events: WatchEvent[] = [];
    const changes = this.#machine.pinChanges.filter(({ atNs }) => atNs > this.#seenNs && atNs <= nowNs);
    this.#seenNs = nowNs;
    for (const armed of this.#armed) {
      for (const { atNs, pin, level } of changes) {
        if (pin !== armed.watch.pin) continue;
        settle(armed, atNs, events);
        armed.pending = isHigh(level) === armed.level ? null : { level: isHigh(level), sinceNs: atNs };
      }
      settle(armed, nowNs, events);
    }
    return events.sort((a, b) => a.atNs - b.atNs);
  }
}

/** Tells a pending change that has lasted by `nowNs`. */
function settle(armed: Armed, nowNs: number, events: WatchEvent[]): void {
  const { pending, watch } = armed;
  if (pending === null || nowNs - pending.sinceNs < watch.debounceNs) return;
  const { level, sinceNs } = pending;
  const isWanted = watch.edge === 'both' || (watch.edge === 'rising') === (level === 1);
  if (isWanted) events.push({ id: armed.id, watch, level, atNs: sinceNs, lastNs: armed.lastNs });
  armed.level = level;
  armed.lastNs = sinceNs;
  armed.pending = null;
}
