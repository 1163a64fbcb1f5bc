// How the journeys run: one file after the other, since each has a gateway and a browser of its own.
import { defineConfig } from 'vitest/config';
import { DEADLINE_MS } from './deadline.ts';

export default defineConfig({
  test: {
    include: ['e2e/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 6 * DEADLINE_MS,
    hookTimeout: 2 * DEADLINE_MS,
    expect: { poll: { timeout: DEADLINE_MS, interval: 100 } },
  },
});
