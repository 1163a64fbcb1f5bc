// `npm run measure`: figures of the console on this machine. No tests: nothing is expected of them.
import { defineConfig } from 'vitest/config';
import { DEADLINE_MS } from './deadline.ts';

export default defineConfig({
  test: {
    include: ['e2e/measure.ts'],
    fileParallelism: false,
    testTimeout: 20 * DEADLINE_MS,
    expect: { poll: { timeout: DEADLINE_MS, interval: 100 } },
    reporters: ['verbose'],
  },
});
