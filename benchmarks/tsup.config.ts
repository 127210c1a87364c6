import { defineConfig } from 'tsup'

/**
 * What measures runs as plain JavaScript: a loader of TypeScript would change the code of this library, and
 * of peers.
 */
export default defineConfig({
  entry: ['benchmarks/measure.ts'],
  outDir: 'benchmarks/.built',
  format: 'esm',
  target: 'node20',
  skipNodeModulesBundle: true,
  clean: true,
})
