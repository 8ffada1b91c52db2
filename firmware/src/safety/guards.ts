/**
 * The bytes around and in the blocks of a safe heap: guards on both sides of a payload, the pattern of freed blocks, and
 * what is reported when they are not as they were left.
 *
 *   policy's block    [ guard .. ][ payload: what was asked ][ guard .. to the block's end ]
 *   quarantined       [ GONE bytes ......................................................... ]
 *
 * A block is written through the bound views, where it begins at `placeOf`: the heap may have several regions.
 */
import { u8, u16 } from '../arena.ts';
import { select } from '../bound-policy.ts';
import { fillBytes } from '../fill.ts';
import type { Heap } from '../heap.ts';
import type { BlockTable } from './block-table.ts';
import { FAULT_OVERFLOW, FAULT_UNDERFLOW, FAULT_USE_AFTER_FREE, type FaultLog } from './faults.ts';

const GUARD = 0xa5;
const GONE = 0xdd;

export interface Guards {
  /** Where the policy's block of a slot lies now. */
  startOf(slot: number): number;
  /** Writes both guards of a block that was just given. */
  guard(slot: number): void;
  /** 0, or the FAULT_ of a live block's guards. */
  checkGuards(slot: number): number;
  /** Overwrites a block that goes into quarantine. */
  bury(slot: number): void;
  /** 0, or FAULT_USE_AFTER_FREE for a block in quarantine. */
  checkGone(slot: number): number;
}

export function createGuards(heap: Heap, table: BlockTable, log: FaultLog): Guards {
  /** Place of the first byte in [from, to) that is not `value`, -1 when all are. Two bytes at a time. */
  function firstOther(from: number, to: number, value: number): number {
    const pair = value * 0x101;
    let at = from;
    if ((at & 1) !== 0 && at < to && u8[at] === value) at++;
    if ((at & 1) === 0) while (at + 1 < to && u16[at >> 1] === pair) at += 2;
    while (at < to) {
      if (u8[at] !== value) return at;
      at++;
    }
    return -1;
  }

  function startOf(slot: number): number {
    return heap.locate(table.innerOf[slot]!);
  }

  /** Binds the views of the block's region, and says where in them it begins. */
  function placeOf(slot: number): number {
    return select(startOf(slot));
  }

  /** `at` is `distance` bytes behind the block's start. */
  function report(kind: number, slot: number, distance: number): number {
    return log.report(kind, table.keyOf[slot]!, table.siteOf[slot]!, table.sizeOf[slot]!, startOf(slot) + distance);
  }

  return {
    startOf,

    guard(slot: number): void {
      const start = placeOf(slot);
      const payload = start + table.leadOf[slot]!;
      fillBytes(u8, start, payload, GUARD);
      fillBytes(u8, payload + table.sizeOf[slot]!, start + table.usableOf[slot]!, GUARD);
    },

    checkGuards(slot: number): number {
      const start = placeOf(slot);
      const payload = start + table.leadOf[slot]!;
      const after = firstOther(payload + table.sizeOf[slot]!, start + table.usableOf[slot]!, GUARD);
      if (after >= 0) return report(FAULT_OVERFLOW, slot, after - start);
      const before = firstOther(start, payload, GUARD);
      return before < 0 ? 0 : report(FAULT_UNDERFLOW, slot, before - start);
    },

    bury(slot: number): void {
      const start = placeOf(slot);
      fillBytes(u8, start, start + table.usableOf[slot]!, GONE);
    },

    checkGone(slot: number): number {
      const start = placeOf(slot);
      const at = firstOther(start, start + table.usableOf[slot]!, GONE);
      return at < 0 ? 0 : report(FAULT_USE_AFTER_FREE, slot, at - start);
    },
  };
}
