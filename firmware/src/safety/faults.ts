/**
 * What a safe heap found: the kinds of fault, and a bounded log of the last ones. Each fault is also told to the
 * telemetry as misuse, with its kind as the code, so that whoever watches sees it at once.
 */
import { observeMisuse } from '../telemetry/observer.ts';

/** The kinds go on where the MISUSE_ codes of policy.ts end: on the wire they share a byte. */
export const FAULT_OVERFLOW = 4;
export const FAULT_UNDERFLOW = 5;
export const FAULT_USE_AFTER_FREE = 6;
export const FAULT_DOUBLE_FREE = 7;
export const FAULT_WILD_FREE = 8;
/** The policy's bookkeeping contradicts itself or the table. */
export const FAULT_BOOKKEEPING = 9;
/** The policy gave a block that overlaps another, or is too short. */
export const FAULT_OVERLAP = 10;

export interface Fault {
  /** FAULT_ */
  kind: number;
  /** What the program holds or held; 0 when no block can be named. */
  block: number;
  /** Who asked for the block. */
  site: number;
  /** Bytes that were asked for. */
  size: number;
  /** Offset of the first damaged byte, or of the violated invariant. */
  at: number;
}

/** Faults remembered; all are counted. */
const KEPT_FAULTS = 32;
const WORDS = 4;

export interface FaultLog {
  /** Notes a fault and returns its kind. */
  report(kind: number, block: number, site: number, size: number, at: number): number;
  count(): number;
  /** The kind of the fault that was number `n`, counted from 0; 0 when it is not among those kept. */
  kindOf(n: number): number;
  /** Where the last fault is; 0 before the first. */
  lastAt(): number;
  /** Those kept, the oldest first. */
  list(): Fault[];
}

/** A log of a heap's faults; `heapId` is the heap's number for the telemetry. */
export function createFaultLog(heapId: number): FaultLog {
  const kinds = new Uint8Array(KEPT_FAULTS);
  const words = new Uint32Array(KEPT_FAULTS * WORDS);
  let found = 0;

  return {
    report(kind: number, block: number, site: number, size: number, at: number): number {
      const slot = found % KEPT_FAULTS;
      const word = slot * WORDS;
      found++;
      kinds[slot] = kind;
      words[word] = block;
      words[word + 1] = site;
      words[word + 2] = size;
      words[word + 3] = at;
      observeMisuse(heapId, site, at, kind);
      return kind;
    },

    count(): number {
      return found;
    },

    kindOf(n: number): number {
      return n < found && n >= found - KEPT_FAULTS ? kinds[n % KEPT_FAULTS]! : 0;
    },

    lastAt(): number {
      return found === 0 ? 0 : words[((found - 1) % KEPT_FAULTS) * WORDS + 3]!;
    },

    list(): Fault[] {
      const faults: Fault[] = [];
      for (let n = Math.max(0, found - KEPT_FAULTS); n < found; n++) {
        const slot = n % KEPT_FAULTS;
        const word = slot * WORDS;
        faults.push({
          kind: kinds[slot]!,
          block: words[word]!,
          site: words[word + 1]!,
          size: words[word + 2]!,
          at: words[word + 3]!,
        });
      }
      return faults;
    },
  };
}
