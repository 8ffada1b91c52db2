/**
 * What the names in `// loop: at most NAME` stand for in an arena of a given size: the contract between the policies'
 * annotations and the time bounds (wcet.ts). The tests count every loop's rounds on the core and hold them to this.
 */

/** The smallest block of any policy, and the smallest page and large block, in bytes. */
const LEAST_BLOCK_BYTES = 8;
const LEAST_PAGE_BYTES = 128;
/** Buddy's unit, and its orders. */
const ORDERS = 16;
const PERCORE_PAGE_BYTES = 512;
const WORD_BYTES = 4;
/** A word of the map of block starts has a bit for each of 16 granules of 8 bytes. */
const START_WORD_COVERS_BYTES = 128;

/** Names to rounds, for an arena of `arenaBytes`. */
export function loopCounts(arenaBytes: number): Record<string, number> {
  const words = Math.ceil(arenaBytes / WORD_BYTES);
  const pages = Math.ceil(arenaBytes / LEAST_PAGE_BYTES);
  // W of free-trie.ts: bits that hold any granule number.
  const granuleBits = 32 - Math.clz32(arenaBytes >> 3);
  return {
    // Copies, and what is cleared.
    words,
    // One for each block there can be.
    blocks: Math.ceil(arenaBytes / LEAST_BLOCK_BYTES),
    // Free lists, of which a policy has no more than words.
    lists: words,
    // Entries of a batch: the list lies in the arena.
    batch: words,
    // Pages, and free runs of them.
    pages,
    runs: pages,
    // Pages of percore, and large blocks that wait to be freed: 0 for a program without interrupts that use the heap.
    pages512: Math.ceil(arenaBytes / PERCORE_PAGE_BYTES),
    deferred: Math.ceil(arenaBytes / PERCORE_PAGE_BYTES),
    // A path of the tree of free blocks, and a search in it.
    keyBits: 2 * granuleBits + 3,
    searchSteps: 4 * granuleBits + 4,
    // Lists of orders, the map of units or all blocks, walked after a program overwrote links: 0 for one that does not.
    overwritten: Math.max(ORDERS, Math.ceil(arenaBytes / LEAST_BLOCK_BYTES)),
    // The map of block starts.
    startWords: Math.ceil(arenaBytes / START_WORD_COVERS_BYTES) + 1,
  };
}
