/**
 * A heap that survives misuse: the same calls over any policy, with guards around each payload, freed blocks kept aside
 * under a pattern, and a table of all blocks outside the arena.
 *
 *   policy's block    [ guard .. ][ payload: what was asked ][ guard .. to the block's end ]
 *                      GUARD bytes  ^ what the program holds    GUARD bytes
 *   quarantined       [ GONE bytes ........................................................ ]
 *
 *   fault                found at the latest
 *   overflow, underflow  at the block's free or realloc, or the next check()
 *   use after free       when the block leaves quarantine, or at the next check()
 *   double, wild free    at once
 *   damaged bookkeeping  before the next operation (with `verify`), or at the next check()
 *   overlap              when the policy gives such a block: it is refused
 *
 * After damage to the policy's bookkeeping the heap gives and takes nothing more: every call is refused, none can make
 * it worse. With guards alone the damage stays with the block.
 *
 * Cost: two guards a block, the quarantined blocks, the table (about 1.2 bytes for each byte of an arena of small
 * blocks); with `verify` each operation walks the heap.
 */
import { createBlockTable, SLOT_LIVE, SLOT_QUARANTINED } from './block-table.ts';
import type { Heap, HeapStats } from './heap.ts';
import { BLOCK_LIVE, MISUSE_CORRUPT, MISUSE_NOT_LIVE, MISUSE_WILD } from './policy.ts';
import { createPostMortem, type PostMortem } from './post-mortem.ts';

export const FAULT_OVERFLOW = 1;
export const FAULT_UNDERFLOW = 2;
export const FAULT_USE_AFTER_FREE = 3;
export const FAULT_DOUBLE_FREE = 4;
export const FAULT_WILD_FREE = 5;
/** The policy's bookkeeping contradicts itself or the table. */
export const FAULT_BOOKKEEPING = 6;
export const FAULT_OVERLAP = 7;

export interface SafetyOptions {
  /** Bytes on each side of a payload, rounded up to a multiple of 8. Default 8. */
  guardBytes?: number;
  /** Freed blocks kept aside; fewer when memory is short. Default 16. */
  quarantineBlocks?: number;
  /** Walk the heap before every operation. Default true. */
  verify?: boolean;
}

export interface Fault {
  /** FAULT_ */
  kind: number;
  /** What the program holds or held; 0 when no block can be named. */
  block: number;
  /** Who asked for the block. */
  site: number;
  size: number;
  /** Offset of the first damaged byte, or of the violated invariant. */
  at: number;
}

export interface Account {
  liveBlocks: number;
  liveBytes: number;
  mallocs: number;
}

export interface SafeHeap extends Heap {
  /** Bytes that safety keeps outside the arena. */
  readonly tableBytes: number;
  /** Blocks from now on belong to this owner, 0 to 255: a task, a module. Returns the one before. */
  setOwner(owner: number): number;
  /** What is live by site, and by owner. Walks the table. */
  bySite(site: number): Account;
  byOwner(owner: number): Account;
  /** Faults found so far, and the last ones of them, the oldest first. */
  faultCount(): number;
  faults(): Fault[];
  /** 0 when nothing is wrong, else the FAULT_ of the first thing found; all that is found is in faults(). */
  check(): number;
  /** Whether the heap gives and takes nothing more. */
  damaged(): boolean;
  /** Works again after damage, if check() finds none: for a program that restored its arena. */
  resume(): boolean;
  /** What is known about the last request that got nothing; null when none failed. */
  postMortem(): PostMortem | null;
}

const GUARD = 0xa5;
const GONE = 0xdd;
const KEPT_FAULTS = 32;
const SITES = 256;

