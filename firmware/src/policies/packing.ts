/**
 * How `compact` moves blocks. Handles keep their order, so a new block takes a free handle and has to lie between the
 * blocks of its neighbours: where the free handle's hole is. What a block leaves of the hole goes to the next free handle,
 * past the blocks between the two, and so the hole wanders: down the table to the room below the last block, then up.
 * On its way it takes up the holes that free has left.
 *
 *   | room | 9 | hole 8 | 7 | 6 | hole 5 ...... | 4 |      malloc: 5 takes its part, 7 and 6 move up, 8 has the rest
 *   | room | 9 | hole 8 ...... | 7 | 6 | new 5  | 4 |
 *
 * A pinned block is never passed: the hole stays on its side, and the next one goes on.
 */
import { u16 } from '../arena.ts';
import { moveBytes } from '../copy.ts';
import { noteMoved } from '../telemetry/moves.ts';
import {
  addHandle,
  ENTRY,
  endOfTable,
  FREE_BIT,
  FREES,
  floorOf,
  GAP,
  HANDLES,
  isFree,
  isPinnedBetween,
  isTable,
  lengthOf,
  PINS,
  startOf,
  tableEnd,
  trim,
  UPWARD,
} from './handle-table.ts';

/** A free handle becomes that of a block. */
function take(handle: number, start: number, gap: number): void {
  u16[ENTRY + handle] = start;
  u16[FREES] = u16[FREES]! - 1;
  u16[GAP] = gap;
}

/** A new handle and its block of `need` granules below the last one; 0 when there is no room. */
function append(need: number): number {
  const last = u16[HANDLES]!;
  const at = startOf(last) - need;
  return at < endOfTable(last + u16[PINS]! + 1) ? 0 : addHandle(at);
}

/** A handle and its block of `need` granules where none has to move; 0 when there is no such place. */
export function serve(need: number): number {
  const gap = u16[GAP]!;
  const last = u16[HANDLES]!;
  if (gap !== 0) {
    const at = startOf(gap - 1) - need;
    const floor = floorOf(gap);
    let follower = 0;
    if (gap < last && isFree(gap + 1)) follower = gap + 1;
    // What a block leaves of a hole needs a handle too, or must be room.
    if (at === floor || (at > floor && (follower !== 0 || gap === last))) {
      take(gap, at, follower);
      return gap;
    }
  }
  // With many free handles, those are used: the table does not shrink.
  return u16[FREES]! > 8 + (last >> 2) ? 0 : append(need);
}

/** Moves the blocks and holes of handles `first` to `last`, whose contents end at granule `until`, by so many granules. */
function shift(first: number, last: number, until: number, by: number): void {
  const from = startOf(last);
  if (by === 0) return;
  if (from < until) {
    moveBytes((from + by) << 3, from << 3, (until - from) << 3);
    noteMoved(from, until, from + by);
  }
  for (let handle = first; handle <= last; handle++) u16[ENTRY + handle] = u16[ENTRY + handle]! + by;
}

/** Gives `by` granules of the hole of `gap` to the next free handle, or to room; the blocks between move. */
function carry(gap: number, next: number, by: number): void {
  if (next > gap) shift(gap, next - 1, startOf(gap), by);
  else shift(next, gap - 1, startOf(next), -by);
}

/** The next free handle; one more than all handles where room comes first, 0 where the arena's end does. */
function nextFree(handle: number, isUpward: boolean): number {
  const last = u16[HANDLES]!;
  let next = isUpward ? handle - 1 : handle + 1;
  while (next > 0 && next <= last && !isFree(next)) next = isUpward ? next - 1 : next + 1;
  return next;
}

/** Granules that are free in all. */
function freeGranules(): number {
  const last = u16[HANDLES]!;
  let free = startOf(last) - tableEnd();
  for (let handle = last; handle > 0; handle--) if (isFree(handle)) free = free + lengthOf(handle);
  return free;
}

/** Gives `by` granules of the hole of `gap` to the block of `handle`; there is no hole between them. */
function widen(handle: number, gap: number, by: number): void {
  if (handle > gap) shift(gap, handle - 1, startOf(gap), by);
  else shift(handle, gap - 1, startOf(handle - 1), -by);
}

/**
 * Lets the hole wander until a block of `need` granules has room. Returns its handle; or `grown`, when that block has
 * become longer by `more`; 0 when neither can be.
 */
export function wander(need: number, grown: number, more: number): number {
  if (!isTable()) return 0;
  trim();
  const last = u16[HANDLES]!;
  let gap = u16[GAP]!;
  let isUpward = u16[UPWARD] !== 0;
  if (gap === 0 || startOf(last) - tableEnd() > lengthOf(gap)) gap = last + 1;
  for (let turns = 0; turns < 4; ) {
    if (gap > last) {
      const handle = u16[FREES] === 0 ? append(need) : 0;
      if (handle !== 0) {
        u16[GAP] = 0;
        return handle;
      }
      if (!isUpward) turns++;
      isUpward = true;
    }
    const next = nextFree(gap, isUpward);
    const has = gap > last ? startOf(last) - tableEnd() : lengthOf(gap);
    if (grown !== 0 && has >= more && grown > gap === grown < next && !isPinnedBetween(gap, grown)) {
      widen(grown, gap, more);
      u16[GAP] = gap > last ? 0 : gap;
      return grown;
    }
    if (gap <= last && has >= need) {
      let owner = next;
      if (has > need && (owner === 0 || isPinnedBetween(gap, owner))) owner = nextFree(gap, !isUpward);
      if (has === need || (owner !== 0 && !isPinnedBetween(gap, owner))) {
        if (has > need) carry(gap, owner, has - need);
        take(gap, startOf(gap), owner > last ? 0 : owner);
        u16[UPWARD] = isUpward ? 1 : 0;
        return gap;
      }
    }
    if (next === 0) {
      turns++;
      isUpward = false;
      if (freeGranules() < Math.min(need, grown === 0 ? need : more)) turns = 4;
    } else {
      // An eighth of what is not needed stays room, for handles and pins.
      const stays = gap > last && has > need ? (has - need) >> 3 : 0;
      if (!isPinnedBetween(gap, next)) carry(gap, next, has - stays);
      gap = next;
    }
  }
  u16[GAP] = 0;
  u16[UPWARD] = 0;
  // Where pins keep what was used from the room that there is.
  return append(need);
}

/** Moves all blocks below the last pinned one up against it, so that all their holes are room. */
export function packUp(pinned: number): void {
  const top = startOf(pinned);
  const last = u16[HANDLES]!;
  let to = top;
  let end = top;
  for (let handle = pinned + 1; handle <= last; handle++) {
    const from = startOf(handle);
    if (isFree(handle)) u16[ENTRY + handle] = FREE_BIT | to;
    else {
      to = to - (end - from);
      if (to !== from) moveBytes(to << 3, from << 3, (end - from) << 3);
      u16[ENTRY + handle] = to;
    }
    end = from;
  }
  if (to !== end) noteMoved(end, top, to);
  u16[GAP] = 0;
}
