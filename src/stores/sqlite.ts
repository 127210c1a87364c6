/**
 * A store in SQLite: {@link sqliteStore}.
 *
 * @module
 */
export type { SqliteDatabase, SqliteStatement } from './sqlite/sqlite-database.ts'
export { type SqliteStoreOptions, sqliteStore } from './sqlite/sqlite-store.ts'
