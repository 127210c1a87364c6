import { checkOptions, invalidOption } from '../../core/options/validate.ts'
import type {
  DeleteContext,
  PutContext,
  SessionStore,
  StoreContext,
  StoredSession,
} from '../../core/store.ts'
import { checkIdentifier } from '../../core/storing/identifier.ts'
import { KeyedCalls } from '../../core/storing/keyed-calls.ts'
import { pause } from '../../core/storing/pause.ts'
import { idOf, rowOf, sessionOf } from '../../core/storing/session-row.ts'
import { checkStorable } from '../../core/storing/storable.ts'
import { hashText } from '../../core/storing/text-hash.ts'
import { type Backoff, backoffMs, jitter } from '../../core/time/backoff.ts'
import type { PostgresPool } from './postgres-pool.ts'
import { type Statements, statementsFor } from './statements.ts'

/** SQLSTATE of a missing table or schema. */
const undefinedTable = '42P01'

/** SQLSTATEs of a transaction that lost a race and had no effect: serialization failure, deadlock. */
const lostRace = ['40001', '40P01']

/** The most attempts at one query. */
const maxAttempts = 20

const backoff: Backoff = { firstMs: 1, maxMs: 100 }

type Params = readonly (string | number)[]

/** Options of {@link postgresStore}. */
export interface PostgresStoreOptions {
  /**
   * The table. The first use that finds none creates it, with an index for owners and one for `prune`.
   *
   * An identifier of at most 48 letters, digits and underscores.
   *
   * @defaultValue 'sessions'
   */
  readonly table?: string | undefined
  /**
   * The schema of the table, created with it if there is none. Without the option, the `search_path` applies.
   *
   * An identifier of at most 48 letters, digits and underscores.
   */
  readonly schema?: string | undefined
}

/**
 * A store in a table of PostgreSQL.
 *
 * `pool` is `pg.Pool`, PGlite, or any object with `query(text, params)` that resolves to `{ rows }`. It
 * remains the application's: its settings apply, and the store does not close it. A `pg.Pool` needs an
 * `error` listener; without one, the loss of an idle connection ends the process.
 *
 * A query cannot be aborted. After its signal aborts, a write has one more second to settle; then the call
 * rejects with an unknown outcome, and later calls of the same session on this store wait until the write has
 * settled. `connectionTimeoutMillis` and `statement_timeout` of the pool bound that wait.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`: an object without `query`, or a name that is not
 *   an identifier; also as the rejection of a call, if `query` resolves to something without `rows`
 *
 * @example
 * const pool = new Pool({ connectionString, connectionTimeoutMillis: 5_000, statement_timeout: 10_000 })
 * pool.on('error', (error) => logger.error(error))
 * const sessions = new SessionRegistry<string[]>({ create: () => [], store: postgresStore(pool) })
 */
export function postgresStore(pool: PostgresPool, options?: PostgresStoreOptions): SessionStore {
  const { table = 'sessions', schema } = checkOptions('options', options, ['table', 'schema'])
  if (typeof (pool as Partial<PostgresPool> | undefined | null)?.query !== 'function') {
    throw invalidOption('pool', 'an object with a method `query`', pool)
  }
  const schemaName = schema === undefined ? undefined : checkIdentifier('schema', schema)
  return new PostgresStore(pool, checkIdentifier('table', table), schemaName)
}

/** The store of `postgresStore`. */
class PostgresStore implements SessionStore {
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
    const rows = await this.#query(this.#sql.prune, [before, Math.min(limit, Number.MAX_SAFE_INTEGER)])
    return rows.map(idOf)
  }

  async owned(owner: string): Promise<string[]> {
    const rows = await this.#query(this.#sql.owned, [hashText(owner)])
    return rows.map(idOf)
  }

  #write(id: string, signal: AbortSignal, text: string, params: Params): Promise<readonly unknown[]> {
    return this.#calls.write(hashText(id), signal, () => this.#query(text, params, signal))
  }

  /** Queries the table, which it creates if there is none. Repeats a query that lost a race. */
  async #query(text: string, params: Params, signal?: AbortSignal): Promise<readonly unknown[]> {
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted()
      try {
        return rowsOf(await this.#pool.query(text, [...params]))
      } catch (error) {
        if (attempt > maxAttempts || !hasState(error, undefinedTable, ...lostRace)) throw error
        if (hasState(error, undefinedTable)) await this.#create()
      }
      await pause(jitter(backoffMs(attempt, backoff)), signal)
    }
  }

  async #create(): Promise<void> {
    try {
      await this.#pool.query(this.#sql.create)
    } catch (error) {
      // Another process created it first. The query is repeated anyway.
      if (!hasState(error, ...lostRace)) throw error
    }
  }
}

/** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` for the result of another kind of pool */
function rowsOf(result: unknown): readonly unknown[] {
  const { rows } = Object(result) as { readonly rows?: unknown }
  if (Array.isArray(rows)) return rows
  throw invalidOption('pool', 'an object whose `query` resolves to an object with `rows`', result)
}

function hasState(error: unknown, ...states: readonly string[]): boolean {
  return states.includes(String((error as { readonly code?: unknown } | undefined)?.code))
}
