/**
 * A heap that survives misuse: the same calls over any policy, with guards around each payload (guards.ts), freed
 * blocks kept aside under a pattern, and a table of all blocks outside the arena (block-table.ts).
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
 * Cost: two guards a block, the quarantined blocks, the table (0.75 bytes for each byte of an arena below
 * 64 KB, else 1.1); with `verify` each operation walks the heap.
 */
import { u8 } from '../arena.ts';
import { blockKind, blockPayload, firstBlock, nextBlock, select, usableSize } from '../bound-policy.ts';
import { fillBytes } from '../fill.ts';
import type { Heap, HeapStats } from '../heap.ts';
import { BLOCK_LIVE, MISUSE_CORRUPT, MISUSE_NOT_LIVE, MISUSE_WILD } from '../policy.ts';
import { createPostMortem, OPERATION_FREE, OPERATION_MALLOC } from '../post-mortem.ts';
import { ABSURD, whole } from '../whole.ts';
import { createAccounts } from './accounts.ts';
import { createBlockTable, SLOT_LIVE, SLOT_QUARANTINED } from './block-table.ts';
import { createFaultLog, FAULT_BOOKKEEPING, FAULT_DOUBLE_FREE, FAULT_OVERLAP, FAULT_WILD_FREE } from './faults.ts';
import { createGuards } from './guards.ts';
import type { SafeHeap, SafetyOptions } from './safe-heap.ts';

const GUARD_BYTES = 8;
const QUARANTINE_BLOCKS = 16;
const MOST_ALIGNMENT_BYTES = 4096;

