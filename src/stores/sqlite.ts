import { checkOptions, invalidOption } from '../core/options/validate.ts'
import type { SessionStore } from '../core/store.ts'
import { checkIdentifier } from '../core/storing/identifier.ts'
import { DatabaseFile, GivenDatabase } from './sqlite/database-source.ts'
import type { SqliteDatabase } from './sqlite/sqlite-database.ts'
import { SqliteStore } from './sqlite/sqlite-store.ts'

export type { SqliteDatabase, SqliteStatement } from './sqlite/sqlite-database.ts'

/** Options of {@link sqliteStore}. */
export interface SqliteStoreOptions {
  /**
   * The table, which is made at the first use that finds none.
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
 * A path is opened with `node:sqlite` (Node 22.13 or newer, Bun, Deno), in WAL mode and flushed at each
 * write, and closed by `close`. A database object of `node:sqlite`, better-sqlite3 or `bun:sqlite` remains
 * the application's: its settings hold, a transaction that the application has begun includes what the store
 * writes, and the application closes it.
 *
 * Several processes may share the file. One that finds it locked waits without holding up its event loop.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`: a path that is a folder, a runtime without
 *   `node:sqlite`, an object that is not a database, a table name that is not an identifier
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
  // SQLite keeps these names for itself.
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
  throw invalidOption(
    'pathOrDatabase',
    'a non-empty path, or a database of node:sqlite, better-sqlite3 or bun:sqlite',
    value,
  )
}
