import { appendFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { Pool } from 'pg'
import type { SessionStore } from 'session-registry'
import { fileStore } from 'session-registry/stores/file'
import { postgresStore } from 'session-registry/stores/postgres'
import { sqliteStore } from 'session-registry/stores/sqlite'
import { context, replacing, storedSession } from './store-session.ts'
import { countIn, type StoreWork, textOf } from './store-work.ts'

/**
 * One process of several that share a store: counts up in its sessions, and writes down each count that the
 * store took.
 */
const work = JSON.parse(process.argv[2] ?? '{}') as StoreWork
const { store, close } = open(work.source)

process.send?.('up')
for (let round = 0; round < work.rounds; round += 1) {
  for (const id of work.ids) await increment(id)
}
await close()
process.disconnect()

async function increment(id: string): Promise<void> {
  for (;;) {
    const found = await store.get(id, context())
    const n = found === undefined ? 1 : countIn(found.text) + 1
    const next = storedSession({ id, text: textOf(n), owner: 'worker', lastActiveAt: Date.now() })
    // A refusal is what must happen when another process was quicker.
    if (!(await store.put(next, replacing(found?.revision ?? null)))) continue
    // One system call: a count that was written down outlives the process, which may be killed at the next
    // instant.
    appendFileSync(work.journal, `${JSON.stringify({ id, n })}\n`)
    return
  }
}

function open(source: StoreWork['source']): { store: SessionStore; close: () => Promise<void> } {
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
