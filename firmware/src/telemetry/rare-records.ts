/**
 * The records that are rare: requests that got nothing, misuse, the program's own marks; and what the post-mortem of the
 * last failed request will say (frames.ts). They go into the frame that records.ts has open.
 */
import { LEVEL_SAMPLED, RECORD_FAILED, RECORD_MARK, RECORD_MISUSE } from '../../wire/format.ts';
import { locate } from '../bound-policy.ts';
import { HAS_RECORDS } from './has-records.ts';
import { forgetMoves, moveCount } from './moves.ts';
import { endRecord, heapId, level, logOf, putByte, putMoves, putSite, putVarint, roomForRecord } from './records.ts';
import { setIdleUntil } from './ring.ts';

/** Larger or senseless values are sent as this (2^27 - 1). */
const MOST_VALUE = 0x7ffffff;

export let failures = 0;
export let misuses = 0;
/** The request that failed last, and whether a post-mortem of it is due. */
export let mortemSize = 0;
export let mortemAlignment = 8;
export let mortemSite = 0;
export let mortemDue = false;

/** As for a heap without blocks. */
export function startRare(): void {
  failures = misuses = mortemSize = 0;
  mortemDue = false;
}

export function mortemSent(): void {
  mortemDue = false;
}

/** Puts a mark of the program's own into the stream: "here the download began". */
export function recorderMark(id: number): void {
  if (HAS_RECORDS === 0 || level < LEVEL_SAMPLED || !roomForRecord()) return;
  putByte(RECORD_MARK);
  putVarint(bounded(id));
  endRecord();
}

export function observeFailure(
  heapNumber: number,
  site: number,
  offset: number,
  alignment: number,
  size: number,
): void {
  if (heapNumber !== heapId) {
    forgetMoves();
    return;
  }
  failures++;
  if (size !== mortemSize || site !== mortemSite) {
    mortemSize = size;
    mortemAlignment = alignment;
    mortemSite = site;
    mortemDue = true;
    setIdleUntil(0);
  }
  // A request may have moved blocks and still found no room.
  if (moveCount !== 0 && !putMoves()) return;
  if (HAS_RECORDS === 0 || level < LEVEL_SAMPLED || !roomForRecord()) return;
  if (site !== 0) putSite(site);
  putByte(RECORD_FAILED);
  putByte(logOf(alignment));
  putVarint(bounded(size));
  putVarint(bounded(locate(offset)) >> 3);
  endRecord();
}

export function observeMisuse(heapNumber: number, site: number, offset: number, code: number): void {
  if (heapNumber !== heapId) return;
  misuses++;
  if (HAS_RECORDS === 0 || level < LEVEL_SAMPLED || !roomForRecord()) return;
  if (site !== 0) putSite(site);
  putByte(RECORD_MISUSE);
  putByte(code);
  putVarint(bounded(offset));
  endRecord();
}

/** What a faulty program passed, within what a varint carries. */
export function bounded(value: number): number {
  return value >= 0 && value <= MOST_VALUE ? value | 0 : MOST_VALUE;
}
