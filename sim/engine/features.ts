/**
 * What a cost model counts. A feature is one kind of work of a real engine ("a token of punctuation is read", "a local
 * variable is fetched"); a block of program text is a bag of features; a table gives each feature its price. The same
 * bags serve to charge a run (prices folded into one number a block) and to fit the prices (counts kept apart).
 */
export type Bag = Map<string, number>;

export function addTo(bag: Bag, feature: string, count = 1): void {
  if (count !== 0) bag.set(feature, (bag.get(feature) ?? 0) + count);
}

/** A price of each feature: core cycles (JerryScript) or instructions (Espruino). */
export type Prices = Readonly<Record<string, number>>;

/** The price of a bag. A feature without a price costs nothing; `missing` hears of it. */
export function priceOf(bag: Bag, prices: Prices, missing?: (feature: string) => void): number {
  let sum = 0;
  for (const [feature, count] of bag) {
    const price = prices[feature];
    if (price === undefined) missing?.(feature);
    else sum += price * count;
  }
  return sum;
}