/** A safe heap over `heap`, which must be empty and is used through it only from now on; null for null. */
export function createSafeHeap(heap: Heap | null, options?: SafetyOptions): SafeHeap | null {
  if (!heap) return null;
  const inner = heap;
  const chosen: SafetyOptions = options || {};
  const arenaBytes = inner.bytes;
  const guardBytes = chosen.guardBytes === undefined ? GUARD_BYTES : Math.max(8, (chosen.guardBytes + 7) & ~7);
  const quarantineBlocks = chosen.quarantineBlocks === undefined ? QUARANTINE_BLOCKS : chosen.quarantineBlocks;
  const verify = chosen.verify !== false;
  const moves = inner.locate(1) !== 1;
  const table = createBlockTable(arenaBytes, moves);
  const log = createFaultLog(inner.id);
  const guards = createGuards(inner, table, log);
  const accounts = createAccounts(table);
  const postMortem = createPostMortem();
  const quarantine = new Uint16Array(quarantineBlocks + 1);
  let quarantineStart = 0;
  let quarantined = 0;
  let liveSlots = 0;
  let isDamaged = false;

  function damage(kind: number, block: number, at: number): number {
    isDamaged = true;
    return log.report(kind, block, 0, 0, at);
  }

  /** The slot of a policy's block. */
  function slotOfInner(block: number): number {
    const slot = table.at(block);
    return slot !== 0 && table.innerOf[slot] === block ? slot : 0;
  }

  /** The policy's own check, and its walk against the table: every block it calls live must be one, whole, and counted. */
  function checkBookkeeping(): number {
    if (inner.check() !== 0) return damage(FAULT_BOOKKEEPING, 0, inner.checkOffset());
    let seen = 0;
    let steps = arenaBytes >> 3;
    for (let block = firstBlock(); block !== 0; block = nextBlock(block)) {
      if (blockKind(block) === BLOCK_LIVE) {
        const payload = blockPayload(block);
        const slot = slotOfInner(payload);
        if (slot === 0 || usableSize(payload) !== table.usableOf[slot]) return damage(FAULT_BOOKKEEPING, 0, block);
        seen++;
      }
      if (--steps < 0) return damage(FAULT_BOOKKEEPING, 0, block);
    }
    return seen === liveSlots ? 0 : damage(FAULT_BOOKKEEPING, 0, 0);
  }

  function refused(): boolean {
    return isDamaged || (verify && checkBookkeeping() !== 0);
  }

  /** What a place in the table is known by: the handle where blocks move, else the block's start. */
  function placeOf(block: number): number {
    return moves ? block : inner.locate(block);
  }

  /** Takes the oldest block out of quarantine and gives it back to the policy. */
  function releaseOldest(): void {
    const slot = quarantine[quarantineStart]!;
    const block = table.innerOf[slot]!;
    quarantineStart = (quarantineStart + 1) % quarantine.length;
    quarantined--;
    guards.checkGone(slot);
    table.unmark(placeOf(block), table.usableOf[slot]!);
    table.stateOf[slot] = 0;
    liveSlots--;
    table.give(slot);
    if (inner.free(block) !== 0) damage(FAULT_BOOKKEEPING, 0, block);
  }

  /** A block of the policy's for `bytes` bytes; what is in quarantine goes first when there is no room. */
  function take(alignment: number, bytes: number, site: number): number {
    for (;;) {
      const block = alignment > 8 ? inner.memalign(alignment, bytes, site) : inner.malloc(bytes, site);
      if (block !== 0 || quarantined === 0 || isDamaged) return block;
      releaseOldest();
    }
  }

  function give(alignment: number, size: number, site: number): number {
    postMortem.operation(OPERATION_MALLOC, size, site);
    if (refused()) return 0;
    const lead = Math.max(guardBytes, alignment);
    const bytes = size + lead + guardBytes;
    const slot = table.take();
    const block = slot !== 0 && size >= 0 && size <= arenaBytes ? take(alignment, bytes, site) : 0;
    if (block === 0) {
      if (slot !== 0) table.give(slot);
      postMortem.failed(inner, size, site, blockSite);
      return 0;
    }
    const usable = inner.usableSize(block);
    const start = inner.locate(block);
    const place = placeOf(block);
    const end = start + usable;
    if (table.overlaps(place, usable) || end > arenaBytes || select(start) + usable > u8.length || usable < bytes) {
      damage(FAULT_OVERLAP, block, start);
      table.give(slot);
      return 0;
    }
    const key = moves ? block : block + lead;
    table.mark(slot, place, usable);
    table.keyOf[slot] = key;
    table.innerOf[slot] = block;
    table.sizeOf[slot] = size;
    table.leadOf[slot] = lead;
    table.usableOf[slot] = usable;
    table.stateOf[slot] = SLOT_LIVE;
    liveSlots++;
    accounts.gave(slot, site);
    guards.guard(slot);
    return key;
  }

  /** Site of the policy's block that begins here, for the post-mortem. */
  function blockSite(block: number): number {
    const slot = slotOfInner(block);
    return slot === 0 ? 0 : table.siteOf[slot]!;
  }

  /** The live slot of a key; a fault is reported when there is none. */
  function liveSlot(key: number): number {
    const slot = table.find(key);
    if (slot === 0) log.report(FAULT_WILD_FREE, key, 0, 0, key);
    else if (table.stateOf[slot] === SLOT_QUARANTINED)
      log.report(FAULT_DOUBLE_FREE, key, table.siteOf[slot]!, table.sizeOf[slot]!, key);
    else return slot;
    return 0;
  }

  function misuseCode(key: number): number {
    const isOutside = key < 0 || key >= arenaBytes || (key & 7) !== 0;
    return isOutside && table.find(key) === 0 ? MISUSE_WILD : MISUSE_NOT_LIVE;
  }

  /** Where the payload of a slot's block lies now. */
  function payloadOf(slot: number): number {
    return guards.startOf(slot) + table.leadOf[slot]!;
  }

  function free(block: number, site?: number): number {
    if (block === 0) return 0;
    const key = whole(block);
    postMortem.operation(OPERATION_FREE, key, site || 0);
    const slot = liveSlot(key);
    if (slot === 0) return misuseCode(key);
    const wrong = guards.checkGuards(slot);
    if (refused()) return MISUSE_CORRUPT;
    guards.bury(slot);
    table.stateOf[slot] = SLOT_QUARANTINED;
    if (quarantined >= quarantineBlocks && quarantined > 0) releaseOldest();
    quarantine[(quarantineStart + quarantined) % quarantine.length] = slot;
    quarantined++;
    if (quarantineBlocks === 0) releaseOldest();
    return wrong === 0 ? 0 : MISUSE_CORRUPT;
  }

  function realloc(block: number, asked: number, site?: number): number {
    const size = whole(asked);
    if (block === 0) return give(0, size, site || 0);
    const key = whole(block);
    const slot = liveSlot(key);
    if (slot === 0 || guards.checkGuards(slot) !== 0) return 0;
    const to = give(0, size, site || 0);
    if (to === 0) return 0;
    const from = select(payloadOf(slot));
    const source = u8;
    const target = select(payloadOf(table.find(to)));
    const kept = Math.min(size, table.sizeOf[slot]!);
    for (let at = 0; at < kept; at++) u8[target + at] = source[from + at]!;
    free(key, site);
    return to;
  }

  function check(): number {
    const before = log.count();
    checkBookkeeping();
    for (let slot = 1; slot < table.capacity; slot++) {
      if (table.stateOf[slot] === SLOT_LIVE) guards.checkGuards(slot);
      else if (table.stateOf[slot] === SLOT_QUARANTINED) guards.checkGone(slot);
    }
    return log.kindOf(before);
  }

  return {
    id: inner.id,
    policy: inner.policy,
    bytes: inner.bytes,
    buffer: inner.buffer,
    u8: inner.u8,
    u16: inner.u16,
    u32: inner.u32,
    bind: inner.bind,
    tableBytes: table.bytes + accounts.bytes,

    malloc(size: number, site?: number): number {
      return give(0, whole(size), site || 0);
    },

    calloc(count: number, size: number, site?: number): number {
      const bytes = count < 0 || size < 0 ? ABSURD : whole(count * size);
      const key = give(0, bytes, site || 0);
      if (key !== 0) {
        const payload = select(payloadOf(table.find(key)));
        fillBytes(u8, payload, payload + bytes, 0);
      }
      return key;
    },

    memalign(alignment: number, size: number, site?: number): number {
      const boundary = whole(alignment);
      if (boundary <= 0 || (boundary & (boundary - 1)) !== 0 || boundary > MOST_ALIGNMENT_BYTES) return 0;
      return give(boundary <= 8 ? 0 : boundary, whole(size), site || 0);
    },

    free,
    realloc,

    usableSize(key: number): number {
      const slot = table.find(whole(key));
      return slot !== 0 && table.stateOf[slot] === SLOT_LIVE ? table.sizeOf[slot]! : 0;
    },

    locate(key: number): number {
      const slot = table.find(whole(key));
      return slot === 0 ? 0 : payloadOf(slot);
    },

    pin(key: number): boolean {
      const slot = table.find(whole(key));
      return slot !== 0 && inner.pin(table.innerOf[slot]!);
    },

    unpin(key: number): void {
      const slot = table.find(whole(key));
      if (slot !== 0) inner.unpin(table.innerOf[slot]!);
    },

    check,

    checkOffset(): number {
      return log.lastAt();
    },

    stats(): HeapStats {
      const stats = inner.stats();
      stats.liveBlocks = liveSlots - quarantined;
      return stats;
    },

    releaseQuarantine(): void {
      while (quarantined > 0 && !isDamaged) releaseOldest();
    },

    setOwner: accounts.setOwner,
    bySite: accounts.bySite,
    byOwner: accounts.byOwner,
    faultCount: log.count,
    faults: log.list,

    damaged(): boolean {
      return isDamaged;
    },

    resume(): boolean {
      isDamaged = false;
      return check() === 0;
    },

    postMortem: postMortem.report,
  };
}
