/**
 * What is known of each block that a safe heap gave: kept in arrays of its own, where no write through a payload's
 * offset can reach it. All arrays are made once; nothing is allocated per operation.
 *
 * A slot holds one block. `slotAt` leads from a place to its slot: from every granule a block covers, so that two
 * blocks that share a granule are found at once; or from the handle alone where blocks move.
 */
export const SLOT_LIVE = 1;
export const SLOT_QUARANTINED = 2;

/** Offsets or sizes, by slot. */
type Words = Uint16Array | Uint32Array;

export interface BlockTable {
  /** Slots; 0 is never used. */
  capacity: number;
  /** Bytes of all arrays. */
  bytes: number;
  /** By slot: what the program holds; the policy's block; request in bytes; bytes between block and payload. */
  keyOf: Words;
  innerOf: Words;
  sizeOf: Words;
  leadOf: Words;
  usableOf: Words;
  siteOf: Uint16Array;
  ownerOf: Uint8Array;
  /** 0 unused, SLOT_LIVE, SLOT_QUARANTINED. */
  stateOf: Uint8Array;
  /** A free slot, 0 when all are taken. */
  take(): number;
  give(slot: number): void;
  /** The slot whose key this is, 0 when there is none. */
  find(key: number): number;
  /** The slot that covers a place: an offset, or where blocks move a handle. */
  at(place: number): number;
  /** Whether any granule of [from, from + bytes) belongs to a slot. */
  overlaps(from: number, bytes: number): boolean;
  mark(slot: number, from: number, bytes: number): void;
  unmark(from: number, bytes: number): void;
}

/** Slots for an arena: more than blocks of a guarded byte fit into it. */
function slotsFor(arenaBytes: number): number {
  return Math.min(65535, (arenaBytes >> 5) + 2);
}

/** Bytes of a number that is an offset or a size in the arena: two where they suffice. */
function wordBytes(arenaBytes: number): number {
  return arenaBytes < 0x10000 ? 2 : 4;
}

/** Bytes of a slot besides its five offsets and sizes: the next free one, site, owner, state. */
const SLOT_BYTES = 2 + 2 + 1 + 1;

/** Bytes of the table for an arena, outside of it. */
export function blockTableBytes(arenaBytes: number): number {
  return ((arenaBytes >> 3) + 1) * 2 + slotsFor(arenaBytes) * (SLOT_BYTES + 5 * wordBytes(arenaBytes));
}

/** `moves`: keys are handles, and granules are not marked. */
export function createBlockTable(arenaBytes: number, moves: boolean): BlockTable {
  const capacity = slotsFor(arenaBytes);
  const places = (arenaBytes >> 3) + 1;
  const slotAt = new Uint16Array(places);
  const nextFree = new Uint16Array(capacity);
  const words = (): Words => (wordBytes(arenaBytes) === 2 ? new Uint16Array(capacity) : new Uint32Array(capacity));
  const keyOf = words();
  for (let slot = 1; slot < capacity - 1; slot++) nextFree[slot] = slot + 1;
  let free = 1;
  const place = (key: number): number => (moves ? key : key >> 3);

  return {
    capacity,
    bytes: blockTableBytes(arenaBytes),
    keyOf,
    innerOf: words(),
    sizeOf: words(),
    leadOf: words(),
    usableOf: words(),
    siteOf: new Uint16Array(capacity),
    ownerOf: new Uint8Array(capacity),
    stateOf: new Uint8Array(capacity),

    take(): number {
      const slot = free;
      if (slot !== 0) free = nextFree[slot]!;
      return slot;
    },

    give(slot: number): void {
      keyOf[slot] = 0;
      nextFree[slot] = free;
      free = slot;
    },

    find(key: number): number {
      if (key <= 0 || place(key) >= places) return 0;
      const slot = slotAt[place(key)]!;
      return slot !== 0 && keyOf[slot] === key ? slot : 0;
    },

    at(where: number): number {
      return where > 0 && place(where) < places ? slotAt[place(where)]! : 0;
    },

    overlaps(from: number, bytes: number): boolean {
      if (moves) return slotAt[from] !== 0;
      for (let granule = from >> 3; granule < (from + bytes) >> 3; granule++) if (slotAt[granule] !== 0) return true;
      return false;
    },

    mark(slot: number, from: number, bytes: number): void {
      if (moves) slotAt[from] = slot;
      else for (let granule = from >> 3; granule < (from + bytes) >> 3; granule++) slotAt[granule] = slot;
    },

    unmark(from: number, bytes: number): void {
      if (moves) slotAt[from] = 0;
      else for (let granule = from >> 3; granule < (from + bytes) >> 3; granule++) slotAt[granule] = 0;
    },
  };
}
