import Database from 'better-sqlite3'
import { Pool } from 'pg'
import type { SessionStore } from 'session-registry'
import { fileStore } from 'session-registry/stores/file'
import { postgresStore } from 'session-registry/stores/postgres'
import { sqliteStore } from 'session-registry/stores/sqlite'
import type { StoreSource } from './store-work.ts'

/** Opens a store in a worker process, with durable writes. `close` ends what the store leaves open. */
export function openStore(source: StoreSource): { store: SessionStore; close: () => Promise<void> } {
  if (source.kind === 'file') return { store: fileStore(source.folder), close: async () => {} }
  if (source.kind === 'sqlite') {
    const database = new Database(source.path)
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = FULL')
    database.pragma('busy_timeout = 20')
    return { store: sqliteStore(database), close: async () => void database.close() }
  }
  const pool = new Pool({ connectionString: source.url, max: 2 })
  pool.on('error', () => {})
  return { store: postgresStore(pool), close: () => pool.end() }
}
