/**
 * The discrete-event queue of a virtual board: what happens, in the order of virtual time.
 *
 * Invariant Q1: events run in the order of their time; events of one time run in the order they were added.
 * Times are nanoseconds since the board was created, whole numbers (exact below 104 days).
 */
export interface Event {
  readonly atNs: number;
  run(): void;
}

interface Entry extends Event {
  /** Breaks ties: Q1. */
  readonly order: number;
  cancelled: boolean;
}

export interface Scheduled {
  readonly atNs: number;
  cancel(): void;
}

export class EventQueue {
  /** A binary heap: heap[i] is not later than heap[2i+1] and heap[2i+2]. */
  readonly #heap: Entry[] = [];
  #added = 0;

  add(atNs: number, run: () => void): Scheduled {
    const entry: Entry = { atNs, run, order: this.#added++, cancelled: false };
    this.#heap.push(entry);
    this.#siftUp(this.#heap.length - 1);
    return {
      atNs,
      cancel: () => {
        entry.cancelled = true;
      },
    };
  }

  /** When the next event is due; null when there is none. */
  nextNs(): number | null {
    while (this.#heap[0]?.cancelled) this.#take();
    return this.#heap[0]?.atNs ?? null;
  }

  /** Removes the next event; the caller runs it. */
  take(): Event | null {
    return this.nextNs() === null ? null : this.#take();
  }

  #take(): Entry {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length > 0) {
      heap[0] = last;
      this.#siftDown(0);
    }
    return first;
  }

  #siftUp(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #siftDown(from: number): void {
    let at = from;
    for (;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#heap.length && this.#isBefore(child, least)) least = child;
      }
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const left = this.#heap[a]!;
    const right = this.#heap[b]!;
    return left.atNs < right.atNs || (left.atNs === right.atNs && left.order < right.order);
  }

  #swap(a: number, b: number): void {
    const entry = this.#heap[a]!;
    this.#heap[a] = this.#heap[b]!;
    this.#heap[b] = entry;
  }
}
