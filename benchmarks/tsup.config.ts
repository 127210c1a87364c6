import { defineConfig } from 'tsup'

/** Builds the measuring programs as plain JavaScript: a TypeScript loader would rewrite the measured code. */
export default defineConfig({
  entry: {
    measure: 'benchmarks/measure.ts',
    'langgraph/measure': 'benchmarks/langgraph/measure.ts',
    'owners/measure': 'benchmarks/owners/measure.ts',
    'turns/measure': 'benchmarks/turns/measure.ts',
    'turns/server': 'benchmarks/turns/server.ts',
    'turns/load': 'benchmarks/turns/load.ts',
  },
  outDir: 'benchmarks/.built',
  format: 'esm',
  target: 'node20',
  skipNodeModulesBundle: true,
  clean: true,
})
