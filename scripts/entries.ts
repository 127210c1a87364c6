/**
 * Entries of the package, with the file of each: the one list that tsup and vitest read. Tests compare the
 * `exports` of package.json and the `paths` of tsconfig.json with it, since JSON cannot import.
 */
export const entries: Readonly<Record<string, string>> = {
  index: 'src/index.ts',
  'ai-sdk': 'src/adapters/ai-sdk.ts',
  'claude-agent': 'src/adapters/claude-agent.ts',
  'express-session': 'src/adapters/express-session.ts',
  grammy: 'src/adapters/grammy.ts',
  inspector: 'src/watching/inspector.ts',
  langchain: 'src/adapters/langchain.ts',
  langgraph: 'src/adapters/langgraph.ts',
  mcp: 'src/adapters/mcp.ts',
  'openai-agents': 'src/adapters/openai-agents.ts',
  opentelemetry: 'src/watching/opentelemetry.ts',
  prometheus: 'src/watching/prometheus.ts',
  redis: 'src/redis/index.ts',
  slack: 'src/adapters/slack.ts',
  'stores/file': 'src/stores/file.ts',
  'stores/keyv': 'src/stores/keyv.ts',
  'stores/postgres': 'src/stores/postgres.ts',
  'stores/sqlite': 'src/stores/sqlite.ts',
  'stores/unstorage': 'src/stores/unstorage.ts',
  testing: 'src/testing/index.ts',
}

/** Returns the specifier by which a program imports an entry. */
export function specifierOf(entry: string): string {
  return entry === 'index' ? 'session-registry' : `session-registry/${entry}`
}
