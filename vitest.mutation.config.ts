import { defineConfig } from 'vitest/config'
import { quick } from './tests/projects.ts'
import base from './vitest.config.ts'

/**
 * The tests that a mutant of `src/core` and `src/memory` can fail. They run anew for each mutant, so all of
 * them are fast, in one process, and load the modules once.
 */
export default defineConfig({
  ...base,
  test: {
    include: ['tests/contract/memory*.test.ts', 'tests/core/**/*.test.ts', 'tests/memory/**/*.test.ts'],
    exclude: [
      ...quick.exclude,
      '**/*.race.test.ts',
      'tests/core/http-status.test.ts',
      'tests/memory/no-echo.test.ts',
      'tests/memory/table/{*-model,activity-heap,hash-*}.test.ts',
    ],
    setupFiles: [base.test?.setupFiles ?? [], 'tests/support/forget-coverage.ts'].flat(),
    isolate: false,
  },
})
