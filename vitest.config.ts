import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const { CI } = process.env

export default defineConfig({
  resolve: {
    alias: [
      { find: /^session-registry$/, replacement: source('./src/index.ts') },
      { find: /^session-registry\/ai-sdk$/, replacement: source('./src/adapters/ai-sdk.ts') },
      { find: /^session-registry\/langchain$/, replacement: source('./src/adapters/langchain.ts') },
      { find: /^session-registry\/langgraph$/, replacement: source('./src/adapters/langgraph.ts') },
      { find: /^session-registry\/openai-agents$/, replacement: source('./src/adapters/openai-agents.ts') },
      { find: /^session-registry\/redis$/, replacement: source('./src/redis/index.ts') },
      { find: /^session-registry\/testing$/, replacement: source('./src/testing/index.ts') },
    ],
  },
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: ['tests/support/redis-setup.ts'],
    retry: 0,
    // The file gives CI its closing line.
    reporters: CI === undefined ? ['default'] : ['default', 'json'],
    outputFile: { json: 'coverage/tests.json' },
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'json-summary'],
    },
  },
})
