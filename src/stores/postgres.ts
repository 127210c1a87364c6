export type { PostgresPool } from './postgres/postgres-pool.ts'
export { type PostgresStoreOptions, postgresStore } from './postgres/postgres-store.ts'
