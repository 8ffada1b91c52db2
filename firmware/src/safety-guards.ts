/**
 * The bytes around and in the blocks of a safe heap: guards on both sides of a payload, the pattern of freed blocks, and
 * what is reported when they are not as they were left.
 *
 *   policy's block    [ guard .. ][ payload: what was asked ][ guard .. to the block's end ]
 *   quarantined       [ GONE bytes ......................................................... ]
 */
import type { BlockTable } from './block-table.ts';
import { fillBytes } from './fill.ts';
import type { Heap } from './heap.ts';
import { FAULT_OVERFLOW, FAULT_UNDERFLOW, FAULT_USE_AFTER_FREE, type FaultLog } from './safety-faults.ts';

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
  const u8 = heap.u8;
  const u16 = heap.u16;

  /** Offset of the first byte in [from, to) that is not `value`, 0 when all are. Two bytes at a time. */
  function firstOther(from: number, to: number, value: number): number {
    const pair = value * 0x101;
    let at = from;
    if ((at & 1) !== 0 && at < to && u8[at] === value) at++;
    if ((at & 1) === 0) while (at + 1 < to && u16[at >> 1] === pair) at += 2;
    while (at < to) {
      if (u8[at] !== value) return at;
      at++;
    }
    return 0;
  }

  function startOf(slot: number): number {
    return heap.locate(table.innerOf[slot]!);
  }

  function report(kind: number, slot: number, at: number): number {
    return log.report(kind, table.keyOf[slot]!, table.siteOf[slot]!, table.sizeOf[slot]!, at);
  }

  return {
    startOf,

    guard(slot: number): void {
      const start = startOf(slot);
      const payload = start + table.leadOf[slot]!;
      fillBytes(u8, start, payload, GUARD);
      fillBytes(u8, payload + table.sizeOf[slot]!, start + table.usableOf[slot]!, GUARD);
    },

    checkGuards(slot: number): number {
      const start = startOf(slot);
      const payload = start + table.leadOf[slot]!;
      const after = firstOther(payload + table.sizeOf[slot]!, start + table.usableOf[slot]!, GUARD);
      if (after !== 0) return report(FAULT_OVERFLOW, slot, after);
      const before = firstOther(start, payload, GUARD);
      return before === 0 ? 0 : report(FAULT_UNDERFLOW, slot, before);
    },

    bury(slot: number): void {
      const start = startOf(slot);
      fillBytes(u8, start, start + table.usableOf[slot]!, GONE);
    },

    checkGone(slot: number): number {
      const start = startOf(slot);
      const at = firstOther(start, start + table.usableOf[slot]!, GONE);
      return at === 0 ? 0 : report(FAULT_USE_AFTER_FREE, slot, at);
    },
  };
}
