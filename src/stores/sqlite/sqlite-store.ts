import { checkOptions, invalidOption } from '../../core/options/validate.ts'
import type {
  DeleteContext,
  PutContext,
  SessionStore,
  StoreContext,
  StoredSession,
} from '../../core/store.ts'
import { checkIdentifier } from '../../core/storing/identifier.ts'
import { idOf, rowOf, sessionOf } from '../../core/storing/session-row.ts'
import { checkStorable } from '../../core/storing/storable.ts'
import { hashText } from '../../core/storing/text-hash.ts'
import { DatabaseFile, type DatabaseSource, GivenDatabase, notADatabase } from './database-source.ts'
import { repeatWhileBusy } from './repeat-while-busy.ts'
import { isWithoutTable, prepareStatement, type SqliteDatabase } from './sqlite-database.ts'
import { type Statements, statementsFor } from './statements.ts'

type Param = string | number

/** Options of {@link sqliteStore}. */
export interface SqliteStoreOptions {
  /**
   * The table. The first use that finds none creates it.
   *
   * An identifier of at most 48 letters, digits and underscores.
   *
   * @defaultValue 'sessions'
   */
  readonly table?: string | undefined
}

/**
 * A store in a table of SQLite.
 *
 * A path is opened with `node:sqlite` (Node 22.13 or newer, Bun, Deno), in WAL mode and synced at each write,
 * and closed by `close`. A database object of `node:sqlite`, better-sqlite3 or `bun:sqlite` remains the
 * application's: its settings apply, its open transaction includes the writes of the store, and the
 * application closes it.
 *
 * Several processes may share the file. A process that finds it locked waits without blocking its event loop.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`: the path of a folder, a runtime without
 *   `node:sqlite`, an object that is not a database, a table name that is not an identifier; also as the
 *   rejection of a call, if the path is a folder by then or the database returns promises
 *
 * @example
 * const sessions = new SessionRegistry<string[]>({ create: () => [], store: sqliteStore('./sessions.db') })
 */
export function sqliteStore(
  pathOrDatabase: string | SqliteDatabase,
  options?: SqliteStoreOptions,
): SessionStore {
  const { table = 'sessions' } = checkOptions('options', options, ['table'])
  const name = checkIdentifier('table', table)
  // SQLite reserves these names.
  if (/^sqlite_/i.test(name))
    throw invalidOption('table', 'an identifier that does not begin with `sqlite_`', name)
  if (typeof pathOrDatabase === 'string' && pathOrDatabase !== '') {
    return new SqliteStore(new DatabaseFile(pathOrDatabase), name)
  }
  return new SqliteStore(new GivenDatabase(checkDatabase(pathOrDatabase)), name)
}

function checkDatabase(value: unknown): SqliteDatabase {
  const { exec, prepare } = (value ?? {}) as Partial<SqliteDatabase>
  if (typeof exec === 'function' && typeof prepare === 'function') return value as SqliteDatabase
  throw notADatabase(value)
}

/**
 * The store of `sqliteStore`. It prepares statements per call, which takes microseconds, so none outlives its
 * connection.
 */
class SqliteStore implements SessionStore {
  /** Present only if the store opens the database itself. */
  declare readonly close?: () => Promise<void>
  readonly #source: DatabaseSource
  readonly #sql: Statements

  constructor(source: DatabaseSource, table: string) {
    this.#source = source
    this.#sql = statementsFor(table)
    if (source.close !== undefined) this.close = () => source.close?.() ?? Promise.resolve()
  }

  async get(id: string, { signal }: StoreContext): Promise<StoredSession | undefined> {
    const row = await this.#perform(signal, (database) =>
      prepareStatement(database, this.#sql.get).get(hashText(id)),
    )
    // `bun:sqlite` returns `null` if there is no row.
    return row === undefined || row === null ? undefined : sessionOf(row, id)
  }

  async put(session: StoredSession, { signal, replaces }: PutContext): Promise<boolean> {
    checkStorable(session)
    const row = rowOf(session)
    if (typeof replaces !== 'string') {
      return this.#changes(signal, replaces === null ? this.#sql.insert : this.#sql.put, row)
    }
    const [key = '', ...written] = row
    return this.#changes(signal, this.#sql.update, [...written, key, replaces, session.revision])
  }

  async delete(id: string, { signal, replaces }: DeleteContext): Promise<void> {
    const key = hashText(id)
    if (replaces === undefined) await this.#changes(signal, this.#sql.remove, [key])
    else await this.#changes(signal, this.#sql.removeRevision, [key, replaces])
  }

  async prune(before: number, limit: number): Promise<string[]> {
    return this.#ids(this.#sql.prune, [before, Math.min(limit, Number.MAX_SAFE_INTEGER)])
  }

  async owned(owner: string): Promise<string[]> {
    return this.#ids(this.#sql.owned, [hashText(owner)])
  }

  async #ids(sql: string, params: readonly Param[]): Promise<string[]> {
    const rows = await this.#perform(undefined, (database) => prepareStatement(database, sql).all(...params))
    return rows.map(idOf)
  }

  /** Reports whether the statement has changed a row. */
  async #changes(signal: AbortSignal, sql: string, params: readonly Param[]): Promise<boolean> {
    const { changes } = await this.#perform(signal, (database) =>
      prepareStatement(database, sql).run(...params),
    )
    return Number(changes) > 0
  }

  /** Calls the database, after it created the table if there is none. */
  async #perform<R>(signal: AbortSignal | undefined, call: (database: SqliteDatabase) => R): Promise<R> {
    signal?.throwIfAborted()
    const database = await this.#source.database(signal)
    try {
      return await repeatWhileBusy(signal, () => call(database))
    } catch (error) {
      if (!isWithoutTable(error)) throw error
    }
    await repeatWhileBusy(signal, () => this.#create(database))
    return repeatWhileBusy(signal, () => call(database))
  }

  /** Creates the table and its indexes in one step, inside a transaction of the application too. */
  #create(database: SqliteDatabase): void {
    database.exec('SAVEPOINT session_registry')
    try {
      database.exec(this.#sql.create)
      database.exec('RELEASE session_registry')
    } catch (error) {
      // Fails if SQLite has already rolled back. The first failure is the one to report.
      attempt(() => database.exec('ROLLBACK TO session_registry'))
      attempt(() => database.exec('RELEASE session_registry'))
      throw error
    }
  }
}

function attempt(call: () => void): void {
  try {
    call()
  } catch {}
}
