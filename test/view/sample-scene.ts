// A scene made by hand, with everything in it that a view can show.
import { BLOCK_CONTROL, BLOCK_FREE, BLOCK_LIVE } from '../../firmware/src/policy.ts';
import type { Scene } from '../../host/view/scene.ts';

const blocks: [sizeBytes: number, kind: number][] = [
  [512, BLOCK_CONTROL],
  ...Array.from({ length: 60 }, (_, i): [number, number] => [64 + (i % 7) * 8, i % 3 === 2 ? BLOCK_FREE : BLOCK_LIVE]),
  [4096, BLOCK_LIVE],
  [2048, BLOCK_FREE],
];
const usedBytes = blocks.reduce((sum, [sizeBytes]) => sum + sizeBytes, 0);
export const arenaBytes = 16384;
blocks.push([arenaBytes - usedBytes, BLOCK_FREE]);

export const sampleScene: Scene = {
  source: 'sim:kaluma-pico',
  program: 'sensor.js',
  policy: 'best-fit',
  state: 'live',
  atMs: 12_345,
  clock: 'time',
  arenaBytes,
  exact: true,
  figures: {
    liveBytes: 7680,
    peakLiveBytes: 9000,
    liveBlocks: 41,
    freeBytes: 8192,
    largestFreeBytes: 6000,
    externalFragmentation: 0.27,
    internalFragmentation: 0.061,
    mallocs: 1234,
    reallocs: 56,
    frees: 1193,
    failures: 2,
    misuses: 0,
  },
  walk(visit) {
    let offset = 0;
    for (const [sizeBytes, kind] of blocks) {
      visit(offset, sizeBytes, kind);
      offset += sizeBytes;
    }
  },
  series: Array.from({ length: 200 }, (_, i) => {
    if (i >= 80 && i < 100)
      return {
        atMs: i * 60,
        liveBytes: null,
        peakLiveBytes: null,
        largestFreeBytes: null,
        externalFragmentation: null,
      };
    const liveBytes = 4000 + Math.round(3600 * Math.sin(i / 20));
    return {
      atMs: i * 60,
      liveBytes,
      peakLiveBytes: 9000,
      largestFreeBytes: 12_000 - liveBytes,
      externalFragmentation: (i % 50) / 100,
    };
  }),
  histogram: [
    { upToBytes: 8, liveBlocks: 0 },
    { upToBytes: 32, liveBlocks: 12 },
    { upToBytes: 64, liveBlocks: 20 },
    { upToBytes: 4096, liveBlocks: 1 },
  ],
  sites: [
    { name: 'src/net.js:41', liveBytes: 5120, liveBlocks: 20, mallocs: 700 },
    { name: 'src/a-rather-long-folder/with-a-long-file-name.js:1234', liveBytes: 2000, liveBlocks: 15, mallocs: 500 },
    { name: 'site 7', liveBytes: 560, liveBlocks: 6, mallocs: 34 },
  ],
  line: {
    frames: 321,
    bytes: 20_480,
    framesLost: 1,
    framesBad: 0,
    eventsDropped: 17,
    eventsPerSecond: 240,
    bytesPerSecond: 912,
  },
  message: null,
};
