import { defineConfig } from 'tsup'

/** Builds the measuring program as plain JavaScript: a TypeScript loader would rewrite the measured code. */
export default defineConfig({
  entry: { measure: 'benchmarks/measure.ts', 'owners/measure': 'benchmarks/owners/measure.ts' },
  outDir: 'benchmarks/.built',
  format: 'esm',
  target: 'node20',
  skipNodeModulesBundle: true,
  clean: true,
})
