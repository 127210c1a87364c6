interface Group {
  readonly text: string
  /** The titles of the pages, by path in `docs/` without `.md`. */
  readonly pages: Readonly<Record<string, string>>
  readonly collapsed?: boolean
}

/** The pages of the site in the order in which they are shown. A test checks that none is missing. */
export const groups: readonly Group[] = [
  {
    text: 'Guide',
    pages: {
      start: 'Start',
      options: 'Options',
      sessions: 'Sessions and time',
      turns: 'Turns',
      durability: 'Durability',
      'live-resources': 'Live resources',
      'limits-and-owners': 'Limits and owners',
      redis: 'Several processes',
      watching: 'Watching',
      logging: 'Log lines',
      testing: 'Testing',
      errors: 'Errors',
    },
  },
  {
    text: 'Frameworks',
    pages: {
      'frameworks/langchain': 'LangChain',
      'frameworks/langgraph': 'LangGraph',
      'frameworks/openai-agents': 'OpenAI Agents',
      'frameworks/ai-sdk': 'Vercel AI SDK',
      'frameworks/claude-agent': 'Claude Agent SDK',
      'frameworks/express': 'Express, Fastify, Koa',
      'frameworks/nextjs': 'Next.js',
      'frameworks/mcp': 'MCP',
      'frameworks/chat-bots': 'Chat bots',
    },
  },
  {
    text: 'Recipes',
    pages: {
      'recipes/http': 'A server on node:http',
      'recipes/streaming': 'Streaming',
      'recipes/websockets': 'WebSockets',
      'recipes/process-pool': 'One child process per session',
      'recipes/prometheus': 'Prometheus',
      'recipes/opentelemetry': 'OpenTelemetry',
      'recipes/inspector': 'A page on your sessions',
    },
  },
  { text: 'Production', pages: { operating: 'Operating', performance: 'Performance' } },
  {
    text: 'Extending',
    pages: { 'write-a-store': 'Write a store', 'writing-an-adapter': 'Write an adapter' },
  },
  {
    text: 'Moving from',
    collapsed: true,
    pages: {
      'moving/from-a-map': 'a Map',
      'moving/from-lru-cache': 'lru-cache',
      'moving/from-memorystore': 'memorystore',
      'moving/from-hooks': 'archive and load',
      'moving/from-0.1': 'version 0.1',
    },
  },
  {
    text: 'Design',
    collapsed: true,
    pages: {
      'design/architecture': 'Architecture',
      'design/decisions': 'Decisions',
      'design/glossary': 'Glossary',
      'design/redis': 'Redis internals',
    },
  },
  {
    text: 'Project',
    collapsed: true,
    pages: {
      'project/CHANGELOG': 'Changelog',
      'project/CONTRIBUTING': 'Contributing',
      'project/SECURITY': 'Security',
      'project/LICENSE': 'License',
    },
  },
]
