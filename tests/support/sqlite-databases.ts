import { join } from 'node:path'
import process from 'node:process'
import Database from 'better-sqlite3'
import type { SessionStore } from 'session-registry'
import { sqliteStore } from 'session-registry/stores/sqlite'
import { onTestFinished, vi } from 'vitest'
import { testFolder } from './test-folder.ts'

/** The database of each store that was made here. */
export const databases = new WeakMap<SessionStore, Database.Database>()

/** A database of better-sqlite3, which is closed when the test has finished. */
export function openDatabase(
  path = join(testFolder(), 'sessions.db'),
  options?: Database.Options,
): Database.Database {
  const database = new Database(path, options)
  // What is on disk after a power failure is not what these tests are about.
  database.pragma('synchronous = OFF')
  onTestFinished(() => void database.close())
  return database
}

export function storeIn(database: Database.Database): SessionStore {
  const store = sqliteStore(database)
  databases.set(store, database)
  return store
}

/** Stands for `node:sqlite`, which Node 20 does not have. `npm run test:runtimes` has the real one. */
export class FakeDatabaseSync {
  static readonly opened: FakeDatabaseSync[] = []
  readonly #database: Database.Database

  constructor(path: string, { timeout }: { readonly timeout: number }) {
    this.#database = new Database(path, { timeout })
    FakeDatabaseSync.opened.push(this)
  }

  exec(sql: string): unknown {
    return this.#database.exec(sql)
  }

  prepare(sql: string): Database.Statement {
    return this.#database.prepare(sql)
  }

  pragma(name: string): unknown {
    return this.#database.pragma(name, { simple: true })
  }

  get isOpen(): boolean {
    return this.#database.open
  }

  close(): void {
    this.#database.close()
  }
}

/** Lets paths be opened until the test has finished. */
export function withFakeSqlite(): void {
  const spy = vi
    .spyOn(process, 'getBuiltinModule')
    .mockReturnValue({ DatabaseSync: FakeDatabaseSync } as never)
  onTestFinished(() => {
    spy.mockRestore()
    for (const one of FakeDatabaseSync.opened.splice(0)) one.close()
  })
}

/** The tables and indexes of a database. */
export function names(database: Database.Database): unknown[] {
  return database
    .prepare("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
    .pluck()
    .all()
}
