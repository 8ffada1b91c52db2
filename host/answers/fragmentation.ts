/**
 * The fragmentation verdict: how much of the free memory cannot be had in one piece, and which blocks keep it apart.
 *
 * A pin is a run of live blocks between two stretches of free memory. Freeing the pins beside the largest free block
 * makes it larger; those with the least live bytes for the most gain are named first.
 */
import type { HeapModel } from '../model/heap-model.ts';

export interface Pin {
  /** First live block of the run. */
  offset: number;
  liveBlocks: number;
  liveBytes: number;
  /** Sites of the run's blocks, each once, as far as it is short. */
  sites: number[];
  /** Bytes of the free block there would be without it. */
  joinedBytes: number;
}

export interface FragmentationVerdict {
  freeBytes: number;
  freeBlocks: number;
  largestFreeBytes: number;
  /** Part of the free memory outside the largest block. */
  outOfReach: number;
  /** Worth words: much is free, and most of it out of reach. */
  isFragmented: boolean;
  pins: Pin[];
}

const MOST_PINS = 4;
/** A run of more blocks holds nothing apart: it is what the program uses. */
const MOST_BLOCKS_OF_A_PIN = 8;
const FRAGMENTED = 0.5;
/** Free memory below this part of the arena is a full heap, not a fragmented one. */
const CONSIDERABLE = 0.05;

interface Run {
  offset: number;
  liveBlocks: number;
  liveBytes: number;
  sites: Set<number>;
}

export function fragmentation(model: HeapModel): FragmentationVerdict {
  const { freeBytes, freeBlocks, largestFreeBytes, externalFragmentation } = model.metrics();
  const pins: Pin[] = [];
  let freeBefore = 0;
  let run: Run | null = null;
  model.forEachBlock((block) => {
    if (block.live || block.control || block.beyond) {
      run ??= { offset: block.offset, liveBlocks: 0, liveBytes: 0, sites: new Set() };
      // What the policy keeps for itself, and what lies beyond a break, moves with nothing the program does.
      run.liveBlocks += block.live ? 1 : MOST_BLOCKS_OF_A_PIN;
      run.liveBytes += block.bytes;
      run.sites.add(block.site);
      return;
    }
    if (run !== null && freeBefore > 0 && run.liveBlocks <= MOST_BLOCKS_OF_A_PIN) {
      const joinedBytes = freeBefore + run.liveBytes + block.bytes;
      if (joinedBytes > largestFreeBytes) pins.push({ ...run, sites: [...run.sites], joinedBytes });
    }
    freeBefore = block.bytes;
    run = null;
  });
  pins.sort((a, b) => b.joinedBytes - b.liveBytes - (a.joinedBytes - a.liveBytes) || a.offset - b.offset);
  return {
    freeBytes,
    freeBlocks,
    largestFreeBytes,
    outOfReach: externalFragmentation,
    isFragmented: externalFragmentation > FRAGMENTED && freeBytes > CONSIDERABLE * model.arenaBytes,
    pins: pins.slice(0, MOST_PINS),
  };
}

/** "3.1 KB free, largest 512 B, held apart by 4 blocks from net.js:41". */
export function fragmentationSentence(verdict: FragmentationVerdict, nameOf: (site: number) => string): string {
  const { freeBytes, largestFreeBytes, freeBlocks, pins } = verdict;
  const pieces = freeBlocks === 1 ? 'one piece' : `${freeBlocks} pieces, the largest ${largestFreeBytes} B`;
  const start = `${freeBytes} B free in ${pieces}`;
  if (pins.length === 0) return `${start}.`;
  const blocks = pins.reduce((sum, pin) => sum + pin.liveBlocks, 0);
  const names = [...new Set(pins.flatMap((pin) => pin.sites))].map(nameOf).slice(0, 3);
  return `${start}, held apart by ${blocks} ${blocks === 1 ? 'block' : 'blocks'} from ${names.join(', ')}.`;
}
