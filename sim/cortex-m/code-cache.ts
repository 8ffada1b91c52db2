/**
 * Decoded code. All cores share one pool of packed words, so that the interpreter's loop reads an array that V8 knows the
 * place and length of. A window of memory is decoded in pages, a word a halfword, each page followed by one word that
 * stays UNDECODED: running over the end leads out of the loop. When the pool is full, everything in it is dropped.
 *
 * A store into decoded code drops all of its core's pages; `version` counts that, for who keeps something made from them.
 */
import { decode } from './decode.ts';
import { Fault, type Memory, type Window } from './memory.ts';

/** Words of the pool: 2 MB. */
const POOL_WORDS = 1 << 19;
/** Halfwords of the largest page. */
const PAGE_HALFWORDS = 1 << 15;

export const pool = new Int32Array(new ArrayBuffer(4 * POOL_WORDS));
let used = 0;
/** Counts how often the pool was emptied. */
let generation = 0;

export interface Page {
  readonly window: Window;
  /** Address of its first halfword, a multiple of 4. */
  readonly base: number;
  readonly halfwords: number;
  /** Index of its first word in the pool. */
  readonly start: number;
}

export class CodeCache {
  private readonly memory: Memory;
  private readonly isV7: boolean;
  private pages: Page[] = [];
  private generation = 0;
  /** The page that was entered last. */
  private page: Page | null = null;
  version = 0;

  constructor(memory: Memory, isV7: boolean) {
    this.memory = memory;
    this.isV7 = isV7;
  }

  /** The page that holds `pc`, which is from then on the current one. */
  enter(pc: number): Page {
    if (this.generation !== generation) this.forget();
    let page = this.pages.find(({ base, halfwords }) => (pc - base) >>> 1 < halfwords);
    if (!page) {
      page = this.allocate(pc);
      this.pages.push(page);
    }
    this.page = page;
    return page;
  }

  private allocate(pc: number): Page {
    const window = this.memory.find(pc);
    if (!window) throw new Fault('unmapped', pc, pc >>> 0);
    const first = Math.floor(((pc - window.base) >>> 1) / PAGE_HALFWORDS) * PAGE_HALFWORDS;
    const halfwords = Math.min((window.size >> 1) - first, PAGE_HALFWORDS);
    // An even number, so that a word's index and its address agree in which half of a memory word they are.
    const words = halfwords + 2;
    if (used + words > POOL_WORDS) {
      used = 0;
      generation++;
      this.forget();
    }
    const start = used;
    used += words;
    pool.fill(0, start, used);
    return { window, base: window.base + 2 * first, halfwords, start };
  }

  private forget(): void {
    this.pages = [];
    this.page = null;
    this.generation = generation;
    this.version++;
  }

  /** Decodes the halfword whose word is `index` of the pool, in the current page. False at the page's end. */
  decode(index: number): boolean {
    const { window, base, halfwords, start } = this.page!;
    const before = index - start;
    const behind = halfwords - 1 - before;
    if (behind < 0) return false;
    const h = ((base - window.base) >>> 1) + before;
    pool[index] = decode(window.u16[h]!, window.u16[h + 1] ?? 0, before & 1, { isV7: this.isV7, before, behind });
    return true;
  }

  /** The decoded word at `pc`. */
  at(pc: number): number {
    const { page } = this;
    const { base, start } =
      page && this.generation === generation && (pc - page.base) >>> 1 < page.halfwords ? page : this.enter(pc);
    const index = start + ((pc - base) >>> 1);
    if (pool[index] === 0) this.decode(index);
    return pool[index]!;
  }

  /** Whether instructions ever came from this window. */
  holds(window: Window): boolean {
    return this.pages.some((page) => page.window === window);
  }

  storedTo(address: number): void {
    for (const { base, halfwords } of this.pages) {
      // A 32-bit instruction is decoded with the halfword behind it.
      if ((address - base) >>> 0 < 2 * halfwords + 2) {
        this.drop();
        return;
      }
    }
  }

  /** Bytes of code changed. */
  drop(): void {
    for (const { start, halfwords } of this.pages) pool.fill(0, start, start + halfwords);
    this.version++;
  }
}
