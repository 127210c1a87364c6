import { defineConfig } from 'vitest/config'
import base from './vitest.config.ts'

/**
 * The tests that a mutant of `src/core` and `src/memory` can fail: fast ones, in one process, without a
 * server.
 */
export default defineConfig({
  ...base,
  test: {
    include: [
      'tests/contract/memory.test.ts',
      'tests/core/*.test.ts',
      'tests/memory/**/*.test.ts',
      'tests/model/*.test.ts',
    ],
    exclude: ['**/http-status.test.ts', '**/process-lifetime.test.ts', '**/late-timers.test.ts'],
  },
})
