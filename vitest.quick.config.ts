import { defineConfig } from 'vitest/config'
import { quick } from './tests/projects.ts'
import base from './vitest.config.ts'

/**
 * The tests that are worth running after each change: `npm run test:quick`. Without isolation, since loading
 * the modules anew for each file takes longer than the tests.
 */
export default defineConfig({
  ...base,
  test: {
    include: [...quick.include],
    exclude: [...quick.exclude],
    setupFiles: base.test?.setupFiles ?? [],
    retry: 0,
    testTimeout: base.test?.testTimeout ?? 0,
    isolate: false,
    // By default one processor is left to Vitest itself, which does little here.
    maxWorkers: '100%',
  },
})
