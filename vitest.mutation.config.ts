import { defineConfig } from 'vitest/config'
import base from './vitest.config.ts'

/** The tests that a mutant of `src/core` and `src/memory` can fail: fast ones, in one process, without a server. */
export default defineConfig({
  ...base,
  test: {
    include: [
      'tests/contract/memory.test.ts',
      'tests/property/*.test.ts',
      'tests/races/*.test.ts',
      'tests/regressions/*.test.ts',
      'tests/unit/*.test.ts',
      'tests/unit/table/*.test.ts',
    ],
    exclude: ['**/process-lifetime.test.ts', '**/late-timers.test.ts'],
  },
})
