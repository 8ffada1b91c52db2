/**
 * Damage to bare heaps, safety off: random work, then writes past, before and into blocks, then more work. Counted is what
 * must not follow: hangs, exceptions, accesses outside the arena, blocks that overlap live ones, contents that change.
 *
 *   overflow    1 to 64 bytes from a live payload's end on, of one value, random, or words that look like bookkeeping
 *   underflow   the same before a live payload, down to the first block
 *   below       the same before the first block, where there is bookkeeping: what an underflow of the lowest block reaches
 *   wild store  a word anywhere from the first block to the arena's end
 *   wild word   a word anywhere in the arena, bookkeeping below the blocks too
 *   garbage     the whole arena, or all of it from somewhere on, or up to there, overwritten
 */
import type { PolicyName } from '../../firmware/src/policies/index.ts';
import { BLOCK_CONTROL, BLOCK_LIVE } from '../../firmware/src/policy.ts';
import { type GuardedPolicy, guardedPolicy, Hang } from './support/guarded.ts';
import { randomSource } from './support/random.ts';

export const damageKinds = ['overflow', 'underflow', 'below', 'wild store', 'wild word', 'garbage'] as const;
export type DamageKind = (typeof damageKinds)[number];

/** What may follow. A case counts once for each. */
export const harms = [
  /** A call did not end. */
  'hang',
  'exception',
  'load outside',
  'store outside',
  /** A block was given that shares bytes with a live one, or leaves the arena. */
  'overlap',
  /** The heap changed a byte of a live block, or lost one in realloc. */
  'contents',
  /** free refused a live block, or its usable size had changed. */
  'refusal',
  /** The walk over the blocks left the arena or went back. */
  'walk',
] as const;
export type Harm = (typeof harms)[number];

export interface Outcome {
  counts: Record<Harm, number>;
  /** The first seed of each. */
  seeds: Partial<Record<Harm, number>>;
}

interface Block {
  key: number;
  at: number;
  usable: number;
  fill: number;
}

type Random = (below: number) => number;

/** A byte sequence that a stray write may leave; hostile ones look like links, sizes and flags of this arena. */
export function strayBytes(random: Random, length: number, arenaBytes: number): Uint8Array {
  const bytes = new Uint8Array((length + 7) & ~3);
  const view = new DataView(bytes.buffer);
  const style = random(6);
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    let word = random(0x10000) * 0x10000 + random(0x10000);
    if (style === 0) word = 0;
    else if (style === 1) word = 0xffffffff;
    else if (style === 2) word = 0x41414141;
    else if (style === 3) word = random(arenaBytes) & ~7;
    else if (style === 4) word = (random(arenaBytes) & ~3) | random(4);
    else if (random(2) === 0) word = random(arenaBytes >> 3) | (random(arenaBytes >> 3) << 16);
    view.setUint32(at, word, true);
  }
  return bytes.subarray(0, length);
}

/** One heap, its work and its damage; what went wrong is noted in `harm`. */
class Case {
  readonly blocks: Block[] = [];
  /** Blocks that the heap refused to take back: still the program's. */
  readonly stuck: Block[] = [];
  readonly harm = new Set<Harm>();
  readonly #guarded: GuardedPolicy;
  readonly #random: Random;
  readonly #sizes: number;
  /** Whether the policy moves blocks. */
  readonly moves: boolean;
  /** firstBlock() before any damage. */
  readonly #first: number;
  /** Harm is noted once the damage is done. */
  #damaged = false;

  constructor(guarded: GuardedPolicy, random: Random) {
    this.#guarded = guarded;
    this.#random = random;
    this.#sizes = [24, 60, 200, 700][random(4)]!;
    this.moves = guarded.policy.locate(8) !== 8;
    this.#first = guarded.policy.firstBlock();
  }

