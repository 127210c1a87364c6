/** A prepared statement, as far as the store uses it. */
export interface SqliteStatement {
  run(...params: (string | number)[]): { changes: number | bigint }
  get(...params: (string | number)[]): unknown
  all(...params: (string | number)[]): unknown[]
}

/** An open database of `node:sqlite`, better-sqlite3 or `bun:sqlite`. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
  close(): unknown
}

/** Returns a statement that gives rows as objects, whatever the database's own options say. */
export function prepareStatement(database: SqliteDatabase, sql: string): SqliteStatement {
  const statement: SqliteStatement & { setReturnArrays?: (isOn: boolean) => void } = database.prepare(sql)
  // Of `node:sqlite` since Node 22.23: with `returnArrays` a row would be an array.
  if (typeof statement.setReturnArrays === 'function') statement.setReturnArrays(false)
  return statement
}

/** The result codes of SQLite for a database, or a table of it, that is locked by another connection. */
const busyCodes = [5, 6]

/** Reports whether a failure means that another connection is writing just now. */
export function isBusy(error: unknown): boolean {
  const { errcode, errno, code, message } = Object(error) as Partial<Record<string, unknown>>
  for (const number of [errcode, errno]) {
    // The low byte of an extended code is the code itself: 517 is a snapshot that has become too old to
    // write.
    if (typeof number === 'number') return busyCodes.includes(number & 0xff)
  }
  if (typeof code === 'string' && /^SQLITE_(BUSY|LOCKED)/.test(code)) return true
  // Deno's `exec` gives no code at all.
  return /\bdatabase (table )?is locked\b/.test(String(message))
}

/** Reports whether a failure means that the table is not there. */
export function isWithoutTable(error: unknown): boolean {
  return /\bno such table\b/.test(String(Object(error).message))
}
