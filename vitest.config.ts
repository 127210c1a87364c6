import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { entries, specifierOf } from './scripts/entries.ts'
import { type Project, projects, serverSetups } from './tests/projects.ts'

const source = (path: string) => fileURLToPath(new URL(`./${path}`, import.meta.url))

const { CI } = process.env

export default defineConfig({
  resolve: {
    alias: Object.entries(entries).map(([entry, path]) => ({
      find: new RegExp(`^${specifierOf(entry)}$`),
      replacement: source(path),
    })),
  },
  test: {
    projects: Object.entries<Project>(projects).map(([name, { include, server }]) => ({
      extends: true as const,
      test: { name, include: [...include], globalSetup: server === undefined ? [] : [serverSetups[server]] },
    })),
    setupFiles: ['tests/support/require-steps.ts'],
    retry: 0,
    // Only a test that hangs takes so long, on a busy machine too.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
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
