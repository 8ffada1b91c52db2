/** Who holds what: live blocks and bytes by call site and by owner, from the table of blocks; and how many each asked for. */
import { type BlockTable, SLOT_LIVE } from './block-table.ts';

/** What one site or one owner holds, and how many blocks it got in all. */
export interface Account {
  liveBlocks: number;
  /** Bytes that were asked for. */
  liveBytes: number;
  /** Blocks given so far. Sites from ACCOUNT_SITES on share their counts with the site ACCOUNT_SITES below them. */
  mallocs: number;
}

export const ACCOUNT_SITES = 64;
/** Owners are 0 to 15: tasks or modules of the program. */
export const ACCOUNT_OWNERS = 16;

export interface Accounts {
  /** Bytes of the counters. */
  bytes: number;
  /** Counts a block that was given to the owner that is set. */
  gave(slot: number, site: number): void;
  setOwner(next: number): number;
  bySite(site: number): Account;
  byOwner(owner: number): Account;
}

export function createAccounts(table: BlockTable): Accounts {
  const counters = new Uint32Array(ACCOUNT_SITES + ACCOUNT_OWNERS);
  let owner = 0;

  function count(counter: number): void {
    counters[counter] = counters[counter]! + 1;
  }

  /** Sums the live slots whose entry in `of` is `id`. */
  function account(of: Uint16Array | Uint8Array, id: number, counter: number): Account {
    let liveBlocks = 0;
    let liveBytes = 0;
    for (let slot = 1; slot < table.capacity; slot++) {
      if (table.stateOf[slot] === SLOT_LIVE && of[slot] === id) {
        liveBlocks++;
        liveBytes += table.sizeOf[slot]!;
      }
    }
    return { liveBlocks: liveBlocks, liveBytes: liveBytes, mallocs: counters[counter]! };
  }

  return {
    bytes: counters.byteLength,

    gave(slot: number, site: number): void {
      table.siteOf[slot] = site;
      table.ownerOf[slot] = owner;
      count(site & (ACCOUNT_SITES - 1));
      count(ACCOUNT_SITES + owner);
    },

    setOwner(next: number): number {
      const before = owner;
      owner = next & (ACCOUNT_OWNERS - 1);
      return before;
    },

    bySite(site: number): Account {
      return account(table.siteOf, site, site & (ACCOUNT_SITES - 1));
    },

    byOwner(of: number): Account {
      return account(table.ownerOf, of, ACCOUNT_SITES + (of & (ACCOUNT_OWNERS - 1)));
    },
  };
}
