import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { PGlite } from '@electric-sql/pglite'
import { Keyv } from 'keyv6'
import { Pool } from 'pg'
import type { SessionStore } from 'session-registry'
import { fileStore } from 'session-registry/stores/file'
import { keyvStore } from 'session-registry/stores/keyv'
import { postgresStore } from 'session-registry/stores/postgres'
import { sqliteStore } from 'session-registry/stores/sqlite'
import { unstorageStore } from 'session-registry/stores/unstorage'
import { createStorage } from 'unstorage'
import fsDriver from 'unstorage/drivers/fs'
import memoryDriver from 'unstorage/drivers/memory'
import { findPostgres, PostgresServer } from '../../tests/support/postgres-server.ts'

/** An empty store for a measurement. */
export interface OpenStore {
  readonly store: SessionStore
  close(): Promise<void>
}

/** The stores that can be measured on this machine, by the name of their row. */
export const openStores: ReadonlyMap<string, () => Promise<OpenStore>> = new Map([
  ['files', () => inFolder(async (folder) => ({ store: fileStore(join(folder, 'sessions')) }))],
  hasNodeSqlite()
    ? (['node:sqlite', openNodeSqlite] as const)
    : (['better-sqlite3', openBetterSqlite] as const),
  ['PGlite', openPGlite],
  ...(findPostgres() === undefined ? [] : [['PostgreSQL', openPostgres] as const]),
  ['unstorage, memory', async () => closing(unstorageStore(createStorage({ driver: memoryDriver() })))],
  [
    'unstorage, fs',
    () =>
      inFolder(async (base) => ({ store: unstorageStore(createStorage({ driver: fsDriver({ base }) })) })),
  ],
  ['Keyv, memory', async () => closing(keyvStore(new Keyv()))],
] as const)

function hasNodeSqlite(): boolean {
  return process.getBuiltinModule?.('node:sqlite') !== undefined
}

function openNodeSqlite(): Promise<OpenStore> {
  return inFolder(async (folder) => ({ store: sqliteStore(join(folder, 'sessions.db')) }))
}

/**
 * With the settings that the store itself makes with `node:sqlite`. Its addon fits only the Node that
 * installed it.
 */
function openBetterSqlite(): Promise<OpenStore> {
  return inFolder(async (folder) => {
    const { default: Database } = await import('better-sqlite3')
    const database = new Database(join(folder, 'sessions.db'))
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = FULL')
    return { store: sqliteStore(database), close: async () => void database.close() }
  })
}

async function openPGlite(): Promise<OpenStore> {
  const lite = new PGlite()
  return { store: postgresStore(lite), close: () => lite.close() }
}

async function openPostgres(): Promise<OpenStore> {
  const server = await PostgresServer.start()
  const pool = new Pool({ connectionString: server.url })
  // The server ends before the last connection has closed.
  pool.on('error', () => {})
  const close = async () => {
    await pool.end()
    await server.stop()
  }
  return { store: postgresStore(pool), close }
}

function closing(store: SessionStore): OpenStore {
  return { store, close: async () => store.close?.() }
}

async function inFolder(
  open: (folder: string) => Promise<{ readonly store: SessionStore; close?(): Promise<void> }>,
): Promise<OpenStore> {
  const folder = await mkdtemp(join(tmpdir(), 'session-registry-bench-'))
  const { store, close } = await open(folder)
  return {
    store,
    async close() {
      await store.close?.()
      await close?.()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
