// The fragmentation verdict names the blocks that hold free memory apart.
import { expect, test } from 'vitest';
import { fragmentation, fragmentationSentence } from '../../host/answers/fragmentation.ts';
import { HeapModel } from '../../host/model/heap-model.ts';

/** before  [ 120 free ][ site 41 ][ 120 free ][ site 41 ] ... [ rest live ] */
function comb(): HeapModel {
  const model = new HeapModel();
  model.begin(2048, 12, 4);
  for (let tooth = 0; tooth < 8; tooth++) model.malloc(136 + tooth * 136, 12, 12, 41);
  model.malloc(16 + 8 * 136, 900, 2048 - 20 - 8 * 136, 7);
  return model;
}

test('a comb of small blocks is fragmented, and its teeth are named', () => {
  const verdict = fragmentation(comb());
  expect(verdict).toMatchObject({ freeBytes: 960, freeBlocks: 8, largestFreeBytes: 120, isFragmented: true });
  expect(verdict.outOfReach).toBeCloseTo(1 - 120 / 960);
  expect(verdict.pins).toHaveLength(4);
  for (const pin of verdict.pins)
    expect(pin).toMatchObject({ liveBlocks: 1, liveBytes: 16, sites: [41], joinedBytes: 256 });
  expect(fragmentationSentence(verdict, (site) => `net.js:${site}`)).toBe(
    '960 B free in 8 pieces, the largest 120 B, held apart by 4 blocks from net.js:41.',
  );
});

test('a heap with its free memory in one piece is not', () => {
  const model = new HeapModel();
  model.begin(2048, 12, 4);
  model.malloc(16, 500, 500, 1);
  const verdict = fragmentation(model);
  expect(verdict).toMatchObject({ isFragmented: false, outOfReach: 0, pins: [] });
  expect(fragmentationSentence(verdict, String)).toBe('1532 B free in one piece.');
});

test('a full heap is not called fragmented', () => {
  const model = comb();
  for (let tooth = 0; tooth < 8; tooth++) if (tooth % 4 !== 0) model.malloc(16 + tooth * 136, 116, 116, 1);
  expect(fragmentation(model).freeBlocks).toBe(2);
  expect(fragmentation(model).isFragmented).toBe(false);
});
