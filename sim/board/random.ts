/**
 * A seeded generator: the only source of chance on a virtual board, so that a seed gives the same bytes each time.
 * Marsaglia's xorshift with the triple (13, 17, 5): period 2^32 - 1, more than a fault run draws.
 */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** A whole number in [0, bound). */
  below(bound: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
}

/** 2^32 divided by the golden ratio: spreads neighbouring seeds apart. */
const goldenGamma = 0x9e3779b9;

export function createRandom(seed: number): Random {
  // Zero is the one state that xorshift never leaves.
  let state = Math.imul(seed + 1, goldenGamma) | 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  return {
    next,
    below: (bound) => Math.floor(next() * bound),
    // Draws even for probability 0, so that turning one fault on does not move the others.
    chance: (probability) => next() < probability,
  };
}
