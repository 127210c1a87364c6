import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^session-registry$/, replacement: source('./src/index.ts') },
      { find: /^session-registry\/redis$/, replacement: source('./src/redis/index.ts') },
      { find: /^session-registry\/testing$/, replacement: source('./src/testing/index.ts') },
    ],
  },
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: ['tests/support/redis-setup.ts'],
    retry: 0,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'json-summary'],
    },
  },
})
