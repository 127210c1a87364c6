import { defineConfig } from 'tsup'

export default defineConfig({
  // One line for each entry of the exports map in package.json.
  entry: {
    index: 'src/index.ts',
    'ai-sdk': 'src/adapters/ai-sdk.ts',
    langchain: 'src/adapters/langchain.ts',
    langgraph: 'src/adapters/langgraph.ts',
    'openai-agents': 'src/adapters/openai-agents.ts',
    redis: 'src/redis/index.ts',
    testing: 'src/testing/index.ts',
  },
  format: ['esm', 'cjs'],
  target: 'node20',
  dts: true,
  sourcemap: true,
  clean: true,
  treeshake: true,
  // Without it the CJS build copies the shared classes into each entry, and `instanceof` fails across subpaths.
  splitting: true,
  esbuildOptions(options) {
    // Puts constants where they are used: in a bundle they are `var`, and V8 loads and checks them at each use.
    options.minifySyntax = true
  },
})
