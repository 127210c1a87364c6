/** A pool or a client of PostgreSQL: `pg.Pool`, `pg.Client`, PGlite, or any object with such a `query`. */
export interface PostgresPool {
  query(text: string, params?: unknown[]): PromiseLike<{ readonly rows: readonly unknown[] }>
}
