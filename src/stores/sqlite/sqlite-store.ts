import type {
  DeleteContext,
  PutContext,
  SessionStore,
  StoreContext,
  StoredSession,
} from '../../core/store.ts'
import { idOf, rowOf, sessionOf } from '../../core/storing/session-row.ts'
import { checkStorable } from '../../core/storing/storable.ts'
import { hashText } from '../../core/storing/text-hash.ts'
import type { DatabaseSource } from './database-source.ts'
import { repeatWhileBusy } from './repeat-while-busy.ts'
import { isWithoutTable, prepareStatement, type SqliteDatabase } from './sqlite-database.ts'
import { type Statements, statementsFor } from './statements.ts'

/** More than SQLite can have rows, and still an exact integer. */
const mostRows = 2 ** 53 - 1

type Param = string | number

/**
 * The store of `sqliteStore`. Statements are prepared per call, which takes microseconds, and so outlive no
 * connection.
 */
export class SqliteStore implements SessionStore {
  /** Only where the store has opened the database itself. */
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
    // `bun:sqlite` returns `null` for a row that is not there.
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
    return this.#ids(this.#sql.prune, [before, Math.min(limit, mostRows)])
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

  /** Performs a call, in a table that is made if there is none. */
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

  /** Makes the table and its indexes in one step, in a transaction of the application's own too. */
  #create(database: SqliteDatabase): void {
    database.exec('SAVEPOINT session_registry')
    try {
      database.exec(this.#sql.create)
      database.exec('RELEASE session_registry')
    } catch (error) {
      // Fails where SQLite has already rolled everything back. The first failure is what matters.
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
