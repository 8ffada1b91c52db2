/** The keys of the page, as its help and docs/monitor-web.md list them. Pure. */
export const KEYS = [
  ['p', 'pause, go on'],
  ['← →', 'a step back, a step on'],
  ['Home End', 'the beginning, now'],
  ['m', 'mark this moment'],
  ['on the map: ← → ↑ ↓', 'through the blocks'],
  ['on the map: + − 0', 'larger, smaller, all of it'],
  ['on the map: Enter', 'zoom to the block'],
  ['?', 'these keys'],
] as const;
