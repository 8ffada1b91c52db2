// Invariants of the series. 1: fixed memory. 2: a peak survives merging. 3: a gap stays a gap, silence does not become one.
import { expect, test } from 'vitest';
import { Timeline } from '../../host/view/timeline.ts';

const sample = (liveBytes: number) => ({
  liveBytes,
  peakLiveBytes: 100,
  largestFreeBytes: 1000 - liveBytes,
  externalFragmentation: liveBytes / 1000,
});

test('1, 2: a million samples take the points asked for, and the one peak is among them', () => {
  const timeline = new Timeline(256);
  for (let at = 0; at < 1_000_000; at++) timeline.add(at, sample(at === 345_678 ? 900 : 10));
  const points = timeline.points(80);
  expect(points).toHaveLength(80);
  expect(points.filter((point) => point.liveBytes === 900)).toHaveLength(1);
  expect(Math.min(...points.map((point) => point.largestFreeBytes!))).toBe(100);
});

test('3: silence holds the last values, a gap shows nothing', () => {
  const timeline = new Timeline(64);
  timeline.add(0, sample(10));
  timeline.add(10, sample(20));
  timeline.gap(11, 20);
  timeline.add(21, sample(30));
  const live = timeline.points(64).map((point) => point.liveBytes);
  expect(live).toEqual([...new Array(10).fill(10), 20, ...new Array(10).fill(null), 30]);
});

test('an empty timeline has no points', () => {
  expect(new Timeline().points(80)).toEqual([]);
});
