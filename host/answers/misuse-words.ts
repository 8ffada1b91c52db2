/** What each code of a misuse record says, in words: the MISUSE_ codes of a policy and the FAULT_ codes of a safe heap. */
import { MISUSE_CORRUPT, MISUSE_NOT_LIVE, MISUSE_WILD } from '../../firmware/src/policy.ts';
import {
  FAULT_BOOKKEEPING,
  FAULT_DOUBLE_FREE,
  FAULT_OVERFLOW,
  FAULT_OVERLAP,
  FAULT_UNDERFLOW,
  FAULT_USE_AFTER_FREE,
  FAULT_WILD_FREE,
} from '../../firmware/src/safety/faults.ts';

const words: Readonly<Record<number, { at: string; what: string }>> = {
  [MISUSE_WILD]: { at: 'free or realloc of', what: 'a wild address' },
  [MISUSE_NOT_LIVE]: { at: 'free or realloc of', what: 'no live block' },
  [MISUSE_CORRUPT]: { at: 'free or realloc of', what: 'a damaged block' },
  [FAULT_OVERFLOW]: { at: 'byte at', what: 'overflow, a write past the end of a block' },
  [FAULT_UNDERFLOW]: { at: 'byte at', what: 'underflow, a write before the start of a block' },
  [FAULT_USE_AFTER_FREE]: { at: 'byte at', what: 'a write to a block after its free' },
  [FAULT_DOUBLE_FREE]: { at: 'free of', what: 'double free' },
  [FAULT_WILD_FREE]: { at: 'free of', what: 'wild free, no block begins there' },
  [FAULT_BOOKKEEPING]: { at: 'bookkeeping at', what: 'overwritten; the heap gives and takes nothing more' },
  [FAULT_OVERLAP]: { at: 'block at', what: 'overlaps another; it was refused' },
};

/** `free of 0x7b0: double free`, for a code and the offset that came with it. */
export function misuseText(code: number, offset: number): string {
  const { at, what } = words[code] ?? { at: 'misuse at', what: `code ${code}` };
  return `${at} 0x${offset.toString(16)}: ${what}`;
}

/** Whether the record's site is that of the block, rather than that of the call. */
export function namesBlocksSite(code: number): boolean {
  return code >= FAULT_OVERFLOW;
}
