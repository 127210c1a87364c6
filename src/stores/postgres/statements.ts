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

/** The key of the advisory lock under which tables are created: random, so that no other library uses it. */
const creationLock = '7263814590263471'

/** The columns that a write sets: all but the key. */
const written = columns.slice(1)

export function statementsFor(table: string, schema: string | undefined): Statements {
  const name = schema === undefined ? `"${table}"` : `"${schema}"."${table}"`
  const values = columns.map((_, index) => `$${index + 1}`).join(', ')
  const fromInsert = written.map((column) => `${column} = excluded.${column}`).join(', ')
  const fromParameters = written.map((column, index) => `${column} = $${index + 2}`).join(', ')
  const insert = `INSERT INTO ${name} AS t (${columns.join(', ')}) VALUES (${values})
    ON CONFLICT (key) DO UPDATE SET ${fromInsert}`
  return {
    create: creation(name, schema),
    get: `SELECT ${written.join(', ')} FROM ${name} WHERE key = $1`,
    put: `${insert} RETURNING 1 AS done`,
    insert: `${insert} WHERE t.revision = excluded.revision RETURNING 1 AS done`,
    update: `UPDATE ${name} SET ${fromParameters} WHERE key = $1 AND revision IN ($${columns.length + 1}, $4)
      RETURNING 1 AS done`,
    remove: `DELETE FROM ${name} WHERE key = $1`,
    removeRevision: `DELETE FROM ${name} WHERE key = $1 AND revision = $2`,
    // The rows are locked as they are selected and checked again, so a row that was written meanwhile stays.
    // A row that is being written is skipped.
    prune: `DELETE FROM ${name} WHERE active < $1 AND key IN (SELECT key FROM ${name} WHERE active < $1 ORDER BY active
      LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING id`,
    owned: `SELECT id FROM ${name} WHERE ownerkey = $1 AND ownerkey <> ''`,
  }
}

/**
 * Returns one statement that creates the table, since not every client accepts several. It takes a lock,
 * since `IF NOT EXISTS` fails when several processes create at the same time.
 *
 * `text`, because `jsonb` reorders keys and refuses U+0000. `double precision`, because times need not be
 * whole numbers, a timeout may be infinite, and pg returns a `bigint` as a string.
 */
function creation(name: string, schema: string | undefined): string {
  const createSchema =
    schema === undefined
      ? ''
      : `IF to_regnamespace('"${schema}"') IS NULL THEN CREATE SCHEMA "${schema}"; END IF;`
  return `DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(${creationLock});
    ${createSchema}
    IF to_regclass('${name}') IS NULL THEN
      CREATE TABLE ${name} (key text PRIMARY KEY, id text NOT NULL, text text NOT NULL, revision text NOT NULL,
        created double precision NOT NULL, active double precision NOT NULL, timeout double precision NOT NULL,
        ownerkey text NOT NULL, owner text NOT NULL);
      CREATE INDEX ON ${name} (active);
      CREATE INDEX ON ${name} (ownerkey) WHERE ownerkey <> '';
    END IF;
  END $$`
}
