import type {
  DeleteContext,
  PutContext,
  SessionStore,
  StoreContext,
  StoredSession,
} from '../../core/store.ts'
import { KeyedCalls } from '../../core/storing/keyed-calls.ts'
import { pause } from '../../core/storing/pause.ts'
import { idOf, rowOf, sessionOf } from '../../core/storing/session-row.ts'
import { checkStorable } from '../../core/storing/storable.ts'
import { hashText } from '../../core/storing/text-hash.ts'
import type { PostgresPool } from './postgres-pool.ts'
import { type Statements, statementsFor } from './statements.ts'

/** SQLSTATE of a table, or a schema, that is not there. */
const undefinedTable = '42P01'

/**
 * SQLSTATEs of a transaction that lost against another: serialization failure, deadlock. It has had no
 * effect.
 */
const lostRace = ['40001', '40P01']

const mostRepeats = 20
const longestPauseMs = 100

/** More than a table can have rows, and still an exact integer. */
const mostRows = 2 ** 53 - 1

type Params = readonly (string | number)[]

/** The store of `postgresStore`. */
export class PostgresStore implements SessionStore {
  readonly #pool: PostgresPool
  readonly #sql: Statements
  readonly #calls = new KeyedCalls()

  constructor(pool: PostgresPool, table: string, schema: string | undefined) {
    this.#pool = pool
    this.#sql = statementsFor(table, schema)
  }

  async get(id: string, { signal }: StoreContext): Promise<StoredSession | undefined> {
    const key = hashText(id)
    const [row] = await this.#calls.read(key, signal, () => this.#query(this.#sql.get, [key], signal))
    return row === undefined ? undefined : sessionOf(row, id)
  }

  async put(session: StoredSession, { signal, replaces }: PutContext): Promise<boolean> {
    checkStorable(session)
    const rows = await (typeof replaces === 'string'
      ? this.#write(session.id, signal, this.#sql.update, [...rowOf(session), replaces])
      : this.#write(session.id, signal, replaces === null ? this.#sql.insert : this.#sql.put, rowOf(session)))
    return rows.length > 0
  }

  async delete(id: string, { signal, replaces }: DeleteContext): Promise<void> {
    const key = hashText(id)
    if (replaces === undefined) await this.#write(id, signal, this.#sql.remove, [key])
    else await this.#write(id, signal, this.#sql.removeRevision, [key, replaces])
  }

  async prune(before: number, limit: number): Promise<string[]> {
    const rows = await this.#query(this.#sql.prune, [before, Math.min(limit, mostRows)])
    return rows.map(idOf)
  }

  async owned(owner: string): Promise<string[]> {
    const rows = await this.#query(this.#sql.owned, [hashText(owner)])
    return rows.map(idOf)
  }

  #write(id: string, signal: AbortSignal, text: string, params: Params): Promise<readonly unknown[]> {
    return this.#calls.write(hashText(id), signal, () => this.#query(text, params, signal))
  }

  /** Queries a table that is made if there is none. Repeats what lost against another transaction. */
  async #query(text: string, params: Params, signal?: AbortSignal): Promise<readonly unknown[]> {
    for (let repeats = 0; ; repeats += 1) {
      signal?.throwIfAborted()
      try {
        const { rows } = await this.#pool.query(text, [...params])
        return rows
      } catch (error) {
        if (repeats >= mostRepeats || !hasState(error, undefinedTable, ...lostRace)) throw error
        if (hasState(error, undefinedTable)) await this.#create()
      }
      await pause(Math.random() * Math.min(2 ** repeats, longestPauseMs), signal)
    }
  }

  async #create(): Promise<void> {
    try {
      await this.#pool.query(this.#sql.create)
    } catch (error) {
      // Another process was quicker, and the query is repeated anyway.
      if (!hasState(error, ...lostRace)) throw error
    }
  }
}

function hasState(error: unknown, ...states: readonly string[]): boolean {
  return states.includes(String((error as { readonly code?: unknown } | undefined)?.code))
}
