import { defineConfig } from 'tsup'
import { entries } from './scripts/entries.ts'

export default defineConfig({
  entry: { ...entries },
  format: ['esm', 'cjs'],
  target: 'node20',
  dts: true,
  // A map names files of `src`, which the package does not have, and would be three quarters of its size.
  sourcemap: false,
  clean: true,
  treeshake: true,
  // Without it the CJS build copies the shared classes into each entry, and `instanceof` fails across
  // subpaths.
  splitting: true,
  // Built-ins stay `node:…`: Deno, Workers and some bundlers resolve them in no other way.
  removeNodeProtocol: false,
  esbuildOptions(options) {
    // Puts constants where they are used: in a bundle they are `var`, and V8 loads and checks them at each
    // use.
    options.minifySyntax = true
  },
})
