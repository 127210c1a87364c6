/** A part of the tests that can be run by itself: `npx vitest run --project memory`. */
export interface Project {
  readonly include: readonly string[]
  /** The server that some of its tests use. If there is none, the run prints what it skips. */
  readonly server?: keyof typeof serverSetups
}

/** The global setup for each server. */
export const serverSetups = {
  redis: 'tests/support/redis-setup.ts',
  postgres: 'tests/support/postgres-setup.ts',
} as const

/** Each test file belongs to exactly one project; a test keeps it so. */
export const projects: Readonly<Record<string, Project>> = {
  core: { include: ['tests/core/**/*.test.ts'] },
  memory: { include: ['tests/memory/**/*.test.ts'] },
  contract: { include: ['tests/contract/*.test.ts'], server: 'redis' },
  model: { include: ['tests/model/*.test.ts', 'tests/chaos/*.test.ts'] },
  redis: { include: ['tests/redis/**/*.test.ts'], server: 'redis' },
  stores: { include: ['tests/stores/*.test.ts'], server: 'postgres' },
  watching: { include: ['tests/watching/*.test.ts'], server: 'redis' },
  adapters: { include: ['tests/adapters/*.test.ts'] },
  package: { include: ['tests/package/*.test.ts'] },
  examples: { include: ['tests/examples/*.test.ts'], server: 'redis' },
  repo: { include: ['tests/repo/*.test.ts'] },
}

/** The files of `npm run test:quick`: no server, no child process but `git`. They share a process. */
export const quick = {
  include: [
    'tests/{core,memory,model,adapters,repo}/**/*.test.ts',
    'tests/watching/{metrics-arguments,opentelemetry,opentelemetry-calls}.test.ts',
    'tests/watching/{prometheus,prometheus-registers}.test.ts',
    'tests/watching/inspector{,-arguments,-failures,-requests}.test.ts',
    'tests/contract/memory*.test.ts',
    // Those of the files on Redis that start no server.
    'tests/redis/{options,option-ranges}.test.ts',
    'tests/redis/archiving/{archive-backoff,clock-jump-detector}.test.ts',
    'tests/redis/client/{call-deadlines,client,client-error,reply-reader}.test.ts',
    'tests/redis/client/{retrying-caller,scripts,shard-guard}.test.ts',
    'tests/redis/storage/{keys,owner-text,redis-session}.test.ts',
  ],
  exclude: [
    // Child processes.
    'tests/memory/archiving/archive-keeps-process-alive.test.ts',
    'tests/memory/heap-snapshot.test.ts',
    'tests/memory/no-timer-at-import.test.ts',
    'tests/memory/shutdown/process-lifetime.test.ts',
    // It takes a global away from the files beside it.
    'tests/memory/expiry/no-global-immediate.test.ts',
    // A second or more each: very many sessions, random programs, collections of garbage.
    'tests/adapters/langchain-codec-limits.test.ts',
    'tests/adapters/langgraph-{cost,graphs,growth,in-place,steps,stored-text}.test.ts',
    'tests/memory/clear.test.ts',
    'tests/memory/expiry/assigned-timeouts.test.ts',
    'tests/memory/loading/shared-loads.test.ts',
    'tests/memory/sliced-ids.test.ts',
    'tests/memory/storing/random.test.ts',
    'tests/memory/table/{hash-index,id-hash,id-index,id-index-migration,slot-store}.test.ts',
    'tests/memory/turns/{late-timers,long-queues,turn-memory}.test.ts',
    'tests/memory/watching/random.test.ts',
    'tests/model/model*.test.ts',
  ],
} as const
