/**
 * The entries of the package, with the file of each: the one list from which tsup and vitest take theirs.
 * Tests compare the `exports` of package.json and the `paths` of tsconfig.json with it, since JSON can import
 * nothing.
 */
export const entries: Readonly<Record<string, string>> = {
  index: 'src/index.ts',
  'ai-sdk': 'src/adapters/ai-sdk.ts',
  langchain: 'src/adapters/langchain.ts',
  langgraph: 'src/adapters/langgraph.ts',
  'openai-agents': 'src/adapters/openai-agents.ts',
  redis: 'src/redis/index.ts',
  testing: 'src/testing/index.ts',
}

/** The specifier that a program imports an entry by. */
export function specifierOf(entry: string): string {
  return entry === 'index' ? 'session-registry' : `session-registry/${entry}`
}
