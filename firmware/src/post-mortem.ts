/**
 * What to know when a request got nothing: the request, the largest free block, the last operations, and who pins the
 * holes, that is which live blocks stand between free ones. Bounded: a ring of operations and a few holes, in arrays
 * made once.
 */
import type { Heap } from './heap.ts';
import { BLOCK_FREE, BLOCK_LIVE } from './policy.ts';

const LAST_OPERATIONS = 16;
const HOLES = 8;

export interface PostMortem {
  sizeBytes: number;
  site: number;
  freeBytes: number;
  largestFreeBytes: number;
  /** The last operations, the oldest first: 'malloc' with a size, 'free' with a block. */
  lastOperations: { kind: 'malloc' | 'free'; value: number; site: number }[];
  /** The largest holes, and the live block after each that keeps it from the next one: 0 where there is none. */
  holes: { freeBytes: number; pinnedBy: number; site: number }[];
}

export interface PostMortemRecorder {
  /** `kind` 1: malloc of `value` bytes; 2: free of block `value`. */
  operation(kind: number, value: number, site: number): void;
  failed(heap: Heap, size: number, site: number, siteOf: (block: number) => number): void;
  report(): PostMortem | null;
}

export function createPostMortem(): PostMortemRecorder {
  const ring = new Uint32Array(LAST_OPERATIONS * 3);
  let operations = 0;
  const holes = new Uint32Array(HOLES * 3);
  let holeCount = 0;
  let failure = false;
  let failedSize = 0;
  let failedSite = 0;
  let freeBytes = 0;
  let largestFreeBytes = 0;

  /** Keeps the hole when it is among the largest so far. */
  function keepHole(bytes: number, pinnedBy: number, site: number): void {
    let smallest = 0;
    if (holeCount < HOLES) smallest = holeCount++;
    else for (let i = 1; i < HOLES; i++) if (holes[i * 3]! < holes[smallest * 3]!) smallest = i;
    if (holes[smallest * 3]! >= bytes) return;
    holes[smallest * 3] = bytes;
    holes[smallest * 3 + 1] = pinnedBy;
    holes[smallest * 3 + 2] = site;
  }

  return {
    operation(kind, value, site) {
      const i = (operations++ % LAST_OPERATIONS) * 3;
      ring[i] = kind;
      ring[i + 1] = value;
      ring[i + 2] = site;
    },

    failed(heap, size, site, siteOf) {
      failure = true;
      failedSize = size;
      failedSite = site;
      freeBytes = 0;
      largestFreeBytes = 0;
      holeCount = 0;
      holes.fill(0);
      const { policy } = heap;
      let hole = 0;
      let steps = heap.u8.length >> 3;
      for (let block = policy.firstBlock(); block !== 0 && steps > 0; block = policy.nextBlock(block)) {
        steps--;
        const next = policy.nextBlock(block);
        const kind = policy.blockKind(block);
        if (kind === BLOCK_FREE) {
          const bytes = (next === 0 ? heap.u8.length : next) - block;
          hole += bytes;
          freeBytes += bytes;
          if (hole > largestFreeBytes) largestFreeBytes = hole;
        } else if (hole !== 0) {
          const payload = kind === BLOCK_LIVE ? policy.blockPayload(block) : 0;
          keepHole(hole, payload, payload === 0 ? 0 : siteOf(payload));
          hole = 0;
        }
      }
      if (hole !== 0) keepHole(hole, 0, 0);
    },

    report() {
      if (!failure) return null;
      const lastOperations: PostMortem['lastOperations'] = [];
      for (let n = Math.max(0, operations - LAST_OPERATIONS); n < operations; n++) {
        const i = (n % LAST_OPERATIONS) * 3;
        lastOperations.push({ kind: ring[i] === 1 ? 'malloc' : 'free', value: ring[i + 1]!, site: ring[i + 2]! });
      }
      const list: PostMortem['holes'] = [];
      for (let i = 0; i < holeCount; i++) {
        list.push({ freeBytes: holes[i * 3]!, pinnedBy: holes[i * 3 + 1]!, site: holes[i * 3 + 2]! });
      }
      list.sort((a, b) => b.freeBytes - a.freeBytes);
      return { sizeBytes: failedSize, site: failedSite, freeBytes, largestFreeBytes, lastOperations, holes: list };
    },
  };
}
