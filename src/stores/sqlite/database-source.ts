import { statSync } from 'node:fs'
import process from 'node:process'
import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { invalidOption } from '../../core/options/validate.ts'
import { unlessAborted } from '../../core/storing/unless-aborted.ts'
import { repeatWhileBusy } from './repeat-while-busy.ts'
import { prepareStatement, type SqliteDatabase, type SqliteStatement } from './sqlite-database.ts'

/** A source of an open database. */
export interface DatabaseSource {
  database(signal: AbortSignal | undefined): Promise<SqliteDatabase>
  close?(): Promise<void>
}

/** A database object of the application, which also closes it. */
export class GivenDatabase implements DatabaseSource {
  readonly #database: SqliteDatabase
  #isChecked = false

  constructor(database: SqliteDatabase) {
    this.#database = database
  }

  /**
   * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` at the first use of a database with callbacks
   *   or promises
   */
  async database(signal: AbortSignal | undefined): Promise<SqliteDatabase> {
    if (!this.#isChecked) await repeatWhileBusy(signal, () => checkSynchronous(this.#database))
    this.#isChecked = true
    return this.#database
  }
}

/** Other libraries have methods of the same names. Their results would look like a refused write. */
function checkSynchronous(database: SqliteDatabase): void {
  const statement: Partial<SqliteStatement> = prepareStatement(database, 'SELECT 1 AS one')
  const row: unknown = statement.get?.()
  if (Number((Object(row) as { readonly one?: unknown }).one) !== 1) throw notADatabase(database)
}

/** The error of a value that is neither a path nor a database. */
export function notADatabase(got: unknown): SessionRegistryError {
  const rule = 'a non-empty path, or a synchronous database of node:sqlite, better-sqlite3 or bun:sqlite'
  return invalidOption('pathOrDatabase', rule, got)
}

interface SqliteModule {
  DatabaseSync: new (path: string, options: { readonly timeout: number }) => SqliteDatabase
}

/**
 * The longest time for which SQLite itself waits for a lock, in milliseconds: it blocks the event loop, so
 * longer waits are repetitions.
 *
 * Milliseconds.
 */
const blockingWaitMs = 10

/** The path of a database in memory. */
const inMemory = ':memory:'

/** A database file that `node:sqlite` opens at the first use, and at the first use after `close`. */
export class DatabaseFile implements DatabaseSource {
  readonly #path: string
  readonly #sqlite: SqliteModule
  #open: Promise<SqliteDatabase> | undefined

  /**
   * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`: a runtime without `node:sqlite`, or the path
   *   of a folder
   */
  constructor(path: string) {
    this.#path = path
    this.#sqlite = loadSqlite()
    if (isFolder(path)) throw folderGiven()
  }

  async database(signal: AbortSignal | undefined): Promise<SqliteDatabase> {
    this.#open ??= this.#opened()
    const open = this.#open
    // Concurrent calls share the opening. Each waits for it until its own signal aborts.
    open.catch(() => {
      if (this.#open === open) this.#open = undefined
    })
    return signal === undefined ? open : unlessAborted(open, signal)
  }

  async close(): Promise<void> {
    // To close a database in memory would delete all sessions.
    if (this.#path === inMemory) return
    const open = this.#open
    this.#open = undefined
    const database = await open?.catch(() => undefined)
    database?.close()
  }

  async #opened(): Promise<SqliteDatabase> {
    const database = this.#openNow()
    try {
      // While several processes create one new file, SQLite refuses this without waiting for the lock.
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
    // Node 22.13 ignores the option.
    database.exec(`PRAGMA busy_timeout = ${blockingWaitMs}`)
    return database
  }
}

function loadSqlite(): SqliteModule {
  // Not `import`: bundlers would resolve it as a package, and older versions of Node have no such module.
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
    // SQLite reports a path that cannot be examined.
    return false
  }
}

function folderGiven(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_OPTION_INVALID',
    'Expected `pathOrDatabase` to be the path of a database file, got the path of a folder',
  )
}
