// StrykerJS keeps the coverage of all tests of a process in one object, and reports it after each file. With
// one process for all files it would grow with their square, to more than the heap: each file starts anew.
const stryker: { readonly mutantCoverage?: { readonly perTest: Record<string, unknown> } } | undefined =
  Reflect.get(globalThis, '__stryker__')
const coverage = stryker?.mutantCoverage?.perTest ?? {}
for (const test of Object.keys(coverage)) delete coverage[test]

export {}
