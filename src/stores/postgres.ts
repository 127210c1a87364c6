import { checkOptions, invalidOption } from '../core/options/validate.ts'
import type { SessionStore } from '../core/store.ts'
import { checkIdentifier } from '../core/storing/identifier.ts'
import type { PostgresPool } from './postgres/postgres-pool.ts'
import { PostgresStore } from './postgres/postgres-store.ts'

export type { PostgresPool } from './postgres/postgres-pool.ts'

/** Options of {@link postgresStore}. */
export interface PostgresStoreOptions {
  /**
   * The table, which is made at the first use that finds none, with an index for owners and one for `prune`.
   *
   * An identifier of at most 48 letters, digits and underscores.
   *
   * @defaultValue 'sessions'
   */
  readonly table?: string | undefined
  /**
   * The schema of the table, which is made with it. Without one, the table is looked for along the
   * `search_path`.
   *
   * An identifier, as the table.
   */
  readonly schema?: string | undefined
}

/**
 * A store in a table of PostgreSQL.
 *
 * `pool` is `pg.Pool`, PGlite, or anything with `query(text, params)` that gives `{ rows }`. It remains the
 * application's: its settings hold, and the store does not close it. A `pg.Pool` needs an `error` listener,
 * or a connection that is lost while idle ends the process.
 *
 * A query cannot be told to stop. A write whose signal aborts is waited for a second longer; after that its
 * outcome is unknown, and until it has settled every call of the same session through this store waits for
 * it. Set `connectionTimeoutMillis` and `statement_timeout` on the pool, so that this ends.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
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