export function createSafeHeap(heap: Heap | null, options: SafetyOptions = {}): SafeHeap | null {
  if (!heap) return null;
  const inner = heap;
  const { policy, u8 } = inner;
  const guard = Math.max(8, ((options.guardBytes ?? 8) + 7) & ~7);
  const quarantineBlocks = options.quarantineBlocks ?? 16;
  const verify = options.verify ?? true;
  const moves = inner.locate(1) !== 1;
  const table = createBlockTable(u8.length, moves);
  const { keyOf, innerOf, sizeOf, leadOf, usableOf, siteOf, ownerOf, stateOf } = table;
  const quarantine = new Uint16Array(quarantineBlocks + 1);
  let quarantineStart = 0;
  let quarantined = 0;
  let liveSlots = 0;
  let owner = 0;
  let isDamaged = false;
  let found = 0;
  const faultKind = new Uint8Array(KEPT_FAULTS);
  const faultWords = new Uint32Array(KEPT_FAULTS * 4);
  const mallocsOfSite = new Uint32Array(SITES);
  const mallocsOfOwner = new Uint32Array(256);
  const postMortem = createPostMortem();

  function report(kind: number, slot: number, key: number, at: number): number {
    const i = found % KEPT_FAULTS;
    found++;
    faultKind[i] = kind;
    faultWords[i * 4] = key;
    faultWords[i * 4 + 1] = slot === 0 ? 0 : siteOf[slot]!;
    faultWords[i * 4 + 2] = slot === 0 ? 0 : sizeOf[slot]!;
    faultWords[i * 4 + 3] = at;
    return kind;
  }

  /** Offset of the first byte in [from, to) that is not `value`, 0 when all are. */
  function firstOther(from: number, to: number, value: number): number {
    for (let at = from; at < to; at++) if (u8[at] !== value) return at;
    return 0;
  }

  function fill(from: number, to: number, value: number): void {
    for (let at = from; at < to; at++) u8[at] = value;
  }

  /** Where the policy's block lies now. */
  const startOf = (slot: number): number => inner.locate(innerOf[slot]!);

  /** 0, or the FAULT_ of a live block's guards. */
  function checkGuards(slot: number): number {
    const start = startOf(slot);
    const payload = start + leadOf[slot]!;
    const after = firstOther(payload + sizeOf[slot]!, start + usableOf[slot]!, GUARD);
    if (after !== 0) return report(FAULT_OVERFLOW, slot, keyOf[slot]!, after);
    const before = firstOther(start, payload, GUARD);
    if (before !== 0) return report(FAULT_UNDERFLOW, slot, keyOf[slot]!, before);
    return 0;
  }

  function checkGone(slot: number): number {
    const start = startOf(slot);
    const at = firstOther(start, start + usableOf[slot]!, GONE);
    return at === 0 ? 0 : report(FAULT_USE_AFTER_FREE, slot, keyOf[slot]!, at);
  }

  /** The policy's own check, and its walk against the table: every block it calls live must be one, whole, and counted. */
  function checkBookkeeping(): number {
    let wrong = inner.check();
    let at = inner.checkOffset();
    let seen = 0;
    let steps = u8.length >> 3;
    for (let block = policy.firstBlock(); wrong === 0 && block !== 0; block = policy.nextBlock(block)) {
      steps--;
      if (policy.blockKind(block) === BLOCK_LIVE) {
        const payload = policy.blockPayload(block);
        const slot = slotOfInner(payload);
        if (slot === 0 || policy.usableSize(payload) !== usableOf[slot]) wrong = 1;
        seen++;
      }
      if (steps < 0) wrong = 1;
      at = block;
    }
    if (wrong === 0 && seen === liveSlots) return 0;
    isDamaged = true;
    return report(FAULT_BOOKKEEPING, 0, 0, at);
  }

  /** The slot of a policy's block. */
  function slotOfInner(block: number): number {
    const slot = table.at(block);
    return slot !== 0 && innerOf[slot] === block ? slot : 0;
  }

  const refused = (): boolean => isDamaged || (verify && checkBookkeeping() !== 0);

  /** Takes the oldest block out of quarantine and gives it back to the policy. */
  function releaseOldest(): void {
    const slot = quarantine[quarantineStart]!;
    quarantineStart = (quarantineStart + 1) % quarantine.length;
    quarantined--;
    checkGone(slot);
    table.unmark(moves ? keyOf[slot]! : innerOf[slot]!, usableOf[slot]!);
    stateOf[slot] = 0;
    liveSlots--;
    const block = innerOf[slot]!;
    table.give(slot);
    if (inner.free(block) !== 0) {
      isDamaged = true;
      report(FAULT_BOOKKEEPING, 0, 0, block);
    }
  }

  function give(alignment: number, size: number, site: number): number {
    postMortem.operation(1, size, site);
    if (refused()) return 0;
    const lead = Math.max(guard, alignment);
    const slot = table.take();
    let block = 0;
    if (slot !== 0 && size >= 0 && size <= u8.length) {
      const whole = size + lead + guard;
      block = alignment > 8 ? inner.memalign(alignment, whole, site) : inner.malloc(whole, site);
      while (block === 0 && quarantined > 0 && !isDamaged) {
        releaseOldest();
        block = alignment > 8 ? inner.memalign(alignment, whole, site) : inner.malloc(whole, site);
      }
    }
    if (block === 0) {
      if (slot !== 0) table.give(slot);
      postMortem.failed(inner, size, site, blockSite);
      return 0;
    }
    const usable = inner.usableSize(block);
    const start = inner.locate(block);
    if (table.overlaps(moves ? block : start, usable) || start + usable > u8.length || usable < size + lead + guard) {
      isDamaged = true;
      report(FAULT_OVERLAP, 0, block, start);
      table.give(slot);
      return 0;
    }
    const key = moves ? block : block + lead;
    table.mark(slot, moves ? block : start, usable);
    keyOf[slot] = key;
    innerOf[slot] = block;
    sizeOf[slot] = size;
    leadOf[slot] = lead;
    usableOf[slot] = usable;
    siteOf[slot] = site;
    ownerOf[slot] = owner;
    stateOf[slot] = SLOT_LIVE;
    liveSlots++;
    mallocsOfSite[site % SITES] = mallocsOfSite[site % SITES]! + 1;
    mallocsOfOwner[owner] = mallocsOfOwner[owner]! + 1;
    fill(start, start + lead, GUARD);
    fill(start + lead + size, start + usable, GUARD);
    return key;
  }

  /** Site of the policy's block that begins here, for the post-mortem. */
  function blockSite(block: number): number {
    const slot = slotOfInner(block);
    return slot === 0 ? 0 : siteOf[slot]!;
  }

  /** The live slot of a key; a fault is reported when there is none. */
  function liveSlot(key: number): number {
    const slot = table.find(key);
    if (slot === 0) report(FAULT_WILD_FREE, 0, key, key);
    else if (stateOf[slot] === SLOT_QUARANTINED) report(FAULT_DOUBLE_FREE, slot, key, key);
    else return slot;
    return 0;
  }

  function misuseCode(key: number): number {
    if (table.find(key) !== 0) return MISUSE_NOT_LIVE;
    return key < 0 || key >= u8.length || (key & 7) !== 0 ? MISUSE_WILD : MISUSE_NOT_LIVE;
  }

  function free(key: number, site = 0): number {
    if (key === 0) return 0;
    postMortem.operation(2, key, site);
    const slot = liveSlot(key);
    if (slot === 0) return misuseCode(key);
    const wrong = checkGuards(slot);
    if (refused()) return MISUSE_CORRUPT;
    const start = startOf(slot);
    fill(start, start + usableOf[slot]!, GONE);
    stateOf[slot] = SLOT_QUARANTINED;
    if (quarantined >= quarantineBlocks && quarantined > 0) releaseOldest();
    quarantine[(quarantineStart + quarantined) % quarantine.length] = slot;
    quarantined++;
    if (quarantineBlocks === 0) releaseOldest();
    return wrong === 0 ? 0 : MISUSE_CORRUPT;
  }

  function realloc(key: number, size: number, site = 0): number {
    if (key === 0) return give(0, size, site);
    const slot = liveSlot(key);
    if (slot === 0) return 0;
    if (checkGuards(slot) !== 0) return 0;
    const to = give(0, size, site);
    if (to === 0) return 0;
    const target = inner.locate(innerOf[table.find(to)]!) + leadOf[table.find(to)]!;
    const from = startOf(slot) + leadOf[slot]!;
    const kept = Math.min(size, sizeOf[slot]!);
    for (let at = 0; at < kept; at++) u8[target + at] = u8[from + at]!;
    free(key, site);
    return to;
  }

  function account(of: (slot: number) => boolean, mallocs: number): Account {
    let liveBlocks = 0;
    let liveBytes = 0;
    for (let slot = 1; slot < table.capacity; slot++) {
      if (stateOf[slot] === SLOT_LIVE && of(slot)) {
        liveBlocks++;
        liveBytes += sizeOf[slot]!;
      }
    }
    return { liveBlocks, liveBytes, mallocs };
  }

  function checkAll(): number {
    const before = found;
    checkBookkeeping();
    for (let slot = 1; slot < table.capacity; slot++) {
      if (stateOf[slot] === SLOT_LIVE) checkGuards(slot);
      else if (stateOf[slot] === SLOT_QUARANTINED) checkGone(slot);
    }
    return found === before ? 0 : faultKind[before % KEPT_FAULTS]!;
  }

  return {
    ...inner,
    tableBytes: table.bytes,
    malloc: (size, site = 0) => give(0, size, site),
    calloc(count, size, site = 0) {
      const bytes = count < 0 || size < 0 ? -1 : count * size;
      const key = give(0, bytes > u8.length ? -1 : bytes, site);
      if (key !== 0) {
        const payload = startOf(table.find(key)) + leadOf[table.find(key)]!;
        fill(payload, payload + bytes, 0);
      }
      return key;
    },
    memalign(alignment, size, site = 0) {
      if (alignment <= 0 || (alignment & (alignment - 1)) !== 0 || alignment > 4096) return 0;
      return give(alignment <= 8 ? 0 : alignment, size, site);
    },
    free,
    realloc,
    usableSize(key) {
      const slot = table.find(key);
      return slot !== 0 && stateOf[slot] === SLOT_LIVE ? sizeOf[slot]! : 0;
    },
    locate(key) {
      const slot = table.find(key);
      return slot === 0 ? 0 : startOf(slot) + leadOf[slot]!;
    },
    pin: (key) => inner.pin(moves ? key : key - guard),
    unpin: (key) => inner.unpin(moves ? key : key - guard),
    check: checkAll,
    checkOffset: () => (found === 0 ? 0 : faultWords[((found - 1) % KEPT_FAULTS) * 4 + 3]!),
    stats(): HeapStats {
      const stats = inner.stats();
      stats.liveBlocks = liveSlots - quarantined;
      return stats;
    },
    setOwner(next) {
      const before = owner;
      owner = next & 255;
      return before;
    },
    bySite: (site) => account((slot) => siteOf[slot] === site, mallocsOfSite[site % SITES]!),
    byOwner: (of) => account((slot) => ownerOf[slot] === of, mallocsOfOwner[of & 255]!),
    faultCount: () => found,
    faults() {
      const list: Fault[] = [];
      for (let n = Math.max(0, found - KEPT_FAULTS); n < found; n++) {
        const i = n % KEPT_FAULTS;
        list.push({
          kind: faultKind[i]!,
          block: faultWords[i * 4]!,
          site: faultWords[i * 4 + 1]!,
          size: faultWords[i * 4 + 2]!,
          at: faultWords[i * 4 + 3]!,
        });
      }
      return list;
    },
    damaged: () => isDamaged,
    resume() {
      isDamaged = false;
      return checkAll() === 0;
    },
    postMortem: () => postMortem.report(),
  };
}
