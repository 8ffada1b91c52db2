/**
 * What to know when a request got nothing: the request, the largest free block, the last operations, and who pins the
 * holes, that is which live blocks stand between free ones. Memory beyond a program break and free pages are free: a
 * request may have them. Bounded: a ring of operations and a few holes, in arrays made once.
 */
import { blockKind, blockPayload, firstBlock, nextBlock, select } from './bound-policy.ts';
import type { Heap } from './heap.ts';
import { BLOCK_BEYOND, BLOCK_FREE, BLOCK_LIVE } from './policy.ts';

const LAST_OPERATIONS = 16;
const HOLES = 8;
/** Words of an operation, and of a hole. */
const WORDS = 3;

export const OPERATION_MALLOC = 1;
export const OPERATION_FREE = 2;

export interface PostMortem {
  sizeBytes: number;
  site: number;
  freeBytes: number;
  largestFreeBytes: number;
  /** The last operations, the oldest first: 'malloc' with a size, 'free' with a block. */
  lastOperations: { kind: 'malloc' | 'free'; value: number; site: number }[];
  /** The largest holes, the largest first, and the live block after each that keeps it from the next one: 0 where there is none. */
  holes: { freeBytes: number; pinnedBy: number; site: number }[];
}

export interface PostMortemRecorder {
  /** OPERATION_MALLOC of `value` bytes, or OPERATION_FREE of block `value`. */
  operation(kind: number, value: number, site: number): void;
  /** Walks `heap`, which it binds. `siteOf` names who asked for a live block. */
  failed(heap: Heap, size: number, site: number, siteOf: (block: number) => number): void;
  report(): PostMortem | null;
}

export function createPostMortem(): PostMortemRecorder {
  const ring = new Uint32Array(LAST_OPERATIONS * WORDS);
  const holes = new Uint32Array(HOLES * WORDS);
  let operations = 0;
  let holeCount = 0;
  let hasFailed = false;
  let failedSize = 0;
  let failedSite = 0;
  let freeBytes = 0;
  let largestFreeBytes = 0;

  /** Keeps the hole when it is among the largest so far: the list is in order, the largest first. */
  function keepHole(bytes: number, pinnedBy: number, site: number): void {
    let place = holeCount;
    while (place > 0 && holes[(place - 1) * WORDS]! < bytes) place--;
    if (place === HOLES) return;
    if (holeCount < HOLES) holeCount++;
    for (let word = holeCount * WORDS - 1; word >= (place + 1) * WORDS; word--) holes[word] = holes[word - WORDS]!;
    holes[place * WORDS] = bytes;
    holes[place * WORDS + 1] = pinnedBy;
    holes[place * WORDS + 2] = site;
  }

  return {
    operation(kind: number, value: number, site: number): void {
      const word = (operations++ % LAST_OPERATIONS) * WORDS;
      ring[word] = kind;
      ring[word + 1] = value;
      ring[word + 2] = site;
    },

    failed(heap: Heap, size: number, site: number, siteOf: (block: number) => number): void {
      const heapBytes = heap.bytes;
      hasFailed = true;
      failedSize = size;
      failedSite = site;
      freeBytes = 0;
      largestFreeBytes = 0;
      holeCount = 0;
      heap.bind();
      let hole = 0;
      let before = -1;
      let steps = heapBytes >> 3;
      for (let block = firstBlock(); block !== 0 && steps > 0; steps--) {
        const next = nextBlock(block);
        const kind = blockKind(block);
        const place = select(block);
        if (place <= before && hole !== 0) {
          // Another region begins here: no block reaches into it.
          keepHole(hole, 0, 0);
          hole = 0;
        }
        before = place;
        if (kind === BLOCK_FREE || kind === BLOCK_BEYOND) {
          const bytes = (next === 0 ? heapBytes : next) - block;
          hole += bytes;
          freeBytes += bytes;
          if (hole > largestFreeBytes) largestFreeBytes = hole;
        } else if (hole !== 0) {
          const payload = kind === BLOCK_LIVE ? blockPayload(block) : 0;
          keepHole(hole, payload, payload === 0 ? 0 : siteOf(payload));
          hole = 0;
        }
        block = next;
      }
      if (hole !== 0) keepHole(hole, 0, 0);
    },

    report(): PostMortem | null {
      if (!hasFailed) return null;
      const lastOperations: PostMortem['lastOperations'] = [];
      for (let n = Math.max(0, operations - LAST_OPERATIONS); n < operations; n++) {
        const word = (n % LAST_OPERATIONS) * WORDS;
        const kind = ring[word] === OPERATION_MALLOC ? 'malloc' : 'free';
        lastOperations.push({ kind: kind, value: ring[word + 1]!, site: ring[word + 2]! });
      }
      const list: PostMortem['holes'] = [];
      for (let word = 0; word < holeCount * WORDS; word += WORDS)
        list.push({ freeBytes: holes[word]!, pinnedBy: holes[word + 1]!, site: holes[word + 2]! });
      return {
        sizeBytes: failedSize,
        site: failedSite,
        freeBytes: freeBytes,
        largestFreeBytes: largestFreeBytes,
        lastOperations: lastOperations,
        holes: list,
      };
    },
  };
}