  #size(): number {
    return this.#random(3) === 0 ? this.#random(this.#sizes) : this.#random(Math.min(40, this.#sizes));
  }

  #note(harm: Harm): void {
    if (!this.#damaged) throw new Error(`before any damage: ${harm}`);
    this.harm.add(harm);
  }

  #accept(key: number): void {
    const { policy, bytes } = this.#guarded;
    const at = policy.locate(key);
    const usable = policy.usableSize(key);
    if (!(at >= this.#first && at + usable <= bytes.length && usable > 0)) {
      this.#note('overlap');
      return;
    }
    if (this.moves) this.#relocate();
    for (const other of [...this.blocks, ...this.stuck]) {
      if (at < other.at + other.usable && other.at < at + usable) {
        this.#note('overlap');
        return;
      }
    }
    const fill = 1 + this.#random(255);
    bytes.fill(fill, at, at + usable);
    this.blocks.push({ key, at, usable, fill });
  }

  #relocate(): void {
    for (const block of this.blocks) block.at = this.#guarded.policy.locate(block.key);
  }

  #isWhole(block: Block, length = block.usable): boolean {
    const { bytes } = this.#guarded;
    for (let i = block.at; i < block.at + length; i++) if (bytes[i] !== block.fill) return false;
    return true;
  }

  step(): void {
    const { policy } = this.#guarded;
    const dice = this.#random(100);
    const index = this.#random(this.blocks.length || 1);
    const block = this.blocks[index];
    if (!block || dice < 48) {
      const key = dice < 3 ? policy.memalign(1 << this.#random(8), this.#size()) : policy.malloc(this.#size());
      if (key !== 0) this.#accept(key);
      return;
    }
    if (this.moves) this.#relocate();
    if (!this.#isWhole(block)) this.#note('contents');
    if (policy.usableSize(block.key) !== block.usable) this.#note('refusal');
    if (dice < 85) {
      this.blocks.splice(index, 1);
      if (policy.free(block.key) !== 0) {
        this.#note('refusal');
        this.stuck.push(block);
      }
      return;
    }
    const size = this.#size();
    const key = policy.realloc(block.key, size);
    if (key === 0) return;
    this.blocks.splice(index, 1);
    const kept = { ...block, at: policy.locate(key) };
    if (!this.#isWhole(kept, Math.min(size, block.usable))) this.#note('contents');
    this.#accept(key);
  }

  /** Where bookkeeping ends and blocks begin; where it was at first when the policy does not know any more. */
  #lowestBlock(): number {
    const { policy, bytes } = this.#guarded;
    let block = policy.firstBlock();
    while (policy.nextBlock(block) !== 0 && policy.blockKind(block) === BLOCK_CONTROL) block = policy.nextBlock(block);
    return block >= this.#first && block < bytes.length ? block : this.#first;
  }

  damage(kind: DamageKind): void {
    const { bytes } = this.#guarded;
    this.#damaged = true;
    this.#relocate();
    const victim = this.blocks[this.#random(this.blocks.length)];
    const first = this.#lowestBlock();
    if (kind === 'garbage') {
      const at = this.#random(bytes.length) & ~3;
      const [from, to] = [[0, bytes.length] as const, [at, bytes.length] as const, [0, at] as const][this.#random(3)]!;
      bytes.set(strayBytes(this.#random, to - from, bytes.length), from);
    } else if (kind === 'wild word') {
      bytes.set(strayBytes(this.#random, 4, bytes.length), this.#random(bytes.length - 3) & ~3);
    } else if (kind === 'wild store' || !victim) {
      const at = (first + this.#random(bytes.length - first - 3)) & ~3;
      bytes.set(strayBytes(this.#random, 4, bytes.length), at);
    } else {
      const length = 1 + this.#random(64);
      const end =
        kind === 'overflow'
          ? Math.min(bytes.length, victim.at + victim.usable + length)
          : kind === 'below'
            ? first
            : victim.at;
      const from =
        kind === 'overflow'
          ? victim.at + victim.usable
          : Math.min(end, Math.max(kind === 'below' ? 0 : first, end - length));
      bytes.set(strayBytes(this.#random, end - from, bytes.length), from);
    }
    // What the write did to other programs' data is its own doing.
    for (const { at, usable, fill } of [...this.blocks, ...this.stuck]) bytes.fill(fill, at, at + usable);
  }

  /** check() and the walk end, whatever they find. */
  look(): void {
    const { policy, bytes } = this.#guarded;
    policy.check();
    policy.checkOffset();
    let before = -1;
    for (let block = policy.firstBlock(); block !== 0; block = policy.nextBlock(block)) {
      if (!(block > before && block < bytes.length)) {
        this.#note('walk');
        return;
      }
      if (policy.blockKind(block) === BLOCK_LIVE) policy.blockPayload(block);
      before = block;
    }
  }
}

const arenaSizes = [600, 1024, 2048, 4096];

/** `count` cases of one kind of damage, from seed `first` on. */
export function damageHeaps(arenas: readonly GuardedPolicy[], kind: DamageKind, first: number, count: number): Outcome {
  const outcome: Outcome = {
    counts: Object.fromEntries(harms.map((harm) => [harm, 0])) as Outcome['counts'],
    seeds: {},
  };
  for (let seed = first; seed < first + count; seed++) {
    for (const harm of damageHeap(arenas[seed % arenas.length]!, kind, seed)) {
      outcome.counts[harm]++;
      outcome.seeds[harm] ??= seed;
    }
  }
  return outcome;
}

/** The harms of one case. */
function damageHeap(guarded: GuardedPolicy, kind: DamageKind, seed: number): ReadonlySet<Harm> {
  const random = randomSource(seed * 7919 + 1);
  const { policy, bytes, watch } = guarded;
  bytes.fill(random(2) === 0 ? 0 : random(256));
  Object.assign(watch, { loadsOutside: 0, storesOutside: 0, steps: 0, mostSteps: 1_000_000 });
  if (policy.init(bytes.length) === 0) return new Set();
  const work = new Case(guarded, random);
  const step = (): void => {
    watch.steps = 0;
    // Compact takes a step a pin wherever a hole passes a handle.
    watch.mostSteps = work.moves ? bytes.length ** 2 : bytes.length * 20;
    work.step();
  };
  for (let n = 20 + random(150); n > 0; n--) step();
  try {
    for (let round = 1 + random(3); round > 0; round--) {
      work.damage(kind);
      if (random(2) === 0) work.look();
      for (let n = 0; n < 40; n++) step();
      work.look();
    }
  } catch (error) {
    work.harm.add(error instanceof Hang ? 'hang' : 'exception');
  }
  if (watch.loadsOutside > 0) work.harm.add('load outside');
  if (watch.storesOutside > 0) work.harm.add('store outside');
  return work.harm;
}

/** An arena of each size for either kind of words; case `seed` takes number `seed % 8`. */
export function guardedArenas(name: PolicyName): Promise<GuardedPolicy[]> {
  const words = ['Uint32Array', 'Int32Array'] as const;
  return Promise.all(words.flatMap((kind) => arenaSizes.map((bytes) => guardedPolicy(name, bytes, kind))));
}
