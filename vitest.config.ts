import { defineConfig } from 'vitest/config';

// Two workers: the machines this runs on have two cores, and virtual boards are CPU-bound.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/clients/node_modules/**'],
    globalSetup: 'test/support/own-cache.ts',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // One second is not enough for a browser on a machine that does other things.
    expect: { poll: { timeout: 8000 } },
  },
});
