import { defineConfig } from 'vitest/config';

// Three workers: the machines this runs on have two cores; virtual boards keep one busy, and a third of the time a
// test waits for a process, a browser or a clock.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/clients/node_modules/**'],
    globalSetup: 'test/support/own-cache.ts',
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // One second is not enough for a browser on a machine that does other things.
    expect: { poll: { timeout: 8000 } },
  },
});
