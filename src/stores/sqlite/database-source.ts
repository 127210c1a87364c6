import { statSync } from 'node:fs'
import process from 'node:process'
import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { unlessAborted } from '../../core/storing/unless-aborted.ts'
import { repeatWhileBusy } from './repeat-while-busy.ts'
import type { SqliteDatabase } from './sqlite-database.ts'

/** Where a store gets its database from. */
export interface DatabaseSource {
  database(signal: AbortSignal | undefined): Promise<SqliteDatabase>
  close?(): Promise<void>
}

/** A database object of the application's own. The application closes it. */
export class GivenDatabase implements DatabaseSource {
  readonly #database: SqliteDatabase

  constructor(database: SqliteDatabase) {
    this.#database = database
  }

  async database(): Promise<SqliteDatabase> {
    return this.#database
  }
}

interface SqliteModule {
  DatabaseSync: new (path: string, options: { readonly timeout: number }) => SqliteDatabase
}

/**
 * How long SQLite itself waits for a lock. It holds up the event loop meanwhile, so it is short; longer waits
 * are repeats.
 *
 * Milliseconds.
 */
const blockingWaitMs = 10

/** The path of a database that is in no file. */
const inMemory = ':memory:'

/** A database file, opened with `node:sqlite` when it is first needed, and again after `close`. */
export class DatabaseFile implements DatabaseSource {
  readonly #path: string
  readonly #sqlite: SqliteModule
  #open: Promise<SqliteDatabase> | undefined

  /**
   * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` where the runtime has no `node:sqlite`, or the
   *   path is a folder.
   */
  constructor(path: string) {
    this.#path = path
    this.#sqlite = loadSqlite()
    if (isFolder(path)) throw folderGiven()
  }

  async database(signal: AbortSignal | undefined): Promise<SqliteDatabase> {
    this.#open ??= this.#opened()
    const open = this.#open
    // Calls share the opening, and each waits for it as long as its own signal lets it.
    open.catch(() => {
      if (this.#open === open) this.#open = undefined
    })
    return signal === undefined ? open : unlessAborted(open, signal)
  }

  async close(): Promise<void> {
    // A database in memory is gone when it is closed, and with it what the store has promised to keep.
    if (this.#path === inMemory) return
    const open = this.#open
    this.#open = undefined
    const database = await open?.catch(() => undefined)
    database?.close()
  }

  async #opened(): Promise<SqliteDatabase> {
    const database = this.#openNow()
    try {
      // While several processes make one new file, SQLite refuses this without waiting for the lock.
      await repeatWhileBusy(undefined, () => database.exec('PRAGMA journal_mode = WAL'))
      database.exec('PRAGMA synchronous = FULL')
      return database
    } catch (error) {
      database.close()
      throw error
    }
  }

  #openNow(): SqliteDatabase {
    if (isFolder(this.#path)) throw folderGiven()
    const database = new this.#sqlite.DatabaseSync(this.#path, { timeout: blockingWaitMs })
    // Node 22.13 does not know the option yet.
    database.exec(`PRAGMA busy_timeout = ${blockingWaitMs}`)
    return database
  }
}

function loadSqlite(): SqliteModule {
  // Not `import`: bundlers would look for a package, and older versions of Node have no such module.
  const module = process.getBuiltinModule?.('node:sqlite')
  if (module !== undefined) return module as unknown as SqliteModule
  throw new SessionRegistryError(
    'ERR_SESSION_OPTION_INVALID',
    'Expected `pathOrDatabase` to be a database object, since this runtime has no `node:sqlite` to open a path with (Node 22.13 or newer has)',
  )
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  } catch {
    // What cannot be looked at is for SQLite to report.
    return false
  }
}

function folderGiven(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_OPTION_INVALID',
    'Expected `pathOrDatabase` to be the path of a database file, got the path of a folder',
  )
}
