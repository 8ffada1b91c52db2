/** A safe heap as a program sees it; what is behind the calls is in safety.ts. */
import type { Heap } from '../heap.ts';
import type { PostMortem } from '../post-mortem.ts';
import type { Account } from './accounts.ts';
import type { Fault } from './faults.ts';

export interface SafetyOptions {
  /** Bytes on each side of a payload, rounded up to a multiple of 8. Default 8. */
  guardBytes?: number;
  /** Freed blocks kept aside; fewer when memory is short. Default 16. */
  quarantineBlocks?: number;
  /** Walk the heap before every operation. Default true. */
  verify?: boolean;
}

export interface SafeHeap extends Heap {
  /** Bytes that safety keeps outside the arena: the table of blocks and the counters of the accounts. */
  readonly tableBytes: number;
  /** Gives the blocks in quarantine back, each looked at first. */
  releaseQuarantine(): void;
  /** Blocks from now on belong to this owner, 0 to 15: a task, a module. Returns the one before. */
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
