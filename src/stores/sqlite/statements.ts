import { columns } from '../../core/storing/session-row.ts'

/**
 * The SQL of a store, for one table. The parameters of a write are the columns in order, then the revision
 * that it replaces.
 */
export interface Statements {
  readonly create: string
  readonly get: string
  readonly put: string
  readonly insert: string
  readonly update: string
  readonly remove: string
  readonly removeRevision: string
  readonly prune: string
  readonly owned: string
}

/** The columns that a write sets: all but the key. */
const written = columns.slice(1)

export function statementsFor(table: string): Statements {
  const name = `"${table}"`
  const values = columns.map(() => '?').join(', ')
  const fromInsert = written.map((column) => `${column} = excluded.${column}`).join(', ')
  const fromParameters = written.map((column) => `${column} = ?`).join(', ')
  const insert = `INSERT INTO ${name} (${columns.join(', ')}) VALUES (${values}) ON CONFLICT (key) DO UPDATE SET ${fromInsert}`
  return {
    // `REAL`, because times need not be whole numbers, and a timeout may be infinite.
    create: `CREATE TABLE IF NOT EXISTS ${name} (key TEXT NOT NULL PRIMARY KEY, id TEXT NOT NULL, text TEXT NOT NULL,
      revision TEXT NOT NULL, created REAL NOT NULL, active REAL NOT NULL, timeout REAL NOT NULL, ownerkey TEXT NOT NULL,
      owner TEXT NOT NULL) STRICT;
      CREATE INDEX IF NOT EXISTS "${table}_by_activity" ON ${name} (active);
      CREATE INDEX IF NOT EXISTS "${table}_by_owner" ON ${name} (ownerkey) WHERE ownerkey <> ''`,
    get: `SELECT ${written.join(', ')} FROM ${name} WHERE key = ?`,
    put: insert,
    insert: `${insert} WHERE ${name}.revision = excluded.revision`,
    // Older libraries refuse a numbered parameter that occurs twice, so the revisions to compare come last.
    update: `UPDATE ${name} SET ${fromParameters} WHERE key = ? AND revision IN (?, ?)`,
    remove: `DELETE FROM ${name} WHERE key = ?`,
    removeRevision: `DELETE FROM ${name} WHERE key = ? AND revision = ?`,
    prune: `DELETE FROM ${name} WHERE key IN (SELECT key FROM ${name} WHERE active < ? ORDER BY active LIMIT ?) RETURNING id`,
    owned: `SELECT id FROM ${name} WHERE ownerkey = ? AND ownerkey <> ''`,
  }
}
