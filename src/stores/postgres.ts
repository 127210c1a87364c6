/**
 * A store in PostgreSQL: {@link postgresStore}.
 *
 * @module
 */
export type { PostgresPool } from './postgres/postgres-pool.ts'
export { type PostgresStoreOptions, postgresStore } from './postgres/postgres-store.ts'
